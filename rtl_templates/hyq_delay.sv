// SPDX-License-Identifier: Apache-2.0
// The module delays data by Stages registers under en_i. With 0 stages it is wires.
module hyq_delay #(
  parameter int unsigned Width,
  parameter int unsigned Stages
) (
  input  logic             clk_i,
  input  logic             en_i,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);

  if (Stages == 0) begin : gen_wires
    assign data_o = data_i;

    logic unused_clock;
    assign unused_clock = clk_i ^ en_i;
  end else begin : gen_registers
    logic [Stages-1:0][Width-1:0] data_q;

    always_ff @(posedge clk_i) begin : shift
      if (en_i) data_q <= (Stages*Width)'({data_q, data_i});
    end

    assign data_o = data_q[Stages-1];
  end

endmodule
