// Requantization of accumulators by one constant factor, Factor / 2**Shift, whose product is shifts
// and adds (hyq_constant_product); otherwise hyq_requantize, with the same four stages.
// Reference: hyq_hls/graph/requantize.py, Requantize.
module requant_constant #(
  parameter int unsigned InLanes,
  parameter int unsigned InBits,   // two's complement
  parameter int unsigned OutBits,  // unsigned codes
  parameter int unsigned Factor,
  parameter int unsigned FactorBits,
  parameter int unsigned Shift,    // at least 1
  parameter int unsigned OutZero   // zero point of the output
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
  localparam int unsigned ProductBits = InBits + FactorBits;
  localparam int unsigned ZeroPointBits = OutBits + 1;

  // Control: a rigid pipeline.
  logic en;
  logic [Stages-1:0] valid_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:0], in_valid_i};
    end
  end

  // Datapath.
  logic [InLanes*InBits-1:0] acc_q;
  logic [InLanes*ProductBits-1:0] products;

  always_ff @(posedge clk_i) begin : accumulators
    if (en) acc_q <= in_data_i;
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    hyq_constant_product #(
      .Bits       (InBits),
      .Factor     (Factor),
      .ProductBits(ProductBits)
    ) u_product (
      .value_i  (acc_q[l*InBits+:InBits]),
      .product_o(products[l*ProductBits+:ProductBits])
    );
  end

  localparam hyq_pkg::requantize_t Requantize = '{
    entries: 1,
    lanes: 1,
    left: 0,
    base: Shift,
    shift_bits: 0,
    multiplier_bits: 0,
    zero_point_bits: ZeroPointBits
  };

  hyq_requantize_lanes #(
    .Lanes          (InLanes),
    .AccumulatorBits(ProductBits),
    .OutBits        (OutBits),
    .OutSigned      (1'b0),
    .Requantize     (Requantize)
  ) u_requantize_lanes (
    .clk_i,
    .en_i   (en),
    .acc_i  (products),
    .entry_i(ZeroPointBits'(OutZero)),
    .code_o (out_data_o)
  );

endmodule
