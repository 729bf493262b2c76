// SPDX-License-Identifier: Apache-2.0
// The module surrounds a map with its border and emits the beats of the windows that slide over it.
// hyq_sliding_window explains their order, and hyq_padding the border.
module hyq_padded_windows #(
  parameter int unsigned   Height,   // height of the input map
  parameter int unsigned   Width,
  parameter int unsigned   Channels,
  parameter int unsigned   KernelHeight,
  parameter int unsigned   KernelWidth,
  parameter int unsigned   StrideHeight,
  parameter int unsigned   StrideWidth,
  parameter int unsigned   PadHeight,
  parameter int unsigned   PadWidth,
  parameter int unsigned   DilationHeight = 1,  // rows from one tap of a window to the next
  parameter int unsigned   DilationWidth = 1,
  parameter int unsigned   Lanes,    // divides Channels
  parameter int unsigned   Run,      // beats of a group of channels; divides the beats of a pixel
  parameter int unsigned   Times,    // times that a window of a group is read
  parameter int unsigned   Bits,
  parameter hyq_pkg::rom_t Pad,
  parameter                PadFile
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic [Lanes*Bits-1:0] in_data_i,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  output logic [Lanes*Bits-1:0] out_data_o,
  output logic                  out_valid_o,
  input  logic                  out_ready_i
);

  localparam int unsigned Beats = Channels / Lanes;

  logic [Lanes*Bits-1:0] padded;
  logic padded_valid, padded_ready;

  hyq_padding #(
    .Height   (Height),
    .Width    (Width),
    .Beats    (Beats),
    .PadHeight(PadHeight),
    .PadWidth (PadWidth),
    .Lanes    (Lanes),
    .Bits     (Bits),
    .Pad      (Pad),
    .PadFile  (PadFile)
  ) u_padding (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (padded),
    .out_valid_o(padded_valid),
    .out_ready_i(padded_ready)
  );

  hyq_sliding_window #(
    .BeatBits      (Lanes * Bits),
    .Beats         (Beats),
    .Run           (Run),
    .Times         (Times),
    .Height        (Height + 2 * PadHeight),
    .Width         (Width + 2 * PadWidth),
    .KernelHeight  (KernelHeight),
    .KernelWidth   (KernelWidth),
    .StrideHeight  (StrideHeight),
    .StrideWidth   (StrideWidth),
    .DilationHeight(DilationHeight),
    .DilationWidth (DilationWidth)
  ) u_sliding_window (
    .clk_i,
    .rst_ni,
    .in_data_i  (padded),
    .in_valid_i (padded_valid),
    .in_ready_o (padded_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
