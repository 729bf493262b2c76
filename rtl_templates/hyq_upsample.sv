// SPDX-License-Identifier: Apache-2.0
// The module makes a map of twice the height and width: between its codes, or of copies. Reference:
// hyq_hls/ops/upsample.py, Upsample.
//
// Rows are doubled first, then the pixels of every row. One word leaves per cycle.
module hyq_upsample #(
  parameter int unsigned Height,    // height of the input map
  parameter int unsigned Width,
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // lanes of the output too; divides Channels
  parameter int unsigned InBits,    // bits of an output code too
  parameter bit          InSigned,
  parameter bit          IsBilinear
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

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_upsample: InLanes divides Channels");
  end

  if (IsBilinear) begin : gen_bilinear
    localparam int unsigned RowBits = InBits + 2;    // in quarters of a step
    localparam int unsigned PixelBits = InBits + 4;  // in sixteenths
    logic [InLanes*RowBits-1:0] rows;
    logic [InLanes*PixelBits-1:0] pixels;
    logic rows_valid, rows_ready;

    hyq_interpolate_lines #(
      .Lines  (Height),
      .Words  (Width * Beats),
      .Lanes  (InLanes),
      .Bits   (InBits),
      .Signed (InSigned),
      .Summand(0)
    ) u_rows (
      .clk_i,
      .rst_ni,
      .in_data_i,
      .in_valid_i,
      .in_ready_o,
      .out_data_o (rows),
      .out_valid_o(rows_valid),
      .out_ready_i(rows_ready)
    );

    hyq_interpolate_lines #(
      .Lines  (Width),
      .Words  (Beats),
      .Lanes  (InLanes),
      .Bits   (RowBits),
      .Signed (InSigned),
      .Summand(8)          // half a step
    ) u_pixels (
      .clk_i,
      .rst_ni,
      .in_data_i (rows),
      .in_valid_i(rows_valid),
      .in_ready_o(rows_ready),
      .out_data_o(pixels),
      .out_valid_o,
      .out_ready_i
    );

    for (genvar l = 0; l < InLanes; l++) begin : gen_lane
      assign out_data_o[l*InBits+:InBits] = pixels[l*PixelBits+4+:InBits];
    end

    logic unused_fractions;
    assign unused_fractions = ^pixels;
  end else begin : gen_nearest
    logic [InLanes*InBits-1:0] rows;
    logic rows_valid, rows_ready;

    hyq_replay #(
      .Width(InLanes * InBits),
      .Beats(Width * Beats),
      .Times(2)
    ) u_rows (
      .clk_i,
      .rst_ni,
      .in_data_i,
      .in_valid_i,
      .in_ready_o,
      .out_data_o (rows),
      .out_valid_o(rows_valid),
      .out_ready_i(rows_ready)
    );

    hyq_replay #(
      .Width(InLanes * InBits),
      .Beats(Beats),
      .Times(2)
    ) u_pixels (
      .clk_i,
      .rst_ni,
      .in_data_i (rows),
      .in_valid_i(rows_valid),
      .in_ready_o(rows_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end

endmodule
