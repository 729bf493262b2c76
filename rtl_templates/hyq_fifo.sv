// SPDX-License-Identifier: Apache-2.0
// The FIFO lies between two operations. Both of its sides are registered, so that no combinational
// path leads from one port to the other.
//
// With depth 1 and 2 it is a register slice, with capacity 2 and latency 1. A deeper FIFO is a
// memory of Depth words with synchronous read (hyq_ram), whose read register is the output. It has
// capacity Depth + 1 and latency 2. It passes one word per cycle at every depth.
module hyq_fifo #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter bit          KeepsOffers = 1'b1  // the writer never withdraws a word
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

  if (Depth < 1) begin : gen_bad_depth
    $error("hyq_fifo: Depth is at least 1");
  end

  if (Depth <= 2) begin : gen_registers
    hyq_register_slice #(
      .Width(Width)
    ) u_register_slice (
      .clk_i,
      .rst_ni,
      .in_data_i,
      .in_valid_i,
      .in_ready_o,
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end else begin : gen_memory
    localparam int unsigned AddressBits = $clog2(Depth);
    localparam int unsigned CountBits = $clog2(Depth + 1);

    logic [AddressBits-1:0] write_address, read_address;
    logic [CountBits-1:0] count_q;  // words in the memory
    logic full_q, filled_q;         // it holds Depth words, it holds some
    logic out_valid_q;

    logic write, read;
    assign in_ready_o = !full_q;
    assign write = in_valid_i && in_ready_o;
    assign read = filled_q && (!out_valid_q || out_ready_i);

    always_ff @(posedge clk_i or negedge rst_ni) begin : control
      if (!rst_ni) begin
        count_q     <= '0;
        full_q      <= 1'b0;
        filled_q    <= 1'b0;
        out_valid_q <= 1'b0;
      end else begin
        if (write != read) begin
          count_q  <= write ? count_q + 1'b1 : count_q - 1'b1;
          full_q   <= write && count_q == CountBits'(Depth - 1);
          filled_q <= write || count_q != CountBits'(1);
        end
        out_valid_q <= read || (out_valid_q && !out_ready_i);
      end
    end

    hyq_index #(.Count(Depth)) u_write_address (
      .clk_i, .rst_ni, .en_i(write), .index_o(write_address)
    );
    hyq_index #(.Count(Depth)) u_read_address (
      .clk_i, .rst_ni, .en_i(read), .index_o(read_address)
    );

    // The addresses are equal only when the memory is empty (no read) or full (no write), so the
    // two ports never meet at one word.
    hyq_ram #(
      .Width(Width),
      .Depth(Depth)
    ) u_ram (
      .clk_i,
      .write_i        (write),
      .write_address_i(write_address),
      .write_data_i   (in_data_i),
      .read_i         (read),
      .read_address_i (read_address),
      .read_data_o    (out_data_o)
    );

    assign out_valid_o = out_valid_q;
  end

  if (KeepsOffers) begin : gen_in_checker
    hyq_stream_checker #(.Width(Width)) u_in_checker (
      .clk_i, .rst_ni, .data_i(in_data_i), .valid_i(in_valid_i), .ready_i(in_ready_o)
    );
  end
  hyq_stream_checker #(.Width(Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
