// SPDX-License-Identifier: Apache-2.0
// The module exchanges rows and columns of every matrix, one code per cycle. Reference:
// hyq_hls/ops/transpose.py, Transpose.
//
// A matrix leaves while the next one is stored.
module hyq_transpose #(
  parameter int unsigned Rows,     // rows of a matrix of the input
  parameter int unsigned Columns,
  parameter int unsigned InBits
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic [InBits-1:0] in_data_i,
  input  logic              in_valid_i,
  output logic              in_ready_o,
  output logic [InBits-1:0] out_data_o,
  output logic              out_valid_o,
  input  logic              out_ready_i
);

  hyq_reorder_buffer #(
    .Width  (InBits),
    .Words  (Rows * Columns),
    .Size4  (1),
    .Size3  (1),
    .Size2  (1),
    .Size1  (Columns),
    .Size0  (Rows),
    .Stride4(0),
    .Stride3(0),
    .Stride2(0),
    .Stride1(1),
    .Stride0(Columns)
  ) u_buffer (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
