// SPDX-License-Identifier: Apache-2.0
// The module controls a circuit that takes Steps cycles for a value: it loads, then makes the
// steps, the last of which goes into an output register. So it takes a new value every Steps + 1
// cycles.
module hyq_step_control #(
  parameter int unsigned Steps
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic in_valid_i,
  output logic in_ready_o,   // the value may be loaded, whether it is valid or not
  output logic step_o,
  output logic finish_o,     // this step is the last one
  output logic out_valid_o,
  input  logic out_ready_i
);

  logic busy_q, out_valid_q, last_step;

  assign in_ready_o  = !busy_q;
  assign step_o      = busy_q && !(last_step && out_valid_q && !out_ready_i);
  assign finish_o    = step_o && last_step;
  assign out_valid_o = out_valid_q;

  hyq_counter #(
    .Count(Steps)
  ) u_step (
    .clk_i,
    .rst_ni,
    .en_i  (step_o),
    .last_o(last_step)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      busy_q      <= 1'b0;
      out_valid_q <= 1'b0;
    end else begin
      busy_q      <= busy_q ? !finish_o : in_valid_i;
      out_valid_q <= finish_o || (out_valid_q && !out_ready_i);
    end
  end

endmodule
