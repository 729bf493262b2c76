// SPDX-License-Identifier: Apache-2.0
// The matrix buffer takes the rows of a matrix word by word. It emits the whole matrix Passes
// times, one word of each of Banks rows per cycle. While one matrix is emitted, the next one is
// stored.
//
// A row has Blocks blocks of BlockWords words. Row r lies in bank r % Banks, as row r / Banks of
// the Rows / Banks rows of that bank. A pass emits, outermost loop first: blocks, rows of a bank,
// words of a block. Addresses have the same order, so that reads count up and writes take steps.
//
// The first word leaves two cycles after the last word of its matrix came. The write of a matrix
// takes Rows * Blocks * BlockWords cycles, and its read takes Passes / Banks times this number.
// Both overlap, and neither loses a cycle between two matrices.
module hyq_matrix_buffer #(
  parameter int unsigned Width,  // width of a word
  parameter int unsigned Banks,  // divides Rows
  parameter int unsigned Rows,
  parameter int unsigned Blocks,
  parameter int unsigned BlockWords,
  parameter int unsigned Passes
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic [Width-1:0]       in_data_i,
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  output logic [Banks*Width-1:0] out_data_o,  // bank 0 in the lowest bits
  output logic                   out_valid_o,
  input  logic                   out_ready_i
);

  localparam int unsigned BankRows = Rows / Banks;
  localparam int unsigned PageWords = Blocks * BankRows * BlockWords;  // of a matrix in a bank
  localparam int unsigned AddressBits = $clog2(2 * PageWords);
  localparam logic [AddressBits-1:0] SecondPage = AddressBits'(PageWords);

  // The write side counts word in a block, block in a row, bank, row of a bank.
  logic write, last_word, last_block, last_bank, last_row, row_end, page_end;
  logic write_page;
  logic [Banks-1:0] bank_q;  // one-hot
  logic [AddressBits-1:0] write_address_q, row_start_q, row_start_d;

  assign write     = in_valid_i && in_ready_o;
  assign row_end   = last_word && last_block;
  assign last_bank = bank_q[Banks-1];
  assign page_end  = row_end && last_bank && last_row;

  hyq_counter #(.Count(BlockWords)) u_word (
    .clk_i, .rst_ni, .en_i(write), .last_o(last_word)
  );
  hyq_counter #(.Count(Blocks)) u_block (
    .clk_i, .rst_ni, .en_i(write && last_word), .last_o(last_block)
  );
  hyq_counter #(.Count(BankRows)) u_row (
    .clk_i, .rst_ni, .en_i(write && row_end && last_bank), .last_o(last_row)
  );

  always_comb begin : next_row
    row_start_d = row_start_q;
    if (page_end) begin
      row_start_d = write_page ? '0 : SecondPage;
    end else if (last_bank) begin
      row_start_d = row_start_q + AddressBits'(BlockWords);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_control
    if (!rst_ni) begin
      write_address_q <= '0;
      row_start_q     <= '0;
      bank_q          <= Banks'(1);
    end else if (write) begin
      if (row_end) begin
        write_address_q <= row_start_d;
        row_start_q     <= row_start_d;
        bank_q          <= Banks'({bank_q, last_bank});
      end else if (last_word) begin
        write_address_q <= write_address_q + AddressBits'((BankRows - 1) * BlockWords + 1);
      end else begin
        write_address_q <= write_address_q + 1'b1;
      end
    end
  end

  // The read side counts the addresses of the page in order, Passes times.
  logic read, read_ready, pass_end, last_pass;
  logic read_page, out_valid_q;
  logic [AddressBits-1:0] read_address_q;

  hyq_pages u_pages (
    .clk_i,
    .rst_ni,
    .write_last_i (write && page_end),
    .write_page_o (write_page),
    .write_ready_o(in_ready_o),
    .read_last_i  (read && pass_end && last_pass),
    .read_page_o  (read_page),
    .read_ready_o (read_ready)
  );

  assign read     = read_ready && (!out_valid_q || out_ready_i);
  assign pass_end = read_address_q
      == (read_page ? AddressBits'(2 * PageWords - 1) : AddressBits'(PageWords - 1));

  hyq_counter #(.Count(Passes)) u_pass (
    .clk_i, .rst_ni, .en_i(read && pass_end), .last_o(last_pass)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : read_control
    if (!rst_ni) begin
      read_address_q <= '0;
      out_valid_q    <= 1'b0;
    end else begin
      out_valid_q <= read || (out_valid_q && !out_ready_i);
      if (read && pass_end) begin
        read_address_q <= read_page ^ last_pass ? SecondPage : '0;
      end else if (read) begin
        read_address_q <= read_address_q + 1'b1;
      end
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    hyq_ram #(
      .Width(Width),
      .Depth(2 * PageWords)
    ) u_ram (
      .clk_i,
      .write_i        (write && bank_q[b]),
      .write_address_i(write_address_q),
      .write_data_i   (in_data_i),
      .read_i         (read),
      .read_address_i (read_address_q),
      .read_data_o    (out_data_o[b*Width+:Width])
    );
  end

  assign out_valid_o = out_valid_q;

  hyq_stream_checker #(.Width(Banks * Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
