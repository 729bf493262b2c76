// SPDX-License-Identifier: Apache-2.0
// The softmax unit makes three passes over every row of codes: for its maximum, for the sum of the
// exponentials of the distances from it, and for the codes. Reference: "softmax" in docs/engine.md.
//
// The first pass reads 16 codes per cycle, the second four; it keeps the exponentials, of which the
// third takes Lanes per cycle. So the third pass of a row needs no port of the feature memory, and
// runs beside the first two of the rows behind it: two rows have room in the buffer. The first pass
// is a row ahead of the second, which hides the latency of the maximum.
module hyq_engine_softmax
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned ReadLatency,  // of the feature memory
  parameter int unsigned Length,       // codes of the longest row
  parameter int unsigned Lanes         // 1, 2 or 4
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,
  input  softmax_instruction_t instruction_i,  // constant until done_o
  output logic                 done_o,         // the last write was in the cycle before
  output feature_read_t        read_o,
  input  logic [127:0]         bytes_i,        // of the pixel that was read
  output feature_write_t       write_o,
  input  logic                 table_write_i,    // two exponentials
  input  logic [6:0]           table_address_i,
  input  logic [63:0]          table_data_i
);

  localparam int unsigned Codes = 4;  // of a word
  localparam int unsigned WordBits = Length > 2 * Codes ? $clog2((Length + Codes - 1) / Codes) : 1;
  localparam int unsigned TableLatency = 3;

  if (Lanes != 1 && Lanes != 2 && Lanes != 4) begin : gen_bad_lanes
    $error("hyq_engine_softmax: Lanes is 1, 2 or 4");
  end
  if (Length > 1 << (TotalBits - ExpBits)) begin : gen_bad_length
    $error("hyq_engine_softmax: the sum of a row of Length exponentials has no room");
  end

  softmax_instruction_t ins;
  assign ins = instruction_i;

  // Rows are pixels of the views.
  logic row_valid, row_taken, row_written, written_q, row_end;
  logic [2:0] source_bank, target_bank;
  logic [AddressBits-1:0] source_address, target_address;

  hyq_engine_pixels #(
    .Pixels(Pixels)
  ) u_pixels (
    .clk_i,
    .rst_ni,
    .start_i,
    .source_i        (ins.src),
    .target_i        (ins.dst),
    .rows_i          (ins.rows),
    .pixels_i        (ins.pixels),
    .source_step_i   (row_taken),
    .source_valid_o  (row_valid),
    .source_bank_o   (source_bank),
    .source_address_o(source_address),
    .target_step_i   (written_q),
    .target_end_o    (row_end),
    .target_bank_o   (target_bank),
    .target_address_o(target_address)
  );

  // The first two passes. Of two neighbouring rows, each has its maximum, its half of the buffer
  // and its sum; a row is named by the last bit of its number.
  typedef enum logic [1:0] {
    StateChoose,
    StateMaximum,
    StateSum
  } state_e;

  state_e state_q;
  logic begin_maximum, begin_sum, ask_maximum, ask_sum, maximum_last, sum_last;
  logic maximum_row_q, sum_row_q, is_first_q;
  logic [1:0] ahead_q, has_maximum_q, is_used_q, set_maximum, set_used, clear_used;
  logic [2:0] bank_q;
  logic [1:0][2:0] banks_q;
  logic [AddressBits-1:0] address_q;
  logic [1:0][AddressBits-1:0] addresses_q;
  logic [15:0] words, sixteens;
  logic [3:0] last_word_q;    // which of its codes count
  logic [15:0] last_codes_q;  // which of the last 16

  assign words    = 16'((17'(ins.length) + 17'd3) >> 2);
  assign sixteens = 16'((17'(ins.length) + 17'd15) >> 4);

  assign begin_maximum = state_q == StateChoose && row_valid && !ahead_q[1];
  assign begin_sum     = state_q == StateChoose && !begin_maximum && ahead_q != '0
                         && has_maximum_q[sum_row_q] && !is_used_q[sum_row_q];
  assign ask_maximum   = state_q == StateMaximum;
  assign ask_sum       = state_q == StateSum;
  assign row_taken     = begin_maximum;
  assign set_used      = {begin_sum && sum_row_q, begin_sum && !sum_row_q};
  assign read_o = '{
      valid  : ask_maximum || ask_sum,
      bank   : bank_q,
      address: address_q,
      beside : address_q
  };

  hyq_engine_counter #(.Bits(16)) u_sixteen (
    .clk_i, .start_i, .step_i(ask_maximum), .count_i(sixteens), .last_o(maximum_last)
  );
  hyq_engine_counter #(.Bits(16)) u_word (
    .clk_i, .start_i, .step_i(ask_sum), .count_i(words), .last_o(sum_last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : states
    if (!rst_ni) begin
      state_q       <= StateChoose;
      ahead_q       <= '0;
      has_maximum_q <= '0;
      is_used_q     <= '0;
    end else if (start_i) begin
      ahead_q       <= '0;
      has_maximum_q <= '0;
      is_used_q     <= '0;
    end else begin
      if (begin_maximum) state_q <= StateMaximum;
      else if (begin_sum) state_q <= StateSum;
      else if (ask_maximum ? maximum_last : sum_last) state_q <= StateChoose;
      if (begin_maximum) ahead_q <= ahead_q + 1'b1;
      else if (begin_sum) ahead_q <= ahead_q - 1'b1;
      has_maximum_q <= (has_maximum_q & ~set_used) | set_maximum;
      is_used_q     <= (is_used_q & ~clear_used) | set_used;
    end
  end

  always_ff @(posedge clk_i) begin : position
    last_word_q  <= (4'd1 << ins.length[1:0]) - 4'd1;
    last_codes_q <= (16'd1 << ins.length[3:0]) - 16'd1;
    is_first_q   <= state_q == StateChoose;
    if (start_i) begin
      maximum_row_q <= 1'b0;
      sum_row_q     <= 1'b0;
    end else begin
      if (ask_maximum && maximum_last) maximum_row_q <= !maximum_row_q;
      if (ask_sum && sum_last) sum_row_q <= !sum_row_q;
    end
    if (begin_maximum) begin
      banks_q[maximum_row_q]     <= source_bank;
      addresses_q[maximum_row_q] <= source_address;
    end
    if (state_q == StateChoose) begin
      bank_q    <= begin_maximum ? source_bank : banks_q[sum_row_q];
      address_q <= begin_maximum ? source_address : addresses_q[sum_row_q];
    end else begin
      address_q <= address_q + (ask_maximum ? 16'd4 : 16'd1);
    end
  end

  // What arrives.
  typedef struct packed {
    logic        is_first;
    logic        is_last;  // of the pass
    logic        row;
    logic        is_whole;
  } arrival_t;

  arrival_t asked, arrived, read_out, looked_up;
  logic maximum_arrived, sum_arrived, sum_looked_up;
  logic [15:0] arrived_counts;
  logic [3:0] looked_up_counts_q;
  logic [1:0][7:0] maximum;

  assign asked = '{
      is_first: is_first_q,
      is_last : ask_maximum ? maximum_last : sum_last,
      row     : ask_maximum ? maximum_row_q : sum_row_q,
      is_whole: ask_maximum ? !maximum_last || ins.length[3:0] == '0
                            : !sum_last || ins.length[1:0] == '0
  };

  hyq_delay #(
    .Width($bits(arrival_t)), .Stages(ReadLatency)
  ) u_arrived (
    .clk_i, .en_i(1'b1), .data_i(asked), .data_o(arrived)
  );

  hyq_valid_chain #(
    .Stages(ReadLatency)
  ) u_maximum_arrived (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(ask_maximum), .valid_o(maximum_arrived)
  );
  hyq_valid_chain #(
    .Stages(ReadLatency)
  ) u_sum_arrived (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(ask_sum), .valid_o(sum_arrived)
  );

  assign arrived_counts = arrived.is_whole ? '1 : last_codes_q;
  assign set_maximum    = {maximum_arrived && arrived.is_last && arrived.row,
                           maximum_arrived && arrived.is_last && !arrived.row};

  hyq_engine_row_maximum u_maximum (
    .clk_i,
    .codes_i  (bytes_i),
    .counts_i (arrived_counts),
    .valid_i  (maximum_arrived),
    .first_i  (arrived.is_first),
    .last_i   (arrived.is_last),
    .row_i    (arrived.row),
    .maximum_o(maximum)
  );

  logic [Codes-1:0][ExpBits-1:0] exponentials;

  hyq_engine_exponentials u_exponentials (
    .clk_i,
    .maximum_i     (maximum[arrived.row]),
    .codes_i       (bytes_i[31:0]),
    .exponentials_o(exponentials),
    .write_i       (table_write_i),
    .address_i     (table_address_i),
    .data_i        (table_data_i)
  );
  hyq_delay #(
    .Width($bits(arrival_t)), .Stages(TableLatency - 1)
  ) u_read_out (
    .clk_i, .en_i(1'b1), .data_i(arrived), .data_o(read_out)
  );

  hyq_valid_chain #(
    .Stages(TableLatency)
  ) u_sum_looked_up (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(sum_arrived), .valid_o(sum_looked_up)
  );

  always_ff @(posedge clk_i) begin : look_up
    looked_up          <= read_out;
    looked_up_counts_q <= read_out.is_whole ? '1 : last_word_q;
  end

  // Sums, and the exponentials of two rows.
  (* ram_style = "block" *) logic [Codes*ExpBits-1:0] buffer[2<<WordBits];
  logic [WordBits-1:0] write_word_q;
  logic [ExpBits:0] sum0_q, sum1_q;
  logic [ExpBits+1:0] sum_q;
  logic [TotalBits-1:0] running_q;
  logic [1:0][TotalBits-1:0] totals_q;
  logic [1:0] sum_valid_q, sum_first_q;
  logic [2:0] sum_last_q, sum_row_late_q;
  logic [1:0] set_total;

  always_ff @(posedge clk_i) begin : sum
    if (sum_looked_up) begin
      buffer[{looked_up.row, write_word_q}] <= exponentials;
      write_word_q <= looked_up.is_last ? '0 : write_word_q + 1'b1;
    end
    if (start_i) write_word_q <= '0;
    sum0_q <= (ExpBits + 1)'(looked_up_counts_q[0] ? exponentials[0] : '0)
              + (ExpBits + 1)'(looked_up_counts_q[1] ? exponentials[1] : '0);
    sum1_q <= (ExpBits + 1)'(looked_up_counts_q[2] ? exponentials[2] : '0)
              + (ExpBits + 1)'(looked_up_counts_q[3] ? exponentials[3] : '0);
    sum_q          <= (ExpBits + 2)'(sum0_q) + (ExpBits + 2)'(sum1_q);
    sum_valid_q    <= {sum_valid_q[0], sum_looked_up};
    sum_first_q    <= {sum_first_q[0], looked_up.is_first};
    sum_row_late_q <= {sum_row_late_q[1:0], looked_up.row};
    if (sum_valid_q[1]) running_q <= (sum_first_q[1] ? '0 : running_q) + TotalBits'(sum_q);
    if (sum_last_q[2]) totals_q[sum_row_late_q[2]] <= running_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : sum_end
    if (!rst_ni) sum_last_q <= '0;
    else sum_last_q <= {sum_last_q[1:0], sum_looked_up && looked_up.is_last};
  end

  assign set_total = {sum_last_q[1] && sum_row_late_q[1], sum_last_q[1] && !sum_row_late_q[1]};

  logic [WordBits-1:0] read_word;
  logic read_row;
  logic [Codes-1:0][ExpBits-1:0] read_q1, read_q2;

  always_ff @(posedge clk_i) begin : read
    read_q1 <= buffer[{read_row, read_word}];
    read_q2 <= read_q1;
  end

  hyq_engine_softmax_codes #(
    .WordBits(WordBits),
    .Lanes   (Lanes)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .start_i,
    .kind_i          (softmax_e'(ins.kind)),
    .bits_i          (ins.bits),
    .high_i          (ins.high),
    .words_i         (words),
    .last_word_i     (ins.length[1:0] == '0 ? 4'hF : last_word_q),
    .ready_i         (set_total),
    .free_o          (clear_used),
    .read_row_o      (read_row),
    .read_word_o     (read_word),
    .exponentials_i  (read_q2),
    .total_i         (totals_q[read_row]),
    .target_bank_i   (target_bank),
    .target_address_i(target_address),
    .write_o,
    .row_written_o   (row_written)
  );

  // No word of the next row is written in the two cycles behind the last of a row.
  always_ff @(posedge clk_i or negedge rst_ni) begin : done
    if (!rst_ni) begin
      written_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      written_q <= row_written;
      done_o    <= row_written && row_end;
    end
  end

  hyq_engine_checker #(
    .Message("a table is loaded while the softmax unit works")
  ) u_table_checker (
    .clk_i, .rst_ni, .holds_i(!table_write_i || !row_valid)
  );
  hyq_engine_checker #(
    .Message("a row is longer than the softmax unit has room for")
  ) u_length_checker (
    .clk_i, .rst_ni, .holds_i(!row_taken || 32'(ins.length) <= Length)
  );

  logic unused;
  assign unused = ^{ins, looked_up};

endmodule
