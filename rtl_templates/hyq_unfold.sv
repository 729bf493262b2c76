// SPDX-License-Identifier: Apache-2.0
// Unfold turns a map into tokens. A whole frame is stored, then read by pixel of a patch: the first
// pixel of all patches, then the second, and so on.
// Reference: hyq_hls/ops/unfold.py, Unfold.
module hyq_unfold #(
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

  hyq_reorder_buffer #(
    .Width(InLanes * InBits),
    .Words(Height * Width * Beats),
    // The indices are pixel of a patch, patch, beat.
    .Size4  (PatchHeight),
    .Size3  (PatchWidth),
    .Size2  (Height / PatchHeight),
    .Size1  (Width / PatchWidth),
    .Size0  (Beats),
    .Stride4(Width * Beats),
    .Stride3(Beats),
    .Stride2(PatchHeight * Width * Beats),
    .Stride1(PatchWidth * Beats),
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
