// SPDX-License-Identifier: Apache-2.0
// The module controls a reduction over rows (a maximum, a sum) that holds the result of a row while
// the pipeline goes on with the next one. It stalls only when a second result would be due next.
module hyq_row_control #(
  parameter int unsigned Beats  // beats of a row
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic beat_valid_i,    // a beat is there to be accumulated
  output logic ready_o,         // the pipeline moves
  output logic en_o,            // the same, for the registers of the datapath
  output logic first_beat_o,    // the beat is the first of its row
  output logic result_load_o,   // it is the last one and completes the result
  output logic result_valid_o,
  input  logic result_ready_i
);

  logic first_beat_q, last_beat, result_valid_q;
  logic [1:0] full;

  assign full           = {last_beat, result_valid_q};
  assign ready_o        = !(&full) || result_ready_i;
  assign first_beat_o   = first_beat_q;
  assign result_load_o  = ready_o && beat_valid_i && last_beat;
  assign result_valid_o = result_valid_q;

  hyq_enable #(
    .Width(2)
  ) u_enable (
    .full_i (full),
    .ready_i(result_ready_i),
    .en_o
  );

  hyq_counter #(
    .Count(Beats)
  ) u_beat (
    .clk_i,
    .rst_ni,
    .en_i  (ready_o && beat_valid_i),
    .last_o(last_beat)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      first_beat_q   <= 1'b1;
      result_valid_q <= 1'b0;
    end else begin
      if (ready_o && beat_valid_i) first_beat_q <= last_beat;
      result_valid_q <= result_load_o || (result_valid_q && !result_ready_i);
    end
  end

endmodule
