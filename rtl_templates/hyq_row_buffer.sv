// SPDX-License-Identifier: Apache-2.0
// In the row buffer the beats of a row wait until the result of their row (maximum, sum, ...) is
// there.
//
// A result is offered once per row, in order, and stays through all beats of its row. The reader
// takes it from its writer, and result_ready_o tells the writer when the last beat leaves. Rows
// follow each other without a gap if Depth covers the beats that come in while the first one waits.
module hyq_row_buffer #(
  parameter int unsigned Width,  // width of a beat
  parameter int unsigned Beats,  // beats of a row
  parameter int unsigned Depth   // beats
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic             result_valid_i,
  output logic             result_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);

  logic beat_valid, last_beat;

  // Its writer offers a beat only while the reduction takes it too.
  hyq_fifo #(
    .Width      (Width),
    .Depth      (Depth),
    .KeepsOffers(1'b0)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o,
    .out_valid_o(beat_valid),
    .out_ready_i(out_ready_i && result_valid_i)
  );

  hyq_counter #(
    .Count(Beats)
  ) u_beat (
    .clk_i,
    .rst_ni,
    .en_i  (out_valid_o && out_ready_i),
    .last_o(last_beat)
  );

  assign out_valid_o    = beat_valid && result_valid_i;
  assign result_ready_o = beat_valid && last_beat && out_ready_i;

endmodule
