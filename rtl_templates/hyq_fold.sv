// SPDX-License-Identifier: Apache-2.0
// Fold turns tokens into a map. A whole frame is stored, then read row by row. Reference:
// hyq_hls/ops/fold.py, Fold.
module hyq_fold #(
  parameter int unsigned Height,       // height of the map, in pixels
  parameter int unsigned Width,
  parameter int unsigned Channels,
  parameter int unsigned PatchHeight,  // divides Height
  parameter int unsigned PatchWidth,   // divides Width
  parameter int unsigned InLanes,      // lanes of the output too
  parameter int unsigned InBits
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [InLanes*InBits-1:0] in_data_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  output logic [InLanes*InBits-1:0] out_data_o,
  output logic                      out_valid_o,
  input  logic                      out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned Rows = Height / PatchHeight;    // rows of patches
  localparam int unsigned Columns = Width / PatchWidth;
  localparam int unsigned PixelWords = Rows * Columns * Beats;  // words of one pixel of all patches

  hyq_reorder_buffer #(
    .Width(InLanes * InBits),
    .Words(Height * Width * Beats),
    // The indices are row of patches, row of a patch, column of patches, column of a patch, beat.
    .Size4  (Rows),
    .Size3  (PatchHeight),
    .Size2  (Columns),
    .Size1  (PatchWidth),
    .Size0  (Beats),
    .Stride4(Columns * Beats),
    .Stride3(PatchWidth * PixelWords),
    .Stride2(Beats),
    .Stride1(PixelWords),
    .Stride0(1)
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
