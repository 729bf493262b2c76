// Two streams requantized to common codes and joined: at every position the channels of `a`, then
// those of `b`. Reference: hyq_hls/ops/concat.py, Concat.
//
// Each stream has its own hyq_requantize, of four stages; the output takes turns. While one stream
// waits for its turn, its pipeline fills, so that no cycle is lost.
module hyq_concat #(
  parameter int unsigned ChannelsA,
  parameter int unsigned ChannelsB,
  parameter int unsigned InLanes,   // of both inputs and of the output; divides the channels
  parameter int unsigned ABits,
  parameter bit          ASigned,
  parameter int unsigned BBits,
  parameter bit          BSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int unsigned AccumulatorBits,
  parameter              ZeroPointAFile,
  parameter int unsigned ZeroPointABits,
  parameter int unsigned ZeroPointAEntries,
  parameter int unsigned ZeroPointALanes,
  parameter              RequantizeAFile,
  parameter int unsigned RequantizeAEntries,
  parameter int unsigned RequantizeALanes,
  parameter int unsigned RequantizeALeft,
  parameter int unsigned RequantizeABase,
  parameter int unsigned RequantizeAShiftBits,
  parameter int unsigned RequantizeAMultiplierBits,
  parameter int unsigned RequantizeAZeroPointBits,
  parameter              ZeroPointBFile,
  parameter int unsigned ZeroPointBBits,
  parameter int unsigned ZeroPointBEntries,
  parameter int unsigned ZeroPointBLanes,
  parameter              RequantizeBFile,
  parameter int unsigned RequantizeBEntries,
  parameter int unsigned RequantizeBLanes,
  parameter int unsigned RequantizeBLeft,
  parameter int unsigned RequantizeBBase,
  parameter int unsigned RequantizeBShiftBits,
  parameter int unsigned RequantizeBMultiplierBits,
  parameter int unsigned RequantizeBZeroPointBits
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

  localparam int unsigned BeatsA = ChannelsA / InLanes;
  localparam int unsigned Beats = BeatsA + ChannelsB / InLanes;
  localparam int unsigned BeatBits = $clog2(Beats);

  logic [BeatBits-1:0] beat_q;
  logic turn_of_b;
  logic [InLanes*OutBits-1:0] code_a, code_b;
  logic valid_a, valid_b;

  assign turn_of_b = beat_q >= BeatBits'(BeatsA);
  assign out_data_o = turn_of_b ? code_b : code_a;
  assign out_valid_o = turn_of_b ? valid_b : valid_a;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      beat_q <= '0;
    end else if (out_valid_o && out_ready_i) begin
      beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
    end
  end

  hyq_requantize #(
    .Channels                (ChannelsA),
    .InLanes                 (InLanes),
    .InBits                  (ABits),
    .InSigned                (ASigned),
    .OutBits                 (OutBits),
    .OutSigned               (OutSigned),
    .AccumulatorBits         (AccumulatorBits),
    .ZeroPointFile           (ZeroPointAFile),
    .ZeroPointBits           (ZeroPointABits),
    .ZeroPointEntries        (ZeroPointAEntries),
    .ZeroPointLanes          (ZeroPointALanes),
    .RequantizeFile          (RequantizeAFile),
    .RequantizeEntries       (RequantizeAEntries),
    .RequantizeLanes         (RequantizeALanes),
    .RequantizeLeft          (RequantizeALeft),
    .RequantizeBase          (RequantizeABase),
    .RequantizeShiftBits     (RequantizeAShiftBits),
    .RequantizeMultiplierBits(RequantizeAMultiplierBits),
    .RequantizeZeroPointBits (RequantizeAZeroPointBits)
  ) u_requantize_a (
    .clk_i,
    .rst_ni,
    .in_data_i  (a_data_i),
    .in_valid_i (a_valid_i),
    .in_ready_o (a_ready_o),
    .out_data_o (code_a),
    .out_valid_o(valid_a),
    .out_ready_i(out_ready_i && !turn_of_b)
  );

  hyq_requantize #(
    .Channels                (ChannelsB),
    .InLanes                 (InLanes),
    .InBits                  (BBits),
    .InSigned                (BSigned),
    .OutBits                 (OutBits),
    .OutSigned               (OutSigned),
    .AccumulatorBits         (AccumulatorBits),
    .ZeroPointFile           (ZeroPointBFile),
    .ZeroPointBits           (ZeroPointBBits),
    .ZeroPointEntries        (ZeroPointBEntries),
    .ZeroPointLanes          (ZeroPointBLanes),
    .RequantizeFile          (RequantizeBFile),
    .RequantizeEntries       (RequantizeBEntries),
    .RequantizeLanes         (RequantizeBLanes),
    .RequantizeLeft          (RequantizeBLeft),
    .RequantizeBase          (RequantizeBBase),
    .RequantizeShiftBits     (RequantizeBShiftBits),
    .RequantizeMultiplierBits(RequantizeBMultiplierBits),
    .RequantizeZeroPointBits (RequantizeBZeroPointBits)
  ) u_requantize_b (
    .clk_i,
    .rst_ni,
    .in_data_i  (b_data_i),
    .in_valid_i (b_valid_i),
    .in_ready_o (b_ready_o),
    .out_data_o (code_b),
    .out_valid_o(valid_b),
    .out_ready_i(out_ready_i && turn_of_b)
  );

endmodule
