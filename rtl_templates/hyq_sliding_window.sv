// SPDX-License-Identifier: Apache-2.0
// The sliding window takes the beats of a map and emits the beats of the windows of its output
// positions.
//
// Windows follow each other in raster order. The beats of a window are, outermost loop first:
//   groups of Run beats of a pixel, Times rotations, kernel rows, kernel columns, beats of a group
// A dense convolution has one group, and a depthwise convolution has groups of one beat.
//
// ExtentHeight + StrideHeight map rows lie in a circular memory with one write and one read port,
// where ExtentHeight rows lie from the first tap of a window to its last. A row of windows is read
// as soon as its last map row is complete. It frees StrideHeight map rows when it ends; meanwhile
// the same number is written. The last row of windows frees the ExtentHeight rows that are left.
// Map rows below it are taken and dropped. The cycles of all this are given by row_schedule of
// hyq_hls/stream/circuits/line_buffer.py.
module hyq_sliding_window #(
  parameter int unsigned BeatBits,
  parameter int unsigned Beats,   // beats of a pixel
  parameter int unsigned Run,     // beats of a group; divides Beats
  parameter int unsigned Times,   // rotations: times that a window of a group is read
  parameter int unsigned Height,  // height of the map, border included
  parameter int unsigned Width,
  parameter int unsigned KernelHeight,
  parameter int unsigned KernelWidth,
  parameter int unsigned StrideHeight,
  parameter int unsigned StrideWidth,
  parameter int unsigned DilationHeight = 1,  // rows from one tap of a window to the next
  parameter int unsigned DilationWidth = 1
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic [BeatBits-1:0] in_data_i,
  input  logic                in_valid_i,
  output logic                in_ready_o,
  output logic [BeatBits-1:0] out_data_o,
  output logic                out_valid_o,
  input  logic                out_ready_i
);

  localparam int unsigned ExtentHeight = (KernelHeight - 1) * DilationHeight + 1;
  localparam int unsigned ExtentWidth = (KernelWidth - 1) * DilationWidth + 1;
  localparam int unsigned OutHeight = (Height - ExtentHeight) / StrideHeight + 1;
  localparam int unsigned OutWidth = (Width - ExtentWidth) / StrideWidth + 1;

  if (Beats % Run != 0) begin : gen_bad_run
    $error("hyq_sliding_window: Run divides Beats");
  end

  // The memory holds row after row.
  localparam int unsigned Rows = ExtentHeight + StrideHeight;
  localparam int unsigned RowBeats = Width * Beats;
  localparam int unsigned Words = Rows * RowBeats;
  localparam int unsigned AddressBits = $clog2(Words);

  // These are the rows that are complete and not given back. With a stride beyond the window's
  // height, rows are given back before they come, so the number may be negative.
  localparam int unsigned FilledBits = $clog2(Rows + 1) + 1;
  typedef logic signed [FilledBits-1:0] filled_t;

  filled_t filled_q, given_back;  // given_back: by the next read
  logic ready_q, enough_q;        // for another map row, for a row of windows
  logic read, row_written;

  // All possible next values are there before it is known whether a row is written or windows end.
  filled_t [1:0] filled;  // without and with the next read
  logic [3:0] room_d, enough_d;
  logic [1:0] change;

  assign change = {read, row_written};
  assign filled = {filled_q - given_back, filled_q};

  for (genvar c = 0; c < 4; c++) begin : gen_change
    assign room_d[c]   = filled[c/2] < filled_t'(int'(Rows) - c % 2);
    assign enough_d[c] = filled[c/2] >= filled_t'(int'(ExtentHeight) - c % 2);
  end

  // The write side counts the beats of a row, and rows.
  localparam int unsigned StoredRows = (OutHeight - 1) * StrideHeight + ExtentHeight;
  logic write, drop_d, drop_q, last_write;
  logic [AddressBits-1:0] write_address_q;

  assign in_ready_o  = ready_q;
  assign write       = in_valid_i && in_ready_o;
  assign row_written = write && last_write && !drop_q;

  hyq_counter #(.Count(RowBeats)) u_write (.clk_i, .rst_ni, .en_i(write), .last_o(last_write));

  if (StoredRows == Height) begin : gen_no_drop
    assign {drop_d, drop_q} = 2'b00;
  end else begin : gen_drop
    localparam int unsigned YBits = $clog2(Height);
    logic [YBits-1:0] y_q;
    logic row_end, last_y;

    assign row_end = write && last_write;
    assign last_y  = y_q == YBits'(Height - 1);
    assign drop_d  = row_end ? !last_y && (drop_q || y_q == YBits'(StoredRows - 1)) : drop_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin : rows
      if (!rst_ni) begin
        y_q    <= '0;
        drop_q <= 1'b0;
      end else begin
        if (row_end) y_q <= last_y ? '0 : y_q + 1'b1;
        drop_q <= drop_d;
      end
    end
  end

  // The read side counts a run of neighbouring beats, runs of a kernel row, kernel rows, rotations,
  // groups, windows of a row, rows of windows. If a pixel is one group, a kernel row without
  // dilation is one run.
  localparam bit IsRow = Run == Beats && DilationWidth == 1;
  localparam int unsigned RunReads = IsRow ? KernelWidth * Beats : Run;
  localparam int unsigned Runs = IsRow ? 1 : KernelWidth;
  localparam int unsigned Groups = Beats / Run;

  localparam int unsigned Loops = 7;
  localparam bit [Loops-1:0][31:0] Count = {
    OutHeight, OutWidth, Groups, Times, KernelHeight, Runs, RunReads
  };

  // The loops run one read ahead, so that registers know which of them end with the next read. They
  // take their first step after reset, before there can be anything to read.
  logic en, valid_q, may_advance_q, advance;
  logic [Loops-1:0] at_last, ends, ends_q;  // ends: all loops up to this one are at their last step

  assign en      = !valid_q || out_ready_i;
  assign read    = en && enough_q;
  assign advance = en && may_advance_q;

  for (genvar k = 0; k < Loops; k++) begin : gen_loop
    logic inner_ends;

    if (k == 0) begin : gen_innermost
      assign inner_ends = 1'b1;
    end else begin : gen_outer
      assign inner_ends = ends[k-1];
    end

    hyq_counter #(.Count(Count[k])) u_index (
      .clk_i, .rst_ni, .en_i(advance && inner_ends), .last_o(at_last[k])
    );

    assign ends[k] = inner_ends && at_last[k];
  end

  always_ff @(posedge clk_i) begin : next_read
    if (advance) ends_q <= ends;
  end

  always_comb begin : rows_given_back
    given_back = '0;
    if (ends_q[5]) given_back = filled_t'(StrideHeight);
    if (ends_q[6]) given_back = filled_t'(ExtentHeight);
  end

  // This is the distance from a read to the next one, by the loops that end with it. It leads from
  // the last read of a loop back to its first one (its span), and from there to the place where the
  // loop around it goes on.
  localparam int RunSpan = int'(RunReads) - 1;
  localparam int RunStep = int'(DilationWidth * Beats);
  localparam int RunsSpan = (int'(Runs) - 1) * RunStep + RunSpan;
  localparam int RowStep = int'(DilationHeight * RowBeats);
  localparam int RotationSpan = (int'(KernelHeight) - 1) * RowStep + RunsSpan;
  localparam int WindowSpan = (int'(Groups) - 1) * int'(Run) + RotationSpan;
  localparam int WindowStep = int'(StrideWidth * Beats);
  localparam int WindowsSpan = (int'(OutWidth) - 1) * WindowStep + WindowSpan;

  // A distance forwards in the circle stands beside the same distance less a whole turn.
  function automatic logic [2*AddressBits:0] turn(int distance);
    int forwards = distance < 0 ? distance + int'(Words) : distance;
    return {AddressBits'(forwards), (AddressBits + 1)'(forwards - int'(Words))};
  endfunction

  logic [AddressBits-1:0] read_address_q, forwards;
  logic [AddressBits:0] backwards, behind;

  always_comb begin : distance
    {forwards, backwards} = turn(1);
    if (ends_q[0]) {forwards, backwards} = turn(RunStep - RunSpan);
    if (ends_q[1]) {forwards, backwards} = turn(RowStep - RunsSpan);
    if (ends_q[2]) {forwards, backwards} = turn(-RotationSpan);
    if (ends_q[3]) {forwards, backwards} = turn(int'(Run) - RotationSpan);
    if (ends_q[4]) {forwards, backwards} = turn(WindowStep - WindowSpan);
    if (ends_q[5]) {forwards, backwards} = turn(int'(StrideHeight * RowBeats) - WindowsSpan);
    if (ends_q[6]) {forwards, backwards} = turn(int'(ExtentHeight * RowBeats) - WindowsSpan);
  end

  assign behind = {1'b0, read_address_q} + backwards;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      filled_q        <= '0;
      ready_q         <= 1'b1;
      enough_q        <= 1'b0;
      write_address_q <= '0;
      read_address_q  <= '0;
      valid_q         <= 1'b0;
      may_advance_q   <= 1'b1;
    end else begin
      filled_q      <= filled[read] + filled_t'(row_written);
      ready_q       <= drop_d || room_d[change];
      enough_q      <= enough_d[change];
      may_advance_q <= enough_d[change];
      if (write && !drop_q) begin
        write_address_q <=
            write_address_q == AddressBits'(Words - 1) ? '0 : write_address_q + 1'b1;
      end
      if (read) begin
        read_address_q <=
            behind[AddressBits] ? read_address_q + forwards : behind[AddressBits-1:0];
      end
      if (en) valid_q <= read;
    end
  end

  // A row is never written while it is read.
  hyq_ram #(
    .Width(BeatBits),
    .Depth(Words)
  ) u_ram (
    .clk_i,
    .write_i        (write && !drop_q),
    .write_address_i(write_address_q),
    .write_data_i   (in_data_i),
    .read_i         (read),
    .read_address_i (read_address_q),
    .read_data_o    (out_data_o)
  );

  assign out_valid_o = valid_q;

  hyq_stream_checker #(.Width(BeatBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
