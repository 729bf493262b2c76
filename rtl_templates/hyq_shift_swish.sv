// Shift-Swish, x * sigmoid(x), in its arithmetic circuit; the circuit of a table is hyq_table.
// Reference: hyq_hls/ops/shift_swish.py, ShiftSwish.
//
// Precision + 10 stages: centre the codes, the sigmoid (Precision + 5), the product, and three of
// hyq_requantize_lanes.
module hyq_shift_swish #(
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // of the output too
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int          CodeZero,  // zero point of the input
  parameter int unsigned Fraction,
  parameter int unsigned Precision,
  parameter int unsigned CentredBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned AccumulatorBits,
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

  localparam int unsigned SigmoidStages = Precision + 5;
  localparam int unsigned Stages = SigmoidStages + 5;
  localparam int unsigned ProductBits = CentredBits + Precision + 1;
  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  // Control: a rigid pipeline, and the beat of a position whose products come next.
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
      if (valid_q[SigmoidStages]) begin
        beat_q <= beat_q == BeatBits'(Beats - 1) ? '0 : beat_q + 1'b1;
      end
    end
  end

  // Up to the products.
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic signed [InBits:0] code;
    logic signed [CentredBits-1:0] x_q[SigmoidStages+1];  // x waits for its sigmoid
    logic [Precision:0] sigmoid;

    assign code = {InSigned && in_data_i[l*InBits+InBits-1], in_data_i[l*InBits+:InBits]};

    hyq_shift_sigmoid #(
      .CentredBits (CentredBits),
      .Fraction    (Fraction),
      .Precision   (Precision),
      .ExponentBits(ExponentBits)
    ) u_sigmoid (
      .clk_i,
      .en_i     (en),
      .x_i      (x_q[0]),
      .sigmoid_o(sigmoid)
    );

    always_ff @(posedge clk_i) begin
      if (en) begin
        x_q[0] <= CentredBits'(int'(code) - CodeZero);
        for (int unsigned k = 0; k < SigmoidStages; k++) x_q[k+1] <= x_q[k];
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= AccumulatorBits'(
            ProductBits'(x_q[SigmoidStages]) * $signed(ProductBits'(sigmoid)));
      end
    end
  end

  // Requantization.
  logic [RequantizeLanes*EntryBits-1:0] entries;

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
    .acc_i  (acc_q),
    .entry_i(entries),
    .code_o (out_data_o)
  );

endmodule
