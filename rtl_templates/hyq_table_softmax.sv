// SPDX-License-Identifier: Apache-2.0
// The module is a softmax of every row with a table of exponentials. Every lane has a copy of the
// table.
// Reference: hyq_hls/ops/table_softmax.py, TableSoftmax.
//
// hyq_softmax_rows makes the rest. An exponential takes two stages: the distance from the maximum,
// and its entry.
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

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_table_softmax: InLanes divides Channels, and OutLanes is InLanes");
  end

  if (Exponentials.entries != 2 ** InBits || Exponentials.lanes != 1) begin : gen_bad_exponentials
    $error("hyq_table_softmax: one exponential for every distance from the maximum is wanted");
  end

  logic en;
  logic [InLanes*InBits-1:0] codes;
  logic [InBits-1:0] maximum;
  logic [InLanes*ExponentialBits-1:0] exponentials;

  hyq_softmax_rows #(
    .Channels        (Channels),
    .Lanes           (InLanes),
    .InBits          (InBits),
    .InSigned        (InSigned),
    .OutBits         (OutBits),
    .IsLog2          (IsLog2 != 0),
    .IsRounded       (IsRounded != 0),
    .HasExponents    (1'b0),
    .MantissaBits    (ExponentialBits),
    .ExponentBits    (1),
    .ExponentialBits (ExponentialBits),
    .TotalBits       (TotalBits),
    .CodeDepth       (CodeDepth),
    .ExponentialDepth(ExponentialDepth)
  ) u_rows (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .en_o      (en),
    .code_o    (codes),
    .maximum_o (maximum),
    .mantissa_i(exponentials),
    .exponent_i('0),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
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

endmodule
