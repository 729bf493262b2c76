// SPDX-License-Identifier: Apache-2.0
// The store unit copies pixels from the feature memory to DRAM. Reference: "store" in
// docs/engine.md.
//
// It reads a beat per cycle, or a word where pixels have an odd number of words. Beats that are on
// their way from the memory have room in the FIFO before they are asked for. Beats of a burst leave
// when its address has been taken.
module hyq_engine_store
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  localparam int unsigned Beats = 32  // of the FIFO
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  start_i,
  input  transfer_instruction_t instruction_i,  // constant until done_o
  input  logic [31:0]           base_i,         // of its base register
  output logic                  done_o,         // all writes were answered
  // feature memory
  output feature_read_t         read_o,
  input  logic                  words_valid_i,
  input  logic [63:0]           words_i,
  // write channels of AXI
  output burst_t                burst_o,
  output logic                  burst_valid_o,
  input  logic                  burst_ready_i,
  output logic [63:0]           data_o,
  output logic [7:0]            strobe_o,
  output logic                  last_o,
  output logic                  data_valid_o,
  input  logic                  data_ready_i,
  input  logic                  answer_valid_i,
  output logic                  answer_ready_o
);

  localparam int unsigned CountBits = $clog2(Beats + 1);

  transfer_instruction_t ins;
  assign ins = instruction_i;

  transfer_t transfer;
  logic transfer_valid, transfer_ready, rows_busy, length_ready, aw_valid;

  hyq_engine_rows u_rows (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .base_i,
    .transfer_o      (transfer),
    .transfer_valid_o(transfer_valid),
    .transfer_ready_i(transfer_ready),
    .busy_o          (rows_busy)
  );
  hyq_engine_bursts u_bursts (
    .clk_i,
    .rst_ni,
    .transfer_i      (transfer),
    .transfer_valid_i(transfer_valid),
    .transfer_ready_o(transfer_ready),
    .burst_o,
    .burst_valid_o   (aw_valid),
    .burst_ready_i   (burst_ready_i && burst_valid_o)
  );

  // A burst whose length finds no place waits; once offered, it stays, since places only come.
  assign burst_valid_o = aw_valid && length_ready;

  // Words of the feature memory, each with a place in the FIFO.
  logic pairs, pairs_q, walk_valid, row_end, walk_end, step;
  logic [2:0] bank;
  logic [AddressBits-1:0] address;
  logic [CountBits-1:0] places_q;  // for beats
  logic place_q;                   // there is one
  logic half_q;                    // the next step is the upper half of a beat
  logic taken;                     // a beat has left the FIFO

  assign pairs = !ins.words[0];

  always_ff @(posedge clk_i) begin : shape
    pairs_q <= pairs;
  end

  hyq_engine_walk #(
    .Pixels(Pixels)
  ) u_walk (
    .clk_i,
    .rst_ni,
    .start_i,
    .view_i     (ins.view),
    .rows_i     (ins.rows),
    .pixels_i   (ins.pixels),
    .steps_i    (pairs ? ins.words >> 1 : ins.words),
    .pairs_i    (pairs_q),
    .planes_i   (ins.planes),
    .plane_i    (ins.plane),
    .x_first_i  (ins.x_first),
    .step_i     (step),
    .valid_o    (walk_valid),
    .bank_o     (bank),
    .address_o  (address),
    .row_end_o  (row_end),
    .end_o      (walk_end)
  );

  assign step   = walk_valid && (half_q || place_q);
  assign read_o = '{valid: step, bank: bank, address: address, beside: address};

  always_ff @(posedge clk_i or negedge rst_ni) begin : places
    if (!rst_ni) begin
      places_q <= CountBits'(Beats);
      place_q  <= 1'b1;
      half_q   <= 1'b0;
    end else begin
      if (step) half_q <= !half_q && !row_end && !pairs_q;
      if ((step && !half_q) != taken) begin
        places_q <= taken ? places_q + 1'b1 : places_q - 1'b1;
        place_q  <= taken || places_q != CountBits'(1);
      end
    end
  end

  // Which half a word is, and whether it ends its beat, goes beside the read.
  logic half, ends_beat, beat_valid_q, beat_ready;
  logic [31:0] low_q;
  logic [71:0] beat_q;

  hyq_delay #(
    .Width(2), .Stages(5)
  ) u_beside (
    .clk_i,
    .en_i  (1'b1),
    .data_i({half_q, step && (half_q || row_end || pairs_q)}),
    .data_o({half, ends_beat})
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : beat_valid
    if (!rst_ni) beat_valid_q <= 1'b0;
    else beat_valid_q <= words_valid_i && ends_beat;
  end

  always_ff @(posedge clk_i) begin : beat
    if (words_valid_i) low_q <= words_i[31:0];
    if (pairs_q) beat_q <= {8'hFF, words_i};
    else beat_q <= half ? {8'hFF, words_i[31:0], low_q} : {8'h0F, words_i};
  end

  logic fifo_valid;

  hyq_fifo #(
    .Width(72),
    .Depth(Beats)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .in_data_i  (beat_q),
    .in_valid_i (beat_valid_q),
    .in_ready_o (beat_ready),
    .out_data_o ({strobe_o, data_o}),
    .out_valid_o(fifo_valid),
    .out_ready_i(taken)
  );

  // Lengths of the bursts whose addresses were taken; the beats of the first of them leave.
  logic burst_taken, length_valid, length_taken;
  logic [3:0] length, sent_q;

  assign burst_taken = burst_valid_o && burst_ready_i;

  hyq_fifo #(
    .Width(4),
    .Depth(8)
  ) u_lengths (
    .clk_i,
    .rst_ni,
    .in_data_i  (burst_o.length),
    .in_valid_i (burst_taken),
    .in_ready_o (length_ready),
    .out_data_o (length),
    .out_valid_o(length_valid),
    .out_ready_i(length_taken)
  );

  assign data_valid_o = fifo_valid && length_valid;
  assign last_o       = sent_q == length;
  assign taken        = data_valid_o && data_ready_i;
  assign length_taken = taken && last_o;

  // Bursts that were not yet answered.
  logic running_q, idle, answered;
  logic [15:0] open_q;
  assign answer_ready_o = 1'b1;
  assign answered       = answer_valid_i;
  assign idle           = !rows_busy && transfer_ready && !aw_valid && open_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      sent_q    <= '0;
      open_q    <= '0;
      running_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      if (taken) sent_q <= last_o ? '0 : sent_q + 1'b1;
      if (burst_taken != answered) open_q <= burst_taken ? open_q + 1'b1 : open_q - 1'b1;
      if (start_i) running_q <= 1'b1;
      else if (idle) running_q <= 1'b0;
      done_o <= running_q && idle;
    end
  end

  hyq_engine_checker #(
    .Message("a beat finds no place in the FIFO")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!beat_valid_q || beat_ready)
  );

  logic unused_instruction, unused_end;
  assign unused_instruction = ^ins;
  assign unused_end = walk_end;

endmodule
