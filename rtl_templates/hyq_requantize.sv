// Requantization of a stream on its own. Reference: hyq_hls/ops/requantize.py, RequantizeTensor.
//
// Four stages: register and centre the codes, then the three of hyq_requantize_lanes.
module hyq_requantize #(
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // of the output too
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
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

  localparam int unsigned Stages = 4;
  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  // Control: a rigid pipeline, and the beat of a position that comes next.
  logic en;
  logic [Stages-1:0] valid_q;
  logic [BeatBits-1:0] beat_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
      beat_q  <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:0], in_valid_i};
      if (in_valid_i) beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
    end
  end

  // Datapath.
  logic [InLanes*AccumulatorBits-1:0] centred;
  logic [RequantizeLanes*EntryBits-1:0] entries;

  hyq_centre_lanes #(
    .Lanes           (InLanes),
    .Beats           (Beats),
    .InBits          (InBits),
    .InSigned        (InSigned),
    .CentredBits     (AccumulatorBits),
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

  hyq_channel_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Words(RequantizeEntries / RequantizeLanes),
    .Beats(Beats),
    .File (RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(beat_q),
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
    .acc_i  (centred),
    .entry_i(entries),
    .code_o (out_data_o)
  );

endmodule
