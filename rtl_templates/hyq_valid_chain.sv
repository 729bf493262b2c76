// SPDX-License-Identifier: Apache-2.0
// The module holds the valid bits of a rigid pipeline: valid_i leaves after Stages cycles with
// en_i.
module hyq_valid_chain #(
  parameter int unsigned Stages
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic en_i,
  input  logic valid_i,
  output logic valid_o
);

  logic [Stages-1:0] valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (en_i) begin
      valid_q <= Stages'({valid_q, valid_i});
    end
  end

  assign valid_o = valid_q[Stages-1];

endmodule
