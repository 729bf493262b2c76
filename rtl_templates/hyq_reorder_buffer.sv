// SPDX-License-Identifier: Apache-2.0
// The reorder buffer emits the words of a frame in another order. Two pages take turns: one is
// written in order of arrival while the other is read by five nested loops, 0 innermost:
//
//   address = index4 * Stride4 + index3 * Stride3 + ... + index0 * Stride0
//
// Loops that are not needed have size 1 (and any stride). One word passes per cycle on both sides,
// so a frame takes Words cycles in steady state. In the first frame, the first word leaves
// Words + 1 cycles after the first word came in, and the last word 2 * Words cycles after it.
module hyq_reorder_buffer #(
  parameter int unsigned Width,
  parameter int unsigned Words,  // words of a frame: the product of the sizes
  parameter int unsigned Size4,
  parameter int unsigned Size3,
  parameter int unsigned Size2,
  parameter int unsigned Size1,
  parameter int unsigned Size0,
  parameter int unsigned Stride4,
  parameter int unsigned Stride3,
  parameter int unsigned Stride2,
  parameter int unsigned Stride1,
  parameter int unsigned Stride0
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);

  localparam int unsigned Loops = 5;
  localparam bit [Loops-1:0][31:0] Size = {Size4, Size3, Size2, Size1, Size0};
  localparam bit [Loops-1:0][31:0] Stride = {Stride4, Stride3, Stride2, Stride1, Stride0};
  localparam int unsigned AddressBits = $clog2(2 * Words);

  if (Size4 * Size3 * Size2 * Size1 * Size0 != Words) begin : gen_bad_sizes
    $error("hyq_reorder_buffer: Words is the product of Size0 to Size4");
  end

  // This is the step of the address when a loop advances: its stride, less the distance that all
  // inner loops go back to their start.
  function automatic logic [AddressBits-1:0] step_of(int unsigned loop);
    int unsigned step;
    step = Stride[loop];
    for (int unsigned inner = 0; inner < loop; inner++) begin
      step = step - (Size[inner] - 1) * Stride[inner];
    end
    return AddressBits'(step);
  endfunction

  logic write, read, write_last, read_last_q;
  logic write_page, read_page, read_ready;

  hyq_pages u_pages (
    .clk_i,
    .rst_ni,
    .write_last_i (write && write_last),
    .write_page_o (write_page),
    .write_ready_o(in_ready_o),
    .read_last_i  (read && read_last_q),
    .read_page_o  (read_page),
    .read_ready_o (read_ready)
  );

  // On the write side the address runs through both pages.
  logic [AddressBits-1:0] write_address_q;

  assign write = in_valid_i && in_ready_o;

  hyq_counter #(.Count(Words)) u_write (.clk_i, .rst_ni, .en_i(write), .last_o(write_last));

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_control
    if (!rst_ni) begin
      write_address_q <= '0;
    end else if (write) begin
      write_address_q <= write_last && write_page ? '0 : write_address_q + 1'b1;
    end
  end

  // On the read side loop k advances when all inner loops are at their last index. The loops run
  // one read ahead, so that the step to the next address comes from a register. They take their
  // first step after reset, before there can be anything to read.
  logic [AddressBits-1:0] read_address_q, step, step_q;
  logic out_valid_q, started_q;
  logic [Loops-1:0] at_last;
  logic [Loops-1:0] advance;

  assign read       = read_ready && (!out_valid_q || out_ready_i);
  assign advance[0] = read || !started_q;

  for (genvar k = 0; k < Loops; k++) begin : gen_loop
    if (k > 0) begin : gen_outer
      assign advance[k] = advance[k-1] && at_last[k-1];
    end

    hyq_counter #(.Count(Size[k])) u_index (
      .clk_i, .rst_ni, .en_i(advance[k]), .last_o(at_last[k])
    );
  end

  always_comb begin : choose_step
    logic inner_last;
    inner_last = 1'b1;
    step = step_of(0);
    for (int unsigned k = 1; k < Loops; k++) begin
      inner_last = inner_last && at_last[k-1];
      if (inner_last) begin
        step = step_of(k);
      end
    end
  end

  always_ff @(posedge clk_i) begin : next_read
    if (advance[0]) begin
      step_q      <= step;
      read_last_q <= &at_last;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : read_control
    if (!rst_ni) begin
      read_address_q <= '0;
      out_valid_q    <= 1'b0;
      started_q      <= 1'b0;
    end else begin
      out_valid_q <= read || (out_valid_q && !out_ready_i);
      started_q   <= 1'b1;
      if (read && read_last_q) begin
        read_address_q <= read_page ? '0 : AddressBits'(Words);
      end else if (read) begin
        read_address_q <= read_address_q + step_q;
      end
    end
  end

  hyq_ram #(
    .Width(Width),
    .Depth(2 * Words)
  ) u_ram (
    .clk_i,
    .write_i        (write),
    .write_address_i(write_address_q),
    .write_data_i   (in_data_i),
    .read_i         (read),
    .read_address_i (read_address_q),
    .read_data_o    (out_data_o)
  );

  assign out_valid_o = out_valid_q;

  hyq_stream_checker #(.Width(Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
