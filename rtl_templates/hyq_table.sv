// SPDX-License-Identifier: Apache-2.0
// The module computes any function of one code. A memory has an entry for every input code; every
// lane has a copy of it.
// Reference: hyq_hls/ops/table.py, Table.
//
// There is one stage: the read register of the memory is the output.
module hyq_table #(
  parameter int unsigned   InLanes,            // lanes of the output too
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter hyq_pkg::rom_t Values,
  parameter                ValuesFile,         // in ascending order of the input code
  parameter int unsigned   LutsPerBlock = 160  // as in hyq_rom
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*InBits-1:0]  in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  if (Values.entries != 2 ** InBits || Values.lanes != 1) begin : gen_bad_values
    $error("hyq_table: one value for every input code is wanted");
  end

  logic en;

  hyq_stream_pipeline #(.Stages(1)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .en_o(en), .out_valid_o, .out_ready_i
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    // The address is the distance from the smallest code. For a signed code it is its bits with the
    // sign inverted.
    logic [InBits-1:0] address;
    assign address = in_data_i[l*InBits+:InBits] ^ {InSigned, {(InBits - 1) {1'b0}}};

    hyq_rom #(
      .Width       (OutBits),
      .Depth       (Values.entries),
      .File        (ValuesFile),
      .LutsPerBlock(LutsPerBlock)
    ) u_values_rom (
      .clk_i,
      .en_i  (en),
      .addr_i(address),
      .data_o(out_data_o[l*OutBits+:OutBits])
    );
  end

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
