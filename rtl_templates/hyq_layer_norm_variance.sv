// The module makes the sum and the scaled variance of every row of a LayerNorm:
//
//   total = sum(x),  variance = Channels * sum(x * x) - total * total + epsilon
//
// The squares take one stage, the row sums take their own, and the variance takes three.
module hyq_layer_norm_variance #(
  parameter int unsigned   Channels,
  parameter int unsigned   Lanes,
  parameter int unsigned   ValueBits,     // two's complement, as the sums
  parameter int unsigned   TotalBits,
  parameter int unsigned   SquaresBits,
  parameter int unsigned   VarianceBits,  // unsigned
  parameter hyq_pkg::rom_t Epsilon,
  parameter                EpsilonFile
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [Lanes*ValueBits-1:0] in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [TotalBits-1:0]       total_o,
  output logic [VarianceBits-1:0]    variance_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Beats = Channels / Lanes;
  localparam int unsigned SquareBits = 2 * ValueBits;
  // The parts of the variance need no more bits than the variance itself.
  localparam int unsigned SumBits = hyq_pkg::min(SquaresBits, VarianceBits);
  localparam int unsigned TermBits = hyq_pkg::min(SquareBits, SumBits);

  // Squares.
  logic [Lanes*ValueBits-1:0] values_q;
  logic [Lanes*TermBits-1:0] squares_q;
  logic en, values_valid, values_ready;

  assign in_ready_o = en;

  hyq_stream_pipeline #(.Stages(1)) u_squares_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .en_o       (en),
    .out_valid_o(values_valid),
    .out_ready_i(values_ready)
  );

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [ValueBits-1:0] value;
    assign value = in_data_i[l*ValueBits+:ValueBits];

    always_ff @(posedge clk_i) begin : square
      if (en) begin
        values_q[l*ValueBits+:ValueBits] <= value;
        squares_q[l*TermBits+:TermBits]  <= TermBits'(SquareBits'(value) * SquareBits'(value));
      end
    end
  end

  // Both sums go in step: each takes its beat or its result when the other does.
  logic [TotalBits-1:0] total;
  logic [SumBits-1:0] squares;
  logic total_ready, squares_ready, total_valid, squares_valid, sums_ready;

  assign values_ready = total_ready && squares_ready;

  hyq_row_sum #(
    .Lanes   (Lanes),
    .TermBits(ValueBits),
    .SumBits (TotalBits),
    .Beats   (Beats)
  ) u_total (
    .clk_i,
    .rst_ni,
    .in_data_i  (values_q),
    .in_valid_i (values_valid && squares_ready),
    .in_ready_o (total_ready),
    .out_data_o (total),
    .out_valid_o(total_valid),
    .out_ready_i(sums_ready && squares_valid)
  );

  hyq_row_sum #(
    .Lanes   (Lanes),
    .TermBits(TermBits),
    .SumBits (SumBits),
    .Beats   (Beats)
  ) u_squares (
    .clk_i,
    .rst_ni,
    .in_data_i  (squares_q),
    .in_valid_i (values_valid && total_ready),
    .in_ready_o (squares_ready),
    .out_data_o (squares),
    .out_valid_o(squares_valid),
    .out_ready_i(sums_ready && total_valid)
  );

  // The variance takes two stages for its products and one for their difference.
  logic [VarianceBits-1:0] scaled_squares, scaled_q1, scaled_q2, square_of_total, variance_q;
  logic [TotalBits-1:0] total_q1, total_q2, total_q3;
  logic [Epsilon.bits-1:0] epsilon;

  hyq_stream_pipeline #(.Stages(3)) u_variance_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(total_valid && squares_valid),
    .en_o      (sums_ready),
    .out_valid_o,
    .out_ready_i
  );

  hyq_constant_product #(
    .Bits       (SumBits),
    .Factor     (Channels),
    .ProductBits(VarianceBits)
  ) u_scale (
    .value_i  (squares),
    .product_o(scaled_squares)
  );

  hyq_wide_product #(
    .ABits      (TotalBits),
    .BBits      (TotalBits),
    .ProductBits(VarianceBits)
  ) u_square_of_total (
    .clk_i,
    .en_i     (sums_ready),
    .a_i      (total),
    .b_i      (total),
    .product_o(square_of_total)
  );

  hyq_rom #(
    .Width(Epsilon.bits),
    .Depth(1),
    .File (EpsilonFile)
  ) u_epsilon (
    .clk_i,
    .en_i  (sums_ready),
    .addr_i(1'b0),
    .data_o(epsilon)
  );

  always_ff @(posedge clk_i) begin : variance
    if (sums_ready) begin
      total_q1   <= total;
      total_q2   <= total_q1;
      total_q3   <= total_q2;
      scaled_q1  <= scaled_squares;
      scaled_q2  <= scaled_q1;
      variance_q <= scaled_q2 - square_of_total + VarianceBits'(epsilon);
    end
  end

  assign total_o    = total_q3;
  assign variance_o = variance_q;

endmodule
