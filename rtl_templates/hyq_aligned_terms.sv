// SPDX-License-Identifier: Apache-2.0
// The module brings the operands of hyq_add and of hyq_maximum to a common scale, and leads the
// pipeline of both: every operand is (code - zero point) times its factor.
//
// The terms take two stages of hyq_aligned_term, their combination takes one, and
// hyq_requantize_tail takes three. The terms of a beat come with its number.
module hyq_aligned_terms #(
  parameter int unsigned   Beats,    // beats of a position
  parameter int unsigned   Lanes,
  parameter int unsigned   ABits,
  parameter bit            ASigned,
  parameter int unsigned   BBits,
  parameter bit            BSigned,
  parameter int unsigned   CentredABits,
  parameter int unsigned   CentredBBits,
  parameter int unsigned   TermBits,
  parameter hyq_pkg::rom_t ZeroPointA,
  parameter                ZeroPointAFile,
  parameter hyq_pkg::rom_t ZeroPointB,
  parameter                ZeroPointBFile,
  parameter hyq_pkg::rom_t MultiplierA,
  parameter                MultiplierAFile,
  parameter hyq_pkg::rom_t MultiplierB,
  parameter                MultiplierBFile,
  parameter hyq_pkg::rom_t ExponentA,
  parameter                ExponentAFile,
  parameter hyq_pkg::rom_t ExponentB,
  parameter                ExponentBFile,
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats)
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [Lanes*ABits-1:0]    a_data_i,
  input  logic                      a_valid_i,
  output logic                      a_ready_o,
  input  logic [Lanes*BBits-1:0]    b_data_i,
  input  logic                      b_valid_i,
  output logic                      b_ready_o,
  output logic                      en_o,
  output logic [Lanes*TermBits-1:0] term_a_o,
  output logic [Lanes*TermBits-1:0] term_b_o,
  output logic [BeatBits-1:0]       beat_o,       // of the terms
  output logic                      out_valid_o,  // of the requantized codes
  input  logic                      out_ready_i
);

  // Both operands of a beat enter together.
  logic ready, both_valid;
  logic [BeatBits-1:0] beat;  // beat of the operands that come next

  assign both_valid = a_valid_i && b_valid_i;
  assign a_ready_o  = ready && b_valid_i;
  assign b_ready_o  = ready && a_valid_i;

  hyq_stream_pipeline #(.Stages(6)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(both_valid),
    .in_ready_o(ready),
    .en_o,
    .out_valid_o,
    .out_ready_i
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(ready && both_valid), .index_o(beat)
  );

  // Stages 1 and 2 make the terms.
  hyq_aligned_term #(
    .Lanes         (Lanes),
    .Beats         (Beats),
    .InBits        (ABits),
    .InSigned      (ASigned),
    .CentredBits   (CentredABits),
    .TermBits      (TermBits),
    .ZeroPoint     (ZeroPointA),
    .ZeroPointFile (ZeroPointAFile),
    .Multiplier    (MultiplierA),
    .MultiplierFile(MultiplierAFile),
    .Exponent      (ExponentA),
    .ExponentFile  (ExponentAFile)
  ) u_operand_a (
    .clk_i,
    .en_i  (en_o),
    .beat_i(beat),
    .code_i(a_data_i),
    .term_o(term_a_o)
  );

  hyq_aligned_term #(
    .Lanes         (Lanes),
    .Beats         (Beats),
    .InBits        (BBits),
    .InSigned      (BSigned),
    .CentredBits   (CentredBBits),
    .TermBits      (TermBits),
    .ZeroPoint     (ZeroPointB),
    .ZeroPointFile (ZeroPointBFile),
    .Multiplier    (MultiplierB),
    .MultiplierFile(MultiplierBFile),
    .Exponent      (ExponentB),
    .ExponentFile  (ExponentBFile)
  ) u_operand_b (
    .clk_i,
    .en_i  (en_o),
    .beat_i(beat),
    .code_i(b_data_i),
    .term_o(term_b_o)
  );

  // The number of the beat comes with its terms.
  logic [BeatBits-1:0] centred_beat_q;

  always_ff @(posedge clk_i) begin : beats
    if (en_o) begin
      centred_beat_q <= beat;
      beat_o         <= centred_beat_q;
    end
  end

endmodule
