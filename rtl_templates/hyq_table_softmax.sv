// The module is a softmax of every row with a table of exponentials. Every lane has a copy of the
// table.
// Reference: hyq_hls/ops/table_softmax.py, TableSoftmax.
//
// As in hyq_linear_softmax, three parts work on three rows, each one beat per cycle, and row
// buffers between them hold the beats until the result of their row is there.
module hyq_table_softmax #(
  parameter int unsigned   Channels,          // codes of a row
  parameter int unsigned   InLanes,
  parameter int unsigned   OutLanes,          // equal to InLanes
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter int unsigned   IsLog2,            // else the output is uniform
  parameter int unsigned   IsRounded,         // log2 of total / e rounded to an integer
  parameter int unsigned   ExponentialBits,
  parameter int unsigned   TotalBits,
  parameter hyq_pkg::rom_t Exponentials,
  parameter                ExponentialsFile,  // by distance from the row's maximum
  parameter int unsigned   CodeDepth,         // beats in the row buffer of the codes
  parameter int unsigned   ExponentialDepth   // beats in that of the exponentials
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic [InLanes*InBits-1:0]   in_data_i,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  output logic [OutLanes*OutBits-1:0] out_data_o,
  output logic                        out_valid_o,
  input  logic                        out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_table_softmax: InLanes divides Channels, and OutLanes is InLanes");
  end

  if (Exponentials.entries != 2 ** InBits || Exponentials.lanes != 1) begin : gen_bad_exponentials
    $error("hyq_table_softmax: one exponential for every distance from the maximum is wanted");
  end

  // The codes wait for the largest code of their row.
  logic [InLanes*InBits-1:0] codes;
  logic [InBits-1:0] maximum;
  logic codes_valid, codes_ready, en;

  hyq_softmax_codes #(
    .Lanes (InLanes),
    .Bits  (InBits),
    .Signed(InSigned),
    .Beats (Beats),
    .Depth (CodeDepth)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .code_o     (codes),
    .maximum_o  (maximum),
    .out_valid_o(codes_valid),
    .out_ready_i(codes_ready)
  );

  // Exponentials take two stages: the distance from the maximum, and its entry.
  logic [InLanes*ExponentialBits-1:0] exponentials;
  logic exponentials_valid, exponentials_ready;

  hyq_stream_pipeline #(.Stages(2)) u_exponential_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (codes_valid),
    .in_ready_o (codes_ready),
    .en_o       (en),
    .out_valid_o(exponentials_valid),
    .out_ready_i(exponentials_ready)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_exponential
    logic [InBits-1:0] distance_q;

    always_ff @(posedge clk_i) begin : distance
      if (en) distance_q <= maximum - codes[l*InBits+:InBits];
    end

    hyq_rom #(
      .Width(ExponentialBits),
      .Depth(Exponentials.entries),
      .File (ExponentialsFile)
    ) u_exponentials_rom (
      .clk_i,
      .en_i  (en),
      .addr_i(distance_q),
      .data_o(exponentials[l*ExponentialBits+:ExponentialBits])
    );
  end

  // The exponentials give their sum and the probabilities.
  hyq_softmax_probabilities #(
    .Lanes          (InLanes),
    .Beats          (Beats),
    .Depth          (ExponentialDepth),
    .HasExponents   (1'b0),
    .MantissaBits   (ExponentialBits),
    .ExponentBits   (1),
    .ExponentialBits(ExponentialBits),
    .TotalBits      (TotalBits),
    .OutBits        (OutBits),
    .IsLog2         (IsLog2 != 0),
    .IsRounded      (IsRounded != 0)
  ) u_probabilities (
    .clk_i,
    .rst_ni,
    .mantissa_i(exponentials),
    .exponent_i('0),
    .in_valid_i(exponentials_valid),
    .in_ready_o(exponentials_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
