// SPDX-License-Identifier: Apache-2.0
// The module checks in every simulation that holds_i is true in every cycle after a reset. It is
// empty in synthesis.
module hyq_engine_checker #(
  parameter Message
) (
  input logic clk_i,
  input logic rst_ni,
  input logic holds_i
);

`ifndef SYNTHESIS
  logic running_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : check
    if (!rst_ni) begin
      running_q <= 1'b0;
    end else begin
      running_q <= 1'b1;
      assert (!running_q || holds_i)
      else $error("%s", Message);
    end
  end
`endif

endmodule
