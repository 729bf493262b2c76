// SPDX-License-Identifier: Apache-2.0
// The module subtracts the zero points of channels from their codes. Its one stage registers the
// codes while the zero points are read. CentredBits hold every difference.
module hyq_centre_lanes #(
  parameter int unsigned   Lanes,
  parameter int unsigned   Beats,      // beats of a position
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   CentredBits,
  parameter hyq_pkg::rom_t ZeroPoint,  // with Lanes lanes, or with one that serves all
  parameter                ZeroPointFile,
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats)
) (
  input  logic                         clk_i,
  input  logic                         en_i,
  input  logic [BeatBits-1:0]          beat_i,    // beat of code_i
  input  logic [Lanes*InBits-1:0]      code_i,
  output logic [Lanes*CentredBits-1:0] centred_o  // in the next cycle, signed
);

  // The type holds each operand; only the difference fits CentredBits.
  localparam int unsigned WideBits = CentredBits + InBits + ZeroPoint.bits;

  logic [Lanes*InBits-1:0] code_q;
  logic [ZeroPoint.lanes*ZeroPoint.bits-1:0] zero_points;

  always_ff @(posedge clk_i) begin : codes
    if (en_i) code_q <= code_i;
  end

  hyq_channel_rom #(
    .Rom  (ZeroPoint),
    .Beats(Beats),
    .File (ZeroPointFile)
  ) u_zero_point_rom (
    .clk_i,
    .en_i,
    .beat_i,
    .data_o(zero_points)
  );

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    localparam int unsigned First = (ZeroPoint.lanes == 1 ? 0 : l) * ZeroPoint.bits;
    logic signed [InBits:0] code;
    logic signed [ZeroPoint.bits-1:0] zero_point;
    logic signed [CentredBits-1:0] centred;

    assign code = {InSigned && code_q[(l+1)*InBits-1], code_q[l*InBits+:InBits]};
    assign zero_point = zero_points[First+:ZeroPoint.bits];
    assign centred = CentredBits'(WideBits'(code) - WideBits'(zero_point));
    assign centred_o[l*CentredBits+:CentredBits] = centred;
  end

endmodule
