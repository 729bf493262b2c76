// SPDX-License-Identifier: Apache-2.0
// Padding surrounds a map with border pixels. Reference: hyq_hls/ops/convolution.py, Convolution.
//
// The module emits one beat per cycle and Beats beats per pixel, with one register stage. Border
// pixels take no input, but a frame begins when its first code is there. Without a border the
// stream passes as it is.
module hyq_padding #(
  parameter int unsigned   Height,     // height of the input map
  parameter int unsigned   Width,
  parameter int unsigned   Beats,      // beats of a pixel
  parameter int unsigned   PadHeight,  // rows above; the same number below
  parameter int unsigned   PadWidth,   // columns on the left; the same number on the right
  parameter int unsigned   Lanes,
  parameter int unsigned   Bits,
  parameter hyq_pkg::rom_t Pad,        // at least Bits bits; one entry serves all channels
  parameter                PadFile     // codes of a border pixel
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

  if (PadHeight == 0 && PadWidth == 0) begin : gen_wires
    assign out_data_o  = in_data_i;
    assign out_valid_o = in_valid_i;
    assign in_ready_o  = out_ready_i;

    logic unused_clock;
    assign unused_clock = clk_i ^ rst_ni;
  end else begin : gen_border
    localparam int unsigned YBits = $clog2(Height + PadHeight) + 1;
    localparam int unsigned XBits = $clog2(Width + PadWidth) + 1;
    localparam logic signed [YBits-1:0] FirstY = YBits'(-int'(PadHeight));
    localparam logic signed [XBits-1:0] FirstX = XBits'(-int'(PadWidth));
    localparam logic signed [YBits-1:0] BeforeY = '1;  // -1
    localparam logic signed [XBits-1:0] BeforeX = '1;
    localparam logic signed [YBits-1:0] BottomY = YBits'(Height - 1);
    localparam logic signed [XBits-1:0] RightX = XBits'(Width - 1);
    localparam logic signed [YBits-1:0] LastY = YBits'(Height + PadHeight - 1);
    localparam logic signed [XBits-1:0] LastX = XBits'(Width + PadWidth - 1);

    // This is the place of the next beat on the input map. The border lies outside, also at
    // negative places.
    logic signed [YBits-1:0] y_q;
    logic signed [XBits-1:0] x_q;
    logic row_border_q, column_border_q, first_pixel_q;
    logic last_x, last_y, last_beat, row_end, border, en, step, valid_q;

    assign last_x      = x_q == LastX;
    assign last_y      = y_q == LastY;
    assign row_end     = last_beat && last_x;
    assign en          = !valid_q || out_ready_i;
    assign border      = row_border_q || column_border_q;
    assign step        = en && (in_valid_i || (border && !first_pixel_q));
    assign in_ready_o  = en && !border;
    assign out_valid_o = valid_q;

    hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(step), .last_o(last_beat));

    always_ff @(posedge clk_i or negedge rst_ni) begin : control
      if (!rst_ni) begin
        y_q             <= FirstY;
        x_q             <= FirstX;
        row_border_q    <= PadHeight > 0;
        column_border_q <= PadWidth > 0;
        first_pixel_q   <= 1'b1;
        valid_q         <= 1'b0;
      end else begin
        if (en) valid_q <= step;
        if (step && last_beat) begin
          x_q           <= last_x ? FirstX : x_q + 1'b1;
          first_pixel_q <= last_x && last_y;
          // The border begins behind the last pixel of the map and ends before its first one.
          column_border_q <= PadWidth > 0
              && (last_x || x_q == RightX || (column_border_q && x_q != BeforeX));
        end
        if (step && row_end) begin
          y_q          <= last_y ? FirstY : y_q + 1'b1;
          row_border_q <= PadHeight > 0
              && (last_y || y_q == BottomY || (row_border_q && y_q != BeforeY));
        end
      end
    end

    // Every border pixel reads all codes, so that the next one starts at channel 0 again.
    logic border_q, data_en;
    logic [Lanes*Bits-1:0] data_q;
    logic [Pad.lanes*Pad.bits-1:0] pad;

    hyq_enable u_enable (.full_i(valid_q), .ready_i(out_ready_i), .en_o(data_en));

    always_ff @(posedge clk_i) begin : data
      if (data_en) begin
        border_q <= border;
        data_q   <= in_data_i;
      end
    end

    hyq_sequence_rom #(
      .Rom (Pad),
      .File(PadFile)
    ) u_pad_rom (
      .clk_i,
      .rst_ni,
      .en_i  (data_en),
      .next_i(step && border),
      .data_o(pad)
    );

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      localparam int unsigned First = (Pad.lanes == 1 ? 0 : l) * Pad.bits;
      assign out_data_o[l*Bits+:Bits] = border_q ? pad[First+:Bits] : data_q[l*Bits+:Bits];
    end

    logic unused_sign_bits;
    assign unused_sign_bits = ^pad;

    hyq_stream_checker #(.Width(Lanes * Bits)) u_out_checker (
      .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
    );
  end

endmodule
