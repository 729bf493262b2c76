// SPDX-License-Identifier: Apache-2.0
// The module delays steps; a reset takes their valid bits away.
module hyq_engine_step_delay
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Stages
) (
  input  logic  clk_i,
  input  logic  rst_ni,
  input  step_t step_i,
  output step_t step_o
);

  step_t [Stages-1:0] step_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : travel
    if (!rst_ni) begin
      step_q <= '0;
    end else begin
      step_q[0] <= step_i;
      for (int unsigned s = 1; s < Stages; s++) step_q[s] <= step_q[s-1];
    end
  end

  assign step_o = step_q[Stages-1];

endmodule
