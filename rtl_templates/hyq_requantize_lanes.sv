// SPDX-License-Identifier: Apache-2.0
// The module requantizes `Lanes` accumulators to codes every cycle, in three stages under one
// enable. Reference: hyq_hls/graph/requantize.py, Requantize. Its normal form is RequantizeRom of
// hyq_hls/stream/arguments.py.
//
//   y    = (((acc * multiplier) <<< Left) >>> (Base - 1)) >>> delta
//   code = saturate(((y + 1) >>> 1) + zero_point)
//
// Stage 1 multiplies and shifts by constants, stage 2 shifts by delta and rounds, stage 3 adds the
// zero point and saturates. An entry is, from its lowest bit: zero point (signed), delta,
// multiplier; `entry_i` belongs to the accumulators of the same cycle.
module hyq_requantize_lanes #(
  parameter int unsigned Lanes,
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  // One entry never changes. Its lanes are Lanes, or 1 where one entry serves all. base is at least
  // 1. shift_bits are those of delta, and 0 where there is no delta; multiplier_bits likewise.
  parameter hyq_pkg::requantize_t Requantize,
  localparam int unsigned EntryBits =
      Requantize.zero_point_bits + Requantize.shift_bits + Requantize.multiplier_bits
) (
  input  logic                             clk_i,
  input  logic                             en_i,
  input  logic [Lanes*AccumulatorBits-1:0] acc_i,
  input  logic [Requantize.lanes*EntryBits-1:0] entry_i,
  output logic [Lanes*OutBits-1:0]         code_o
);

  if (Requantize.base < 1 || (Requantize.lanes != 1 && Requantize.lanes != Lanes))
  begin : gen_bad_entries
    $error("hyq_requantize_lanes: base is at least 1, and lanes are 1 or Lanes");
  end

  localparam int unsigned MultiplierBits = Requantize.multiplier_bits;
  localparam int unsigned ShiftBits = Requantize.shift_bits;
  localparam int unsigned ZeroPointBits = Requantize.zero_point_bits;
  localparam int unsigned ProductBits = AccumulatorBits + MultiplierBits;
  localparam int unsigned ShiftedBits = ProductBits + Requantize.left;
  localparam int unsigned Drop = Requantize.base - 1;
  localparam int unsigned ScaledBits = ShiftedBits > Drop + 1 ? ShiftedBits - Drop : 2;
  // No sum of a rounded value and a zero point overflows, and a code is always a part of it.
  localparam int unsigned TermBits = hyq_pkg::max(ScaledBits, ZeroPointBits);
  localparam int unsigned SumBits = hyq_pkg::max(TermBits, OutBits) + 1;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    localparam int unsigned First = (Requantize.lanes == 1 ? 0 : l) * EntryBits;

    // Stage 1 scales.
    logic signed [AccumulatorBits-1:0] acc;
    logic signed [ProductBits-1:0] product;
    logic signed [ScaledBits-1:0] scaled_q;

    assign acc = acc_i[l*AccumulatorBits+:AccumulatorBits];

    if (MultiplierBits > 0) begin : gen_multiplier
      logic signed [MultiplierBits:0] multiplier;
      assign multiplier = {1'b0, entry_i[First+ZeroPointBits+ShiftBits+:MultiplierBits]};
      assign product = ProductBits'(acc) * ProductBits'(multiplier);
    end else begin : gen_power_of_two
      assign product = acc;
    end

    always_ff @(posedge clk_i) begin
      if (en_i) scaled_q <= ScaledBits'((ShiftedBits'(product) <<< Requantize.left) >>> Drop);
    end

    // Stage 2 shifts and rounds half up.
    logic signed [ScaledBits-1:0] y;
    logic signed [ScaledBits-1:0] rounded_q;

    if (ShiftBits > 0) begin : gen_shift
      logic [ShiftBits-1:0] delta_q;
      always_ff @(posedge clk_i) begin
        if (en_i) delta_q <= entry_i[First+ZeroPointBits+:ShiftBits];
      end
      assign y = scaled_q >>> delta_q;
    end else begin : gen_no_shift
      assign y = scaled_q;
    end

    always_ff @(posedge clk_i) begin
      if (en_i) rounded_q <= {y[ScaledBits-1], y[ScaledBits-1:1]} + ScaledBits'(y[0]);
    end

    // Stage 3 adds the zero point and saturates.
    logic signed [ZeroPointBits-1:0] zero_point;
    logic signed [SumBits-1:0] sum;
    logic sign, fits;
    logic [OutBits-1:0] limit, code_q;

    if (Requantize.entries > 1) begin : gen_zero_points
      logic signed [ZeroPointBits-1:0] zero_point_q1, zero_point_q2;
      always_ff @(posedge clk_i) begin
        if (en_i) begin
          zero_point_q1 <= entry_i[First+:ZeroPointBits];
          zero_point_q2 <= zero_point_q1;
        end
      end
      assign zero_point = zero_point_q2;
    end else begin : gen_zero_point
      assign zero_point = entry_i[First+:ZeroPointBits];
    end

    assign sum = SumBits'(rounded_q) + SumBits'(zero_point);
    assign sign = sum[SumBits-1];
    if (OutSigned) begin : gen_signed
      assign fits = &sum[SumBits-1:OutBits-1] || !(|sum[SumBits-1:OutBits-1]);
      assign limit = {sign, {(OutBits - 1) {!sign}}};
    end else begin : gen_unsigned
      assign fits = !(|sum[SumBits-1:OutBits]);
      assign limit = {OutBits{!sign}};
    end

    always_ff @(posedge clk_i) begin
      if (en_i) code_q <= fits ? sum[OutBits-1:0] : limit;
    end
    assign code_o[l*OutBits+:OutBits] = code_q;
  end

endmodule
