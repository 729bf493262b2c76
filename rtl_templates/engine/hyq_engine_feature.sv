// SPDX-License-Identifier: Apache-2.0
// The feature memory holds maps as words of four codes, in Pixels banks by pixel. A bank has four
// sub-banks, so that a read or a write reaches four neighbouring words of a pixel at any address.
//
// A read gives 16 neighbouring bytes of Pixels neighbouring pixels, of which the first lies in the
// bank that the read names. It takes Latency cycles: row addresses, the memory and its output
// register, then the words of a pixel come in order, then the pixels do. A write takes effect for
// the reads of later cycles. One read and one write may come in every cycle; neither ever waits.
module hyq_engine_feature
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,  // 2, 4 or 8
  parameter int unsigned  Words,   // of a bank; a multiple of 4
  localparam int unsigned Latency = 5
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  feature_read_t               read_i,
  output logic                        valid_o,
  output logic [Pixels*Outputs*8-1:0] window_o,  // [pixel][byte]
  input  feature_write_t              write_i
);

  localparam int unsigned BankBits = $clog2(Pixels);
  localparam int unsigned RowBits = $clog2(Words / 4);

  if (Words % 4 != 0 || Words > 1 << AddressBits) begin : gen_bad_words
    $error("hyq_engine_feature: Words is a multiple of 4, at most 65,536");
  end

  hyq_valid_chain #(
    .Stages(Latency)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(read_i.valid), .valid_o
  );

  // Writes: a stage turns the words so that each meets its sub-bank. Sub-bank s has the word whose
  // address is s modulo 4, which may lie in the next row.
  logic [3:0][1:0] write_word;
  logic [3:0][3:0] write_bytes_q;
  logic [3:0][31:0] write_data_q;
  logic [3:0][RowBits-1:0] write_row_q;
  logic [Pixels-1:0] write_bank_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : select_bank
    if (!rst_ni) begin
      write_bank_q <= '0;
    end else begin
      for (int unsigned b = 0; b < Pixels; b++) begin
        write_bank_q[b] <= write_i.valid && write_i.bank[BankBits-1:0] == BankBits'(b);
      end
    end
  end

  for (genvar s = 0; s < 4; s++) begin : gen_write_word
    assign write_word[s] = 2'(s) - write_i.address[1:0];
  end

  always_ff @(posedge clk_i) begin : turn_words
    for (int unsigned s = 0; s < 4; s++) begin
      write_bytes_q[s] <= write_i.bytes[4*write_word[s]+:4];
      write_data_q[s]  <= write_i.data[32*write_word[s]+:32];
      write_row_q[s]   <= RowBits'((write_i.address + AddressBits'(3 - s)) >> 2);
    end
  end

  logic [Pixels*128-1:0] ordered_q;

  for (genvar b = 0; b < Pixels; b++) begin : gen_bank
    logic [AddressBits-1:0] address;
    logic [3:0][31:0] read_q2;
    logic [1:0] turn;

    assign address = 32'(read_i.bank[BankBits-1:0]) > b ? read_i.beside : read_i.address;

    for (genvar s = 0; s < 4; s++) begin : gen_sub_bank
      (* ram_style = "block" *) logic [31:0] memory[Words/4];
      logic [RowBits-1:0] row_q;
      logic [31:0] read_q1;

      always_ff @(posedge clk_i) begin : write
        for (int unsigned k = 0; k < 4; k++) begin
          if (write_bank_q[b] && write_bytes_q[s][k]) begin
            memory[write_row_q[s]][8*k+:8] <= write_data_q[s][8*k+:8];
          end
        end
      end

      always_ff @(posedge clk_i) begin : read
        row_q      <= RowBits'((address + AddressBits'(3 - s)) >> 2);
        read_q1    <= memory[row_q];
        read_q2[s] <= read_q1;
      end
    end

    hyq_delay #(
      .Width(2), .Stages(3)
    ) u_turn (
      .clk_i, .en_i(1'b1), .data_i(address[1:0]), .data_o(turn)
    );

    always_ff @(posedge clk_i) begin : order_words
      for (int unsigned w = 0; w < 4; w++) begin
        ordered_q[b*128+32*w+:32] <= read_q2[2'(w)+turn];
      end
    end
  end

  // The pixel in the named bank becomes the first.
  logic [BankBits-1:0] first;

  hyq_delay #(
    .Width(BankBits), .Stages(Latency - 1)
  ) u_first (
    .clk_i, .en_i(1'b1), .data_i(read_i.bank[BankBits-1:0]), .data_o(first)
  );

  always_ff @(posedge clk_i) begin : order_pixels
    for (int unsigned p = 0; p < Pixels; p++) begin
      window_o[128*p+:128] <= ordered_q[128*32'(BankBits'(p)+first)+:128];
    end
  end

  hyq_engine_checker #(
    .Message("an address lies behind the feature memory")
  ) u_checker (
    .clk_i,
    .rst_ni,
    .holds_i(!write_i.valid || write_i.bytes == '0 || 32'(write_i.address) < Words)
  );

  if (BankBits < 3) begin : gen_unused
    logic unused_bank;
    assign unused_bank = ^{read_i.bank[2:BankBits], write_i.bank[2:BankBits]};
  end

endmodule
