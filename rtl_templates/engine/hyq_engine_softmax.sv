// The softmax unit reads every row of codes three times: for its maximum, for the sum of the
// exponentials of the distances from it, and for the codes. Reference: "softmax" in docs/engine.md.
//
// The first two passes take four codes per cycle, the third Lanes codes per cycle.
module hyq_engine_softmax
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned ReadLatency,  // of the feature memory
  parameter int unsigned Lanes         // 1 or 2
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,
  input  softmax_instruction_t instruction_i,  // constant until done_o
  output logic                 done_o,         // with the last write
  output feature_read_t        read_o,
  input  logic [31:0]          word_i,
  output feature_write_t       write_o,
  input  logic                 table_write_i,    // two exponentials
  input  logic [6:0]           table_address_i,
  input  logic [63:0]          table_data_i
);

  localparam int unsigned Codes = 4;  // of a word
  localparam int unsigned Parts = Codes / Lanes;
  localparam int unsigned PartBits = $clog2(Parts);
  localparam int unsigned TableLatency = 3;
  localparam int unsigned CodeLatency = ProbabilityBits + 2;
  // Cycles from the last word of a pass to its result.
  localparam int unsigned MaximumFlush = ReadLatency + 3;
  localparam int unsigned SumFlush = ReadLatency + TableLatency + 3;

  if (Lanes != 1 && Lanes != 2) begin : gen_bad_lanes
    $error("hyq_engine_softmax: Lanes is 1 or 2");
  end

  softmax_instruction_t ins;
  assign ins = instruction_i;

  typedef enum logic [1:0] {
    PassMaximum,
    PassSum,
    PassCodes
  } pass_e;

  // Rows are pixels of the views; a word is the address of its pixel and an offset.
  logic pixel_valid, pixel_next, pixel_end;
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
    .step_i          (pixel_next),
    .valid_o         (pixel_valid),
    .end_o           (pixel_end),
    .source_bank_o   (source_bank),
    .source_address_o(source_address),
    .target_bank_o   (target_bank),
    .target_address_o(target_address)
  );

  // The passes: words are asked for, then the pass waits until its result is there.
  pass_e pass_q;
  logic asking_q, waiting_q, word_last, part_last, ask, last_asked, pass_done, written;
  logic [4:0] wait_q;
  logic [15:0] word_q;
  logic [1:0] part_q;
  logic [13:0] words;

  assign words      = 14'((17'(ins.length) + 17'd3) >> 2);
  assign part_last  = pass_q != PassCodes || part_q == 2'(Parts - 1);
  assign ask        = asking_q;
  assign last_asked = ask && part_last && word_last;
  assign pass_done  = waiting_q && (pass_q == PassCodes ? written : wait_q == '0);
  assign pixel_next = pass_done && pass_q == PassCodes;
  assign read_o     = '{
      valid  : ask,
      bank   : source_bank,
      address: source_address + word_q,
      beside : source_address + word_q
  };

  hyq_engine_counter #(.Bits(14)) u_word (
    .clk_i, .start_i, .step_i(ask && part_last), .count_i(words), .last_o(word_last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : passes
    if (!rst_ni) begin
      pass_q    <= PassMaximum;
      asking_q  <= 1'b0;
      waiting_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      done_o <= pixel_next && pixel_end;
      if (last_asked) begin
        asking_q  <= 1'b0;
        waiting_q <= 1'b1;
      end else if (pass_done) begin
        waiting_q <= 1'b0;
        asking_q  <= pass_q != PassCodes;
        unique case (pass_q)
          PassMaximum: pass_q <= PassSum;
          PassSum:     pass_q <= PassCodes;
          default:     pass_q <= PassMaximum;
        endcase
      end else if (!waiting_q && pixel_valid) begin
        asking_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin : steps
    if (start_i) begin
      word_q <= '0;
      part_q <= '0;
    end else if (ask) begin
      part_q <= part_last ? '0 : part_q + 1'b1;
      if (part_last) word_q <= word_last ? '0 : word_q + 1'b1;
    end
    if (last_asked) wait_q <= pass_q == PassMaximum ? 5'(MaximumFlush) : 5'(SumFlush);
    else if (wait_q != '0) wait_q <= wait_q - 1'b1;
  end

  // What arrives: a word, which of its codes count, and what they are for.
  typedef struct packed {
    logic             valid;
    pass_e            pass;
    logic             is_first;
    logic             is_last;  // of the pass
    logic [1:0]       part;
    logic [Codes-1:0] counts;
  } arrival_t;

  arrival_t asked, arrived;
  logic [Codes-1:0] counts;

  assign counts = word_last && ins.length[1:0] != 2'd0 ? (4'd1 << ins.length[1:0]) - 4'd1 : '1;

  assign asked = '{
      valid   : ask,
      pass    : pass_q,
      is_first: word_q == '0 && part_q == '0,
      is_last : last_asked,
      part    : part_q,
      counts  : counts
  };

  hyq_delay #(
    .Width($bits(arrival_t)), .Stages(ReadLatency)
  ) u_arrived (
    .clk_i, .en_i(1'b1), .data_i(asked), .data_o(arrived)
  );

  // Maximum: of pairs, of the word, of the row.
  logic [Codes-1:0][7:0] codes;
  logic [7:0] pair0_q, pair1_q, word_maximum_q, maximum_q;
  logic [1:0] first_q, valid_q;

  for (genvar c = 0; c < Codes; c++) begin : gen_code
    assign codes[c] = arrived.counts[c] ? word_i[8*c+:8] : '0;
  end

  always_ff @(posedge clk_i) begin : maximum
    pair0_q <= codes[0] > codes[1] ? codes[0] : codes[1];
    pair1_q <= codes[2] > codes[3] ? codes[2] : codes[3];
    valid_q <= {valid_q[0], arrived.valid && arrived.pass == PassMaximum};
    first_q <= {first_q[0], arrived.is_first};
    if (valid_q[0]) word_maximum_q <= pair0_q > pair1_q ? pair0_q : pair1_q;
    if (valid_q[1] && (first_q[1] || word_maximum_q > maximum_q)) maximum_q <= word_maximum_q;
  end

  // Exponentials of the distances: of the four codes, or of those of a part.
  logic [Codes-1:0][7:0] distance_q;
  logic [Codes-1:0][ExpBits-1:0] exponentials;
  arrival_t looked_up;

  for (genvar c = 0; c < Codes; c++) begin : gen_distance
    logic [7:0] code;
    if (c < Lanes) begin : gen_lane
      assign code = arrived.pass == PassCodes ? codes[2'(Lanes)*arrived.part+2'(c)] : codes[c];
    end else begin : gen_other
      assign code = codes[c];
    end
    always_ff @(posedge clk_i) begin : distance
      distance_q[c] <= maximum_q - code;
    end
  end

  hyq_delay #(
    .Width($bits(arrival_t)), .Stages(TableLatency)
  ) u_looked_up (
    .clk_i, .en_i(1'b1), .data_i(arrived), .data_o(looked_up)
  );

  // Even and odd entries lie apart, so that two are loaded at a time. Two codes share a memory.
  for (genvar c = 0; c < Codes; c += 2) begin : gen_table
    logic [1:0][ExpBits-1:0] even, odd;
    logic [1:0] is_odd_q;
    for (genvar half = 0; half < 2; half++) begin : gen_half
      (* ram_style = "block" *) logic [ExpBits-1:0] memory[128];
      logic [6:0] address0, address1;
      logic [ExpBits-1:0] read0_q, read1_q;
      assign address0 = table_write_i ? table_address_i : distance_q[c][7:1];
      assign address1 = distance_q[c+1][7:1];
      always_ff @(posedge clk_i) begin : port0
        if (table_write_i) memory[address0] <= table_data_i[ExpBits*half+:ExpBits];
        read0_q <= memory[address0];
      end
      always_ff @(posedge clk_i) begin : port1
        read1_q <= memory[address1];
      end
      if (half == 0) begin : gen_even
        assign even = {read1_q, read0_q};
      end else begin : gen_odd
        assign odd = {read1_q, read0_q};
      end
    end
    always_ff @(posedge clk_i) begin : select
      for (int unsigned k = 0; k < 2; k++) begin
        is_odd_q[k]       <= distance_q[c+k][0];
        exponentials[c+k] <= is_odd_q[k] ? odd[k] : even[k];
      end
    end
  end

  // Sum.
  logic [ExpBits:0] sum0_q, sum1_q;
  logic [ExpBits+1:0] sum_q;
  logic [1:0] sum_valid_q, sum_first_q;
  logic [TotalBits-1:0] total_q;

  always_ff @(posedge clk_i) begin : sum
    sum0_q <= (ExpBits + 1)'(looked_up.counts[0] ? exponentials[0] : '0)
              + (ExpBits + 1)'(looked_up.counts[1] ? exponentials[1] : '0);
    sum1_q <= (ExpBits + 1)'(looked_up.counts[2] ? exponentials[2] : '0)
              + (ExpBits + 1)'(looked_up.counts[3] ? exponentials[3] : '0);
    sum_q <= (ExpBits + 2)'(sum0_q) + (ExpBits + 2)'(sum1_q);
    sum_valid_q <= {sum_valid_q[0], looked_up.valid && looked_up.pass == PassSum};
    sum_first_q <= {sum_first_q[0], looked_up.is_first};
    if (sum_valid_q[1]) total_q <= (sum_first_q[1] ? '0 : total_q) + TotalBits'(sum_q);
  end

  // Codes, which meet in words of low and of high bytes.
  logic [Lanes-1:0][ProbabilityBits-1:0] probabilities;
  arrival_t coded;

  for (genvar l = 0; l < Lanes; l++) begin : gen_probability
    hyq_engine_probability u_probability (
      .clk_i,
      .exponential_i(exponentials[l]),
      .total_i      (total_q),
      .kind_i       (softmax_e'(ins.kind)),
      .bits_i       (ins.bits),
      .code_o       (probabilities[l])
    );
  end

  hyq_delay #(
    .Width($bits(arrival_t)), .Stages(CodeLatency)
  ) u_coded (
    .clk_i, .en_i(1'b1), .data_i(looked_up), .data_o(coded)
  );

  logic [Codes-1:0][7:0] low_q, high_q, high_word_q;
  logic low_valid_q, high_valid_q, last_q, take;
  logic [15:0] offset_q, high_offset_q;

  assign take = coded.valid && coded.pass == PassCodes;

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_valid
    if (!rst_ni) begin
      low_valid_q  <= 1'b0;
      high_valid_q <= 1'b0;
      written      <= 1'b0;
    end else begin
      low_valid_q  <= take && coded.part == 2'(Parts - 1);
      high_valid_q <= low_valid_q && ins.bits > 5'd8;
      written      <= low_valid_q && last_q;
    end
  end

  always_ff @(posedge clk_i) begin : collect
    for (int unsigned l = 0; l < Lanes; l++) begin
      if (take) begin
        low_q[PartBits'(coded.part)*Lanes+l]
            <= coded.counts[PartBits'(coded.part)*Lanes+l] ? probabilities[l][7:0] : '0;
        high_q[PartBits'(coded.part)*Lanes+l]
            <= coded.counts[PartBits'(coded.part)*Lanes+l] ? 8'(probabilities[l][11:8]) : '0;
      end
    end
    if (take) last_q <= coded.is_last;
    if (take && coded.is_first) offset_q <= '0;
    else if (low_valid_q) offset_q <= offset_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin : high_bytes
    high_word_q   <= high_q;
    high_offset_q <= offset_q + ins.high;
  end

  assign write_o = '{
      valid  : low_valid_q || high_valid_q,
      bank   : target_bank,
      address: target_address + (high_valid_q ? high_offset_q : offset_q),
      bytes  : 16'h000F,
      data   : 128'(high_valid_q ? high_word_q : low_q)
  };

  hyq_engine_checker #(
    .Message("a table is loaded while the softmax unit works")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!table_write_i || !pixel_valid)
  );

  logic unused;
  assign unused = ^ins;

endmodule
