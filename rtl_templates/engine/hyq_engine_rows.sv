// SPDX-License-Identifier: Apache-2.0
// The module asks for the rows of a tensor in DRAM, one transfer each, for the load and the store
// unit. The first transfer comes four cycles after start_i.
module hyq_engine_rows
  import hyq_engine_pkg::*;
(
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  start_i,
  input  transfer_instruction_t instruction_i,  // constant until done_o
  input  logic [31:0]           base_i,         // of its base register
  output transfer_t             transfer_o,
  output logic                  transfer_valid_o,
  input  logic                  transfer_ready_i,
  output logic                  busy_o          // until the last transfer is taken
);

  transfer_instruction_t ins;
  assign ins = instruction_i;

  logic init, whole, row_last, waiting_q, valid_q;
  logic [31:0] words_q1, words_q2, address_q;
  logic [28:0] beats_q;

  // Other targets than the feature memory have no rows, only a count of bytes.
  assign whole = ins.target != TargetFeature;

  hyq_valid_chain #(
    .Stages(3)
  ) u_init (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(start_i), .valid_o(init)
  );
  hyq_engine_counter #(.Bits(16)) u_row (
    .clk_i,
    .start_i,
    .step_i (valid_q && transfer_ready_i),
    .count_i(whole ? 16'd1 : ins.rows),
    .last_o (row_last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      waiting_q <= 1'b0;
      valid_q   <= 1'b0;
    end else begin
      if (start_i) waiting_q <= 1'b1;
      else if (init) waiting_q <= 1'b0;
      if (init) valid_q <= 1'b1;
      else if (transfer_ready_i && row_last) valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin : transfers
    words_q1 <= ins.pixels * ins.words;
    words_q2 <= words_q1;
    if (init) begin
      beats_q   <= whole ? {ins.pixels, ins.rows[15:3]} : 29'((33'(words_q2) + 33'd1) >> 1);
      address_q <= base_i + ins.offset;
    end else if (valid_q && transfer_ready_i) begin
      address_q <= address_q + ins.pitch;
    end
  end

  assign transfer_o       = '{address: address_q, beats: beats_q};
  assign transfer_valid_o = valid_q;
  assign busy_o           = waiting_q || valid_q;

  logic unused_instruction;
  assign unused_instruction = ^ins;

endmodule
