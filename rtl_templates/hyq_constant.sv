// SPDX-License-Identifier: Apache-2.0
// The codes are the same for every frame. Reference: hyq_hls/ops/constant.py, Constant.
//
// There is one stage: the read register of the memory is the output. A memory of one word is a
// constant, which stays.
module hyq_constant #(
  parameter int unsigned   OutLanes,
  parameter int unsigned   OutBits,
  parameter hyq_pkg::rom_t Values,  // the words of a frame
  parameter                ValuesFile
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  output logic [OutLanes*OutBits-1:0] out_data_o,
  output logic                        out_valid_o,
  input  logic                        out_ready_i
);

  if (Values.lanes != OutLanes || Values.bits != OutBits) begin : gen_bad_values
    $error("hyq_constant: a word of the memory has the lanes and bits of the output");
  end

  logic en, ready;

  hyq_stream_pipeline #(.Stages(1)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(1'b1),
    .in_ready_o(ready),
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_sequence_rom #(
    .Rom (Values),
    .File(ValuesFile)
  ) u_values_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(ready),
    .data_o(out_data_o)
  );

  hyq_stream_checker #(.Width(OutLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
