// SPDX-License-Identifier: Apache-2.0
// The module turns AXI4-Stream video into frames of a network: s_axis_tuser marks the first pixel
// of a picture, s_axis_tlast the last pixel of every line; m_axis_tlast marks the last word of a
// frame, as the input of a network wants it. Python reference: tests/stream/board/test_video.py.
//
// A word of the video is one pixel, whose components lie from the lowest bits on in the order of
// the video; RGB video has G, B, R. Component[c] is the place of channel c: 9'o102, which is
// {1, 0, 2}, gives a network R, G, B. Of a component that is wider than a code, the highest bits
// are the code.
//
// Pixels before the first picture are dropped. A picture whose lines do not have Width pixels, or
// that another one interrupts, is given up: a word of zeros with m_axis_tlast ends its frame, which
// the network fills with zeros. The next picture is right again. errors_o counts such pictures and
// stops at its largest value.
module hyq_video_input #(
  parameter int unsigned Width,
  parameter int unsigned Height,
  parameter int unsigned Channels,
  parameter int unsigned ComponentBits,                // of a component of the video
  parameter int unsigned Bits,                         // of a code, at most ComponentBits
  parameter int unsigned Lanes,                        // codes of a word; they divide Channels
  parameter logic [Channels-1:0][2:0] Component,
  localparam int unsigned CodeBytes = (Bits + 7) / 8,
  localparam int unsigned VideoBits = (Channels * ComponentBits + 7) / 8 * 8
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,

  input  logic [VideoBits-1:0]         s_axis_tdata,
  input  logic                         s_axis_tuser,
  input  logic                         s_axis_tvalid,
  output logic                         s_axis_tready,
  input  logic                         s_axis_tlast,

  output logic [Lanes*CodeBytes*8-1:0] m_axis_tdata,
  output logic                         m_axis_tvalid,
  input  logic                         m_axis_tready,
  output logic                         m_axis_tlast,

  output logic [15:0]                  errors_o
);

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("hyq_video_input: Lanes (%0d) divides Channels (%0d)", Lanes, Channels);
  end
  if (Bits > ComponentBits) begin : gen_bad_bits
    $error("hyq_video_input: Bits (%0d) is at most ComponentBits (%0d)", Bits, ComponentBits);
  end

  localparam int unsigned Parts = Channels / Lanes;  // words of a pixel
  localparam int unsigned PartBits = hyq_pkg::index_width(Parts);
  localparam int unsigned ColumnBits = hyq_pkg::index_width(Width);
  localparam int unsigned RowBits = hyq_pkg::index_width(Height);

  // Search drops pixels up to the first one of a picture. Abort sends the word that ends a frame.
  typedef enum logic [1:0] {
    Search,
    Inside,
    Abort
  } state_e;

  state_e state_q;
  logic [PartBits-1:0] part_q;
  logic [ColumnBits-1:0] column_q;
  logic [RowBits-1:0] row_q;
  logic [15:0] errors_q;
  logic takes, interrupted, pixel_step, wrong;
  logic part_end, line_end, frame_end, gives_up;

  // A pixel is taken when it is the first of a picture, or follows another one of its picture.
  assign takes = s_axis_tvalid
      && ((state_q == Search && s_axis_tuser) || (state_q == Inside && !s_axis_tuser));
  assign interrupted = state_q == Inside && s_axis_tvalid && s_axis_tuser;

  assign part_end   = part_q == PartBits'(Parts - 1);
  assign line_end   = column_q == ColumnBits'(Width - 1);
  assign frame_end  = line_end && row_q == RowBits'(Height - 1);
  assign wrong      = s_axis_tlast != line_end;
  assign pixel_step = takes && m_axis_tready && part_end;
  assign gives_up   = interrupted || (pixel_step && wrong && !frame_end);

  assign s_axis_tready = (state_q == Search && !s_axis_tuser) || pixel_step;
  assign m_axis_tvalid = takes || state_q == Abort;
  assign m_axis_tlast  = state_q == Abort || (frame_end && part_end);
  assign errors_o      = errors_q;

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lanes
    logic [Parts-1:0][Bits-1:0] codes;
    for (genvar part = 0; part < Parts; part++) begin : gen_parts
      localparam int unsigned Place = 32'(Component[part*Lanes+lane]);
      assign codes[part] = s_axis_tdata[(Place+1)*ComponentBits-1 -: Bits];
    end
    assign m_axis_tdata[lane*CodeBytes*8 +: CodeBytes*8] =
        (CodeBytes * 8)'((state_q == Abort) ? '0 : codes[part_q]);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      state_q  <= Search;
      part_q   <= '0;
      column_q <= '0;
      row_q    <= '0;
      errors_q <= '0;
    end else begin
      if (takes && m_axis_tready) part_q <= part_end ? '0 : part_q + 1'b1;
      if (gives_up) begin
        state_q <= Abort;
      end else if (pixel_step) begin
        state_q <= frame_end ? Search : Inside;
      end else if (state_q == Abort && m_axis_tready) begin
        state_q <= Search;
      end
      if (gives_up || (pixel_step && frame_end)) begin
        column_q <= '0;
        row_q    <= '0;
      end else if (pixel_step) begin
        column_q <= line_end ? '0 : column_q + 1'b1;
        row_q    <= row_q + RowBits'(line_end);
      end
      if (gives_up || (pixel_step && wrong)) begin
        errors_q <= (errors_q == '1) ? errors_q : errors_q + 1'b1;
      end
    end
  end

  // A component may have lower bits than a code, and a word more bits than the components.
  logic unused_bits;
  assign unused_bits = ^s_axis_tdata;

  hyq_stream_checker #(.Width(VideoBits + 2)) u_in_checker (
    .clk_i, .rst_ni, .data_i({s_axis_tlast, s_axis_tuser, s_axis_tdata}),
    .valid_i(s_axis_tvalid), .ready_i(s_axis_tready)
  );
  hyq_stream_checker #(.Width(Lanes * CodeBytes * 8 + 1)) u_out_checker (
    .clk_i, .rst_ni, .data_i({m_axis_tlast, m_axis_tdata}), .valid_i(m_axis_tvalid),
    .ready_i(m_axis_tready)
  );

endmodule
