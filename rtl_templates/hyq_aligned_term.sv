// SPDX-License-Identifier: Apache-2.0
// The module makes one operand of hyq_aligned_terms: (code - zero point) times its factor. It has two stages
// under one enable.
//
// If Multiplier.bits is 1, the factor is a power of two and its exponent is given. Else it is a
// multiplier.
module hyq_aligned_term #(
  parameter int unsigned   Lanes,
  parameter int unsigned   Beats,       // beats of a position
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   CentredBits,
  parameter int unsigned   TermBits,    // holds the product
  parameter hyq_pkg::rom_t ZeroPoint,
  parameter                ZeroPointFile,
  parameter hyq_pkg::rom_t Multiplier,  // of one bit where the factors are powers of two
  parameter                MultiplierFile,
  parameter hyq_pkg::rom_t Exponent,
  parameter                ExponentFile,
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats)
) (
  input  logic                      clk_i,
  input  logic                      en_i,
  input  logic [BeatBits-1:0]       beat_i,
  input  logic [Lanes*InBits-1:0]   code_i,
  output logic [Lanes*TermBits-1:0] term_o
);

  logic [Lanes*CentredBits-1:0] centred;
  logic [Lanes*TermBits-1:0] term_d, term_q;

  hyq_centre_lanes #(
    .Lanes        (Lanes),
    .Beats        (Beats),
    .InBits       (InBits),
    .InSigned     (InSigned),
    .CentredBits  (CentredBits),
    .ZeroPoint    (ZeroPoint),
    .ZeroPointFile(ZeroPointFile)
  ) u_centre_lanes (
    .clk_i,
    .en_i,
    .beat_i,
    .code_i,
    .centred_o(centred)
  );

  if (Multiplier.bits > 1) begin : gen_multiplier
    localparam int unsigned ProductBits = CentredBits + Multiplier.bits;
    logic [Multiplier.lanes*Multiplier.bits-1:0] multipliers;

    hyq_channel_rom #(
      .Rom  (Multiplier),
      .Beats(Beats),
      .File (MultiplierFile)
    ) u_multiplier_rom (
      .clk_i,
      .en_i,
      .beat_i,
      .data_o(multipliers)
    );

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      localparam int unsigned MultiplierLane = Multiplier.lanes == 1 ? 0 : l;
      logic signed [CentredBits-1:0] x;
      logic signed [Multiplier.bits:0] multiplier;
      assign x = centred[l*CentredBits+:CentredBits];
      assign multiplier = {1'b0, multipliers[MultiplierLane*Multiplier.bits+:Multiplier.bits]};
      assign term_d[l*TermBits+:TermBits] =
          TermBits'(ProductBits'(x) * ProductBits'(multiplier));
    end
  end else begin : gen_power_of_two
    logic [Exponent.lanes*Exponent.bits-1:0] exponents;

    hyq_channel_rom #(
      .Rom  (Exponent),
      .Beats(Beats),
      .File (ExponentFile)
    ) u_exponent_rom (
      .clk_i,
      .en_i,
      .beat_i,
      .data_o(exponents)
    );

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      localparam int unsigned ExponentLane = Exponent.lanes == 1 ? 0 : l;
      logic signed [CentredBits-1:0] x;
      assign x = centred[l*CentredBits+:CentredBits];
      assign term_d[l*TermBits+:TermBits] =
          TermBits'(x) <<< exponents[ExponentLane*Exponent.bits+:Exponent.bits];
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i) term_q <= term_d;
  end

  assign term_o = term_q;

endmodule
