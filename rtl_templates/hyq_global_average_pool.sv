// Sum over all positions of a map, requantized.
// Reference: hyq_hls/ops/global_average_pool.py, GlobalAveragePool.
//
// A memory holds the sums of a position's beats; every cycle reads a word, adds and writes it back.
// The sums of the last position go straight on, so a map takes Words * Beats cycles. Five stages:
// centre the codes and read, add, three of hyq_requantize_lanes.
module hyq_global_average_pool #(
  parameter int unsigned Words,     // positions of the map
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // of the output too
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int unsigned CentredBits,
  parameter int unsigned AccumulatorBits,
  parameter              ZeroPointFile,
  parameter int unsigned ZeroPointBits,
  parameter int unsigned ZeroPointEntries,
  parameter int unsigned ZeroPointLanes,
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
  input  logic [InLanes*InBits-1:0]  in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Stages = 5;
  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned PositionBits = Words > 1 ? $clog2(Words) : 1;
  localparam int unsigned SumsBits = InLanes * AccumulatorBits;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  // Control: beat and position that come next; only the last position is valid past the sums.
  logic en, last_beat, last_position;
  logic [Stages-1:0] valid_q;
  logic [BeatBits-1:0] beat_q;
  logic [PositionBits-1:0] position_q;
  logic [BeatBits-1:0] centred_beat_q;  // of the codes in stage 1
  logic centred_first_q, centred_last_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];
  assign last_beat = beat_q == BeatBits'(Beats - 1);
  assign last_position = position_q == PositionBits'(Words - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q    <= '0;
      beat_q     <= '0;
      position_q <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:1], valid_q[0] && centred_last_q, in_valid_i};
      if (in_valid_i) begin
        beat_q <= last_beat ? '0 : beat_q + 1'b1;
        if (last_beat) position_q <= last_position ? '0 : position_q + 1'b1;
      end
    end
  end

  // Stage 1: codes minus zero points, and the sums so far.
  logic [InLanes*CentredBits-1:0] centred;
  logic [SumsBits-1:0] previous, sums_d, sums_q;

  always_ff @(posedge clk_i) begin : stage_1
    if (en) begin
      centred_beat_q  <= beat_q;
      centred_first_q <= position_q == '0;
      centred_last_q  <= last_position;
    end
  end

  hyq_centre_lanes #(
    .Lanes           (InLanes),
    .Beats           (Beats),
    .InBits          (InBits),
    .InSigned        (InSigned),
    .CentredBits     (CentredBits),
    .ZeroPointFile   (ZeroPointFile),
    .ZeroPointBits   (ZeroPointBits),
    .ZeroPointEntries(ZeroPointEntries),
    .ZeroPointLanes  (ZeroPointLanes)
  ) u_centre_lanes (
    .clk_i,
    .en_i     (en),
    .beat_i   (beat_q),
    .code_i   (in_data_i),
    .centred_o(centred)
  );

  if (Beats == 1) begin : gen_register
    assign previous = sums_q;
  end else begin : gen_memory
    // The word that is read was written at least one cycle ago: its beat came Beats beats before.
    hyq_ram #(
      .Width(SumsBits),
      .Depth(Beats)
    ) u_sums (
      .clk_i,
      .write_i        (en && valid_q[0]),
      .write_address_i(centred_beat_q),
      .write_data_i   (sums_d),
      .read_i         (en),
      .read_address_i (beat_q),
      .read_data_o    (previous)
    );
  end

  // Stage 2: add; the first position starts from zero.
  logic [RequantizeLanes*EntryBits-1:0] entries;

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic signed [CentredBits-1:0] x;
    logic signed [AccumulatorBits-1:0] sum;

    assign x = centred[l*CentredBits+:CentredBits];
    assign sum = centred_first_q ? '0 : previous[l*AccumulatorBits+:AccumulatorBits];
    assign sums_d[l*AccumulatorBits+:AccumulatorBits] = sum + AccumulatorBits'(x);
  end

  always_ff @(posedge clk_i) begin : stage_2
    if (en && valid_q[0]) sums_q <= sums_d;
  end

  hyq_channel_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Words(RequantizeEntries / RequantizeLanes),
    .Beats(Beats),
    .File (RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(centred_beat_q),
    .data_o(entries)
  );

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
    .acc_i  (sums_q),
    .entry_i(entries),
    .code_o (out_data_o)
  );

endmodule
