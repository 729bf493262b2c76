// Sum of two streams on a common scale, requantized. Reference: hyq_hls/ops/add.py, Add.
//
// Six stages: two of hyq_add_operand, the sum, three of hyq_requantize_lanes.
module hyq_add #(
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // of both inputs and of the output
  parameter int unsigned ABits,
  parameter bit          ASigned,
  parameter int unsigned BBits,
  parameter bit          BSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int unsigned CentredABits,
  parameter int unsigned CentredBBits,
  parameter int unsigned AccumulatorBits,
  parameter              ZeroPointAFile,
  parameter int unsigned ZeroPointABits,
  parameter int unsigned ZeroPointAEntries,
  parameter int unsigned ZeroPointALanes,
  parameter              ZeroPointBFile,
  parameter int unsigned ZeroPointBBits,
  parameter int unsigned ZeroPointBEntries,
  parameter int unsigned ZeroPointBLanes,
  parameter              MultiplierAFile,
  parameter int unsigned MultiplierABits,
  parameter int unsigned MultiplierAEntries,
  parameter int unsigned MultiplierALanes,
  parameter              MultiplierBFile,
  parameter int unsigned MultiplierBBits,
  parameter int unsigned MultiplierBEntries,
  parameter int unsigned MultiplierBLanes,
  parameter              ExponentAFile,
  parameter int unsigned ExponentABits,
  parameter int unsigned ExponentAEntries,
  parameter int unsigned ExponentALanes,
  parameter              ExponentBFile,
  parameter int unsigned ExponentBBits,
  parameter int unsigned ExponentBEntries,
  parameter int unsigned ExponentBLanes,
  parameter              RequantizeFile,
  parameter int unsigned RequantizeEntries,
  parameter int unsigned RequantizeLanes,
  parameter int unsigned RequantizeLeft,
  parameter int unsigned RequantizeBase,
  parameter int unsigned RequantizeShiftBits,
  parameter int unsigned RequantizeMultiplierBits,
  parameter int unsigned RequantizeZeroPointBits
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*ABits-1:0]   a_data_i,
  input  logic                       a_valid_i,
  output logic                       a_ready_o,
  input  logic [InLanes*BBits-1:0]   b_data_i,
  input  logic                       b_valid_i,
  output logic                       b_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Stages = 6;
  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  // Control: both operands of a beat enter together.
  logic en, both_valid;
  logic [Stages-1:0] valid_q;
  logic [BeatBits-1:0] beat_q;  // of the operands that come next

  assign en = !out_valid_o || out_ready_i;
  assign both_valid = a_valid_i && b_valid_i;
  assign a_ready_o = en && b_valid_i;
  assign b_ready_o = en && a_valid_i;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
      beat_q  <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:0], both_valid};
      if (both_valid) beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
    end
  end

  // Stages 1 and 2: the terms.
  logic [InLanes*AccumulatorBits-1:0] term_a, term_b;

  hyq_add_operand #(
    .Lanes            (InLanes),
    .Beats            (Beats),
    .InBits           (ABits),
    .InSigned         (ASigned),
    .CentredBits      (CentredABits),
    .TermBits         (AccumulatorBits),
    .ZeroPointFile    (ZeroPointAFile),
    .ZeroPointBits    (ZeroPointABits),
    .ZeroPointEntries (ZeroPointAEntries),
    .ZeroPointLanes   (ZeroPointALanes),
    .MultiplierFile   (MultiplierAFile),
    .MultiplierBits   (MultiplierABits),
    .MultiplierEntries(MultiplierAEntries),
    .MultiplierLanes  (MultiplierALanes),
    .ExponentFile     (ExponentAFile),
    .ExponentBits     (ExponentABits),
    .ExponentEntries  (ExponentAEntries),
    .ExponentLanes    (ExponentALanes)
  ) u_operand_a (
    .clk_i,
    .en_i  (en),
    .beat_i(beat_q),
    .code_i(a_data_i),
    .term_o(term_a)
  );

  hyq_add_operand #(
    .Lanes            (InLanes),
    .Beats            (Beats),
    .InBits           (BBits),
    .InSigned         (BSigned),
    .CentredBits      (CentredBBits),
    .TermBits         (AccumulatorBits),
    .ZeroPointFile    (ZeroPointBFile),
    .ZeroPointBits    (ZeroPointBBits),
    .ZeroPointEntries (ZeroPointBEntries),
    .ZeroPointLanes   (ZeroPointBLanes),
    .MultiplierFile   (MultiplierBFile),
    .MultiplierBits   (MultiplierBBits),
    .MultiplierEntries(MultiplierBEntries),
    .MultiplierLanes  (MultiplierBLanes),
    .ExponentFile     (ExponentBFile),
    .ExponentBits     (ExponentBBits),
    .ExponentEntries  (ExponentBEntries),
    .ExponentLanes    (ExponentBLanes)
  ) u_operand_b (
    .clk_i,
    .en_i  (en),
    .beat_i(beat_q),
    .code_i(b_data_i),
    .term_o(term_b)
  );

  // Stage 3: the sums, and the entries of their channels.
  logic [BeatBits-1:0] term_beat_q, centred_beat_q;
  logic [InLanes*AccumulatorBits-1:0] acc_q;
  logic [RequantizeLanes*EntryBits-1:0] entries;

  always_ff @(posedge clk_i) begin : sums
    if (en) begin
      centred_beat_q <= beat_q;
      term_beat_q    <= centred_beat_q;
      for (int unsigned l = 0; l < InLanes; l++) begin
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= term_a[l*AccumulatorBits+:AccumulatorBits]
            + term_b[l*AccumulatorBits+:AccumulatorBits];
      end
    end
  end

  hyq_channel_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Words(RequantizeEntries / RequantizeLanes),
    .Beats(Beats),
    .File (RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(term_beat_q),
    .data_o(entries)
  );

  // Stages 4 to 6.
  hyq_requantize_lanes #(
    .Lanes          (InLanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Entries        (RequantizeEntries),
    .EntryLanes     (RequantizeLanes),
    .Left           (RequantizeLeft),
    .Base           (RequantizeBase),
    .ShiftBits      (RequantizeShiftBits),
    .MultiplierBits (RequantizeMultiplierBits),
    .ZeroPointBits  (RequantizeZeroPointBits)
  ) u_requantize_lanes (
    .clk_i,
    .en_i   (en),
    .acc_i  (acc_q),
    .entry_i(entries),
    .code_o (out_data_o)
  );

endmodule
