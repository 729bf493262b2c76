// Any function of one code: a memory with an entry for every input code, one copy per lane.
// Reference: hyq_hls/ops/table.py, Table.
//
// One stage: the read register of the memory is the output.
module hyq_table #(
  parameter int unsigned InLanes,        // of the output too
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter              ValuesFile,     // in ascending order of the input code
  parameter int unsigned ValuesEntries,
  parameter int unsigned LutsPerBlock = 160  // as hyq_rom
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

  logic en, out_valid_q;

  assign en = !out_valid_q || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = out_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      out_valid_q <= 1'b0;
    end else if (en) begin
      out_valid_q <= in_valid_i;
    end
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    // The distance from the smallest code: of a signed one, its bits with the sign inverted.
    logic [InBits-1:0] address;
    assign address = in_data_i[l*InBits+:InBits] ^ {InSigned, {(InBits - 1) {1'b0}}};

    hyq_rom #(
      .Width       (OutBits),
      .Depth       (ValuesEntries),
      .File        (ValuesFile),
      .LutsPerBlock(LutsPerBlock)
    ) u_values_rom (
      .clk_i,
      .en_i  (en),
      .addr_i(address),
      .data_o(out_data_o[l*OutBits+:OutBits])
    );
  end

endmodule
