// SPDX-License-Identifier: Apache-2.0
// The module sends positions in another order. Reference: hyq_hls/ops/permute_positions.py,
// PermutePositions.
//
// Two pages take turns: one is written in order of arrival while the other is read in the order of
// the memory. A page holds a block, whose positions stay together. One word passes per cycle on both
// sides.
module hyq_permute_positions #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,  // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter hyq_pkg::rom_t Order,    // first word of every position of a block, as they leave
  parameter                OrderFile
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
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned Words = Order.entries * Beats;  // of a page
  localparam int unsigned AddressBits = $clog2(2 * Words);

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_permute_positions: InLanes divides Channels");
  end
  if (Order.lanes != 1 || Order.bits > AddressBits) begin : gen_bad_order
    $error("hyq_permute_positions: a word of a page for every position");
  end

  logic write, read, write_last, read_last_q;
  logic write_page, read_ready, unused_read_page;

  hyq_pages u_pages (
    .clk_i,
    .rst_ni,
    .write_last_i (write && write_last),
    .write_page_o (write_page),
    .write_ready_o(in_ready_o),
    .read_last_i  (read && read_last_q),
    .read_page_o  (unused_read_page),  // addresses run ahead of it
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

  // On the read side the memory of the order runs two reads ahead, and the sum of an address runs
  // one read ahead. Both take their first steps after reset, before there can be anything to read.
  logic [1:0] primed_q;
  logic step, beat_last, page_last, sum_last_q, sum_page_q;
  logic [BeatBits-1:0] beat, beat_q;
  logic [Order.bits-1:0] first;
  logic [AddressBits-1:0] base, read_address_q;
  logic out_valid_q;

  assign read = read_ready && primed_q[1] && (!out_valid_q || out_ready_i);
  assign step = read || !primed_q[1];

  hyq_index #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(step), .index_o(beat));

  hyq_counter #(.Count(Words)) u_page (.clk_i, .rst_ni, .en_i(step), .last_o(page_last));

  assign beat_last = beat == BeatBits'(Beats - 1);

  hyq_sequence_rom #(
    .Rom (Order),
    .File(OrderFile)
  ) u_order_rom (
    .clk_i,
    .rst_ni,
    .en_i  (step),
    .next_i(step && beat_last),
    .data_o(first)
  );

  assign base = sum_page_q ? AddressBits'(Words) : '0;

  always_ff @(posedge clk_i) begin : address
    if (step) begin
      beat_q         <= beat;
      read_address_q <= base + AddressBits'(first) + AddressBits'(beat_q);
      read_last_q    <= sum_last_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : read_control
    if (!rst_ni) begin
      primed_q    <= '0;
      sum_last_q  <= 1'b0;
      sum_page_q  <= 1'b0;
      out_valid_q <= 1'b0;
    end else begin
      out_valid_q <= read || (out_valid_q && !out_ready_i);
      if (step) begin
        primed_q   <= {primed_q[0], 1'b1};
        sum_last_q <= page_last;
        sum_page_q <= sum_page_q ^ sum_last_q;
      end
    end
  end

  hyq_ram #(
    .Width(InLanes * InBits),
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

  hyq_stream_checker #(.Width(InLanes * InBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
