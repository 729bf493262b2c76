// SPDX-License-Identifier: Apache-2.0
// The module is the third pass of the softmax unit: exponentials of rows whose sums are known become
// codes, Lanes per cycle, and these meet in pairs of words, first the low bytes, then the high ones.
// So a row of an odd number of words takes a cycle more.
module hyq_engine_softmax_codes
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  WordBits,
  parameter int unsigned  Lanes,
  localparam int unsigned Codes = 4  // of a word
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          start_i,
  input  softmax_e                      kind_i,       // constant while the unit works
  input  logic [4:0]                    bits_i,
  input  logic [15:0]                   high_i,       // words from low to high bytes
  input  logic [15:0]                   words_i,      // of a row
  input  logic [Codes-1:0]              last_word_i,  // which codes of the last word count
  input  logic [1:0]                    ready_i,      // the sum of a row is there in two cycles
  output logic [1:0]                    free_o,       // a row may be overwritten
  // buffer and sums of two rows
  output logic                          read_row_o,
  output logic [WordBits-1:0]           read_word_o,
  input  logic [Codes-1:0][ExpBits-1:0] exponentials_i,  // two cycles later
  input  logic [TotalBits-1:0]          total_i,
  // feature memory
  input  logic [2:0]                    target_bank_i,
  input  logic [AddressBits-1:0]        target_address_i,
  output feature_write_t                write_o,
  output logic                          row_written_o
);

  localparam int unsigned Parts = Codes / Lanes;
  localparam int unsigned ReadLatency = 2;
  localparam int unsigned CodeLatency = ProbabilityBits + 5;

  // Rows, in words and their parts; a word that fills up a pair has one part.
  logic begin_row, asking_q, row_q, row_last, part_last, word_last, fill_q, word_taken;
  logic [1:0] ready_q, part_q, this_row;
  logic [WordBits-1:0] word_q;

  assign this_row   = {row_q, !row_q};
  assign begin_row  = !asking_q && (ready_q & this_row) != '0;
  assign part_last  = fill_q || part_q == 2'(Parts - 1);
  assign word_taken = asking_q && part_last;
  assign row_last   = part_last && (fill_q || (word_last && !words_i[0]));
  assign free_o     = (Lanes == Codes ? begin_row : asking_q && row_last) ? this_row : '0;

  hyq_engine_counter #(.Bits(16)) u_word (
    .clk_i,
    .start_i,
    .step_i (word_taken && !fill_q),
    .count_i(words_i),
    .last_o (word_last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      asking_q <= 1'b0;
      ready_q  <= '0;
    end else if (start_i) begin
      ready_q <= '0;
    end else begin
      if (begin_row) asking_q <= 1'b1;
      else if (row_last) asking_q <= 1'b0;
      ready_q <= (ready_q & ~(begin_row ? this_row : '0)) | ready_i;
    end
  end

  always_ff @(posedge clk_i) begin : position
    if (start_i) begin
      row_q  <= 1'b0;
      word_q <= '0;
      part_q <= '0;
      fill_q <= 1'b0;
    end else if (asking_q) begin
      part_q <= part_last ? '0 : part_q + 1'b1;
      if (part_last) begin
        word_q <= row_last ? '0 : word_q + 1'b1;
        fill_q <= word_last && words_i[0] && !fill_q;
      end
      if (row_last) row_q <= !row_q;
    end
  end

  assign read_row_o  = row_q;
  assign read_word_o = word_q;

  typedef struct packed {
    logic             is_first;  // of the row
    logic             is_last;
    logic             is_odd;    // the second word of a pair
    logic             is_filler;
    logic [1:0]       part;
    logic             part_last;
    logic [Codes-1:0] counts;
  } code_t;

  code_t asked, arrived, coded;
  logic coded_valid;

  assign asked = '{
      is_first : word_q == '0 && part_q == '0,
      is_last  : row_last,
      is_odd   : word_q[0],
      is_filler: fill_q,
      part     : part_q,
      part_last: part_last,
      counts   : fill_q ? '0 : word_last ? last_word_i : '1
  };

  hyq_delay #(
    .Width($bits(code_t)), .Stages(ReadLatency)
  ) u_arrived (
    .clk_i, .en_i(1'b1), .data_i(asked), .data_o(arrived)
  );
  hyq_delay #(
    .Width($bits(code_t)), .Stages(CodeLatency)
  ) u_coded (
    .clk_i, .en_i(1'b1), .data_i(arrived), .data_o(coded)
  );

  hyq_valid_chain #(
    .Stages(ReadLatency + CodeLatency)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(asking_q), .valid_o(coded_valid)
  );

  // The sum of the row goes along with its codes.
  logic [TotalBits-1:0] total_q1;
  logic [CodeLatency-1:0][TotalBits-1:0] totals_q;
  logic [5:0] lead;

  always_ff @(posedge clk_i) begin : totals
    total_q1 <= total_i;
    totals_q <= (CodeLatency * TotalBits)'({totals_q, total_q1});
  end

  hyq_engine_leading_one #(
    .Width(TotalBits + 1)
  ) u_lead (
    .clk_i, .value_i({total_q1, 1'b0}), .place_o(lead)
  );

  logic [Lanes-1:0][ProbabilityBits-1:0] probabilities;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    hyq_engine_probability u_probability (
      .clk_i,
      .exponential_i(exponentials_i[2'(arrived.part*3'(Lanes))+2'(l)]),
      .totals_i     (totals_q),
      .lead_i       (lead),
      .kind_i,
      .bits_i,
      .code_o       (probabilities[l])
    );
  end

  // A pair of words.
  logic [2*Codes-1:0][7:0] low_q, high_q, high_pair_q;
  logic low_valid_q, high_valid_q, low_last_q, high_last_q, is_single_q, high_single_q, is_wide_q;
  logic [15:0] offset_q, high_offset_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_valid
    if (!rst_ni) begin
      low_valid_q  <= 1'b0;
      high_valid_q <= 1'b0;
    end else begin
      low_valid_q  <= coded_valid && coded.is_odd && coded.part_last;
      high_valid_q <= low_valid_q && is_wide_q;
    end
  end

  always_ff @(posedge clk_i) begin : collect
    is_wide_q <= bits_i > 5'd8;
    for (int unsigned c = 0; c < Codes; c++) begin
      for (int unsigned word = 0; word < 2; word++) begin
        if (coded_valid && coded.is_odd == 1'(word) && coded.part == 2'(c / Lanes)) begin
          low_q[Codes*word+c]  <= coded.counts[c] ? probabilities[c%Lanes][7:0] : '0;
          high_q[Codes*word+c] <= coded.counts[c] ? 8'(probabilities[c%Lanes][11:8]) : '0;
        end
      end
    end
    low_last_q  <= coded.is_last;
    is_single_q <= coded.is_filler;
    if (coded_valid && coded.is_first) offset_q <= '0;
    else if (low_valid_q) offset_q <= offset_q + 16'd2;

    high_pair_q   <= high_q;
    high_last_q   <= low_last_q;
    high_single_q <= is_single_q;
    high_offset_q <= offset_q + high_i;
  end

  assign row_written_o = is_wide_q ? high_valid_q && high_last_q : low_valid_q && low_last_q;
  assign write_o = '{
      valid  : low_valid_q || high_valid_q,
      bank   : target_bank_i,
      address: target_address_i + (high_valid_q ? high_offset_q : offset_q),
      bytes  : (high_valid_q ? high_single_q : is_single_q) ? 16'h000F : 16'h00FF,
      data   : 128'(high_valid_q ? high_pair_q : low_q)
  };

endmodule
