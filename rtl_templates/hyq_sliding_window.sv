// The sliding window takes the beats of a map and emits the beats of the windows of its output
// positions.
//
// Windows follow each other in raster order. The beats of a window are, outermost loop first:
//   dense:      Times rotations, kernel rows, kernel columns, beats of a pixel
//   depthwise:  beats of a pixel, kernel rows, kernel columns
//
// KernelHeight + StrideHeight map rows lie in a circular memory with one write and one read port. A
// row of windows is read as soon as its last map row is complete. It frees StrideHeight map rows
// when it ends; meanwhile the same number is written. The last row of windows frees the
// KernelHeight rows that are left. Map rows below it are taken and dropped. The cycles of all this
// are given by row_schedule of hyq_hls/stream/circuits/line_buffer.py.
module hyq_sliding_window #(
  parameter int unsigned BeatBits,
  parameter int unsigned Beats,   // beats of a pixel
  parameter int unsigned Height,  // height of the map, border included
  parameter int unsigned Width,
  parameter int unsigned KernelHeight,
  parameter int unsigned KernelWidth,
  parameter int unsigned StrideHeight,
  parameter int unsigned StrideWidth,
  parameter bit          Depthwise,
  parameter int unsigned Times    // not used with Depthwise
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

  localparam int unsigned OutHeight = (Height - KernelHeight) / StrideHeight + 1;
  localparam int unsigned OutWidth = (Width - KernelWidth) / StrideWidth + 1;

  // The memory holds row after row.
  localparam int unsigned Rows = KernelHeight + StrideHeight;
  localparam int unsigned RowBeats = Width * Beats;
  localparam int unsigned Words = Rows * RowBeats;
  localparam int unsigned AddressBits = $clog2(Words);

  // These are the rows that are complete and not given back. With a stride beyond the kernel's
  // height, rows are given back before they come, so the number may be negative.
  localparam int unsigned FilledBits = $clog2(Rows + 1) + 1;
  typedef logic signed [FilledBits-1:0] filled_t;

  filled_t filled_q, given_back_q;  // given_back_q: by the next read
  logic room_q, enough_q;           // for another map row, for a row of windows
  logic read, row_written;

  // All possible next values are there before it is known whether a row is written or windows end.
  filled_t filled_d[4];
  logic [3:0] room_d, enough_d;
  logic [1:0] change;

  assign change = {read, row_written};

  for (genvar c = 0; c < 4; c++) begin : gen_filled
    assign filled_d[c] = filled_q + filled_t'(c % 2) - (c / 2 != 0 ? given_back_q : '0);
    assign room_d[c]   = filled_d[c] < filled_t'(Rows);
    assign enough_d[c] = filled_d[c] >= filled_t'(KernelHeight);
  end

  // The write side counts the beats of a row, and rows.
  localparam int unsigned StoredRows = (OutHeight - 1) * StrideHeight + KernelHeight;
  logic write, drop, last_write;
  logic [AddressBits-1:0] write_address_q;

  assign in_ready_o  = drop || room_q;
  assign write       = in_valid_i && in_ready_o;
  assign row_written = write && last_write && !drop;

  hyq_counter #(.Count(RowBeats)) u_write (.clk_i, .rst_ni, .en_i(write), .last_o(last_write));

  if (StoredRows == Height) begin : gen_no_drop
    assign drop = 1'b0;
  end else begin : gen_drop
    localparam int unsigned YBits = $clog2(Height);
    logic [YBits-1:0] y_q;
    logic last_y, drop_q;

    assign last_y = y_q == YBits'(Height - 1);
    assign drop   = drop_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin : rows
      if (!rst_ni) begin
        y_q    <= '0;
        drop_q <= 1'b0;
      end else if (write && last_write) begin
        y_q    <= last_y ? '0 : y_q + 1'b1;
        drop_q <= !last_y && (drop_q || y_q == YBits'(StoredRows - 1));
      end
    end
  end

  // The read side counts a run of reads in a kernel row, kernel rows, rotations (with Depthwise:
  // beats of a pixel), windows of a row, rows of windows.
  localparam int unsigned RunReads = Depthwise ? KernelWidth : KernelWidth * Beats;
  localparam int unsigned Rotations = Depthwise ? Beats : Times;

  // The loops run one read ahead, so that the distance to the next read comes from registers. They
  // take their first step after reset, before there can be anything to read.
  logic en, valid_q, started_q, advance;
  logic run_end, rotation_end, window_end, windows_end;
  logic last_run, last_kernel_row, last_rotation, last_window, last_windows;

  assign en           = !valid_q || out_ready_i;
  assign read         = en && enough_q;
  assign advance      = read || !started_q;
  assign run_end      = advance && last_run;
  assign rotation_end = run_end && last_kernel_row;
  assign window_end   = rotation_end && last_rotation;
  assign windows_end  = window_end && last_window;

  hyq_counter #(.Count(RunReads)) u_run (.clk_i, .rst_ni, .en_i(advance), .last_o(last_run));
  hyq_counter #(.Count(KernelHeight)) u_kernel_row (
    .clk_i, .rst_ni, .en_i(run_end), .last_o(last_kernel_row)
  );
  hyq_counter #(.Count(Rotations)) u_rotation (
    .clk_i, .rst_ni, .en_i(rotation_end), .last_o(last_rotation)
  );
  hyq_counter #(.Count(OutWidth)) u_window (
    .clk_i, .rst_ni, .en_i(window_end), .last_o(last_window)
  );
  hyq_counter #(.Count(OutHeight)) u_windows (
    .clk_i, .rst_ni, .en_i(windows_end), .last_o(last_windows)
  );

  // This is the distance from a read to the next one, by the loops that end with it. It leads from
  // the last read of a loop back to its first one (its span), and from there to the place where the
  // loop around it goes on.
  localparam int RunStep = Depthwise ? int'(Beats) : 1;
  localparam int RotationStep = Depthwise ? 1 : 0;
  localparam int RunSpan = (int'(RunReads) - 1) * RunStep;
  localparam int RotationSpan = (int'(KernelHeight) - 1) * int'(RowBeats) + RunSpan;
  localparam int WindowSpan = (int'(Rotations) - 1) * RotationStep + RotationSpan;
  localparam int WindowStep = int'(StrideWidth * Beats);
  localparam int WindowsSpan = (int'(OutWidth) - 1) * WindowStep + WindowSpan;

  // A distance forwards in the circle stands beside the same distance less a whole turn.
  function automatic logic [2*AddressBits:0] turn(int distance);
    int forwards = distance < 0 ? distance + int'(Words) : distance;
    return {AddressBits'(forwards), (AddressBits + 1)'(forwards - int'(Words))};
  endfunction

  logic [AddressBits-1:0] read_address_q, forwards, forwards_q;
  logic [AddressBits:0] backwards, backwards_q, behind;

  always_comb begin : distance
    if (!last_run) begin
      {forwards, backwards} = turn(RunStep);
    end else if (!last_kernel_row) begin
      {forwards, backwards} = turn(int'(RowBeats) - RunSpan);
    end else if (!last_rotation) begin
      {forwards, backwards} = turn(RotationStep - RotationSpan);
    end else if (!last_window) begin
      {forwards, backwards} = turn(WindowStep - WindowSpan);
    end else if (!last_windows) begin
      {forwards, backwards} = turn(int'(StrideHeight * RowBeats) - WindowsSpan);
    end else begin
      {forwards, backwards} = turn(int'(KernelHeight * RowBeats) - WindowsSpan);
    end
  end

  assign behind = {1'b0, read_address_q} + backwards_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      filled_q        <= '0;
      room_q          <= 1'b1;
      enough_q        <= 1'b0;
      write_address_q <= '0;
      read_address_q  <= '0;
      valid_q         <= 1'b0;
      started_q       <= 1'b0;
    end else begin
      filled_q  <= filled_d[change];
      room_q    <= room_d[change];
      enough_q  <= enough_d[change];
      started_q <= 1'b1;
      if (write && !drop) begin
        write_address_q <=
            write_address_q == AddressBits'(Words - 1) ? '0 : write_address_q + 1'b1;
      end
      if (read) begin
        read_address_q <=
            behind[AddressBits] ? read_address_q + forwards_q : behind[AddressBits-1:0];
      end
      if (en) valid_q <= read;
    end
  end

  always_ff @(posedge clk_i) begin : next_read
    if (advance) begin
      forwards_q  <= forwards;
      backwards_q <= backwards;
      if (!windows_end) begin
        given_back_q <= '0;
      end else begin
        given_back_q <= last_windows ? filled_t'(KernelHeight) : filled_t'(StrideHeight);
      end
    end
  end

  // A row is never written while it is read.
  hyq_ram #(
    .Width(BeatBits),
    .Depth(Words)
  ) u_ram (
    .clk_i,
    .write_i        (write && !drop),
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
