// SPDX-License-Identifier: Apache-2.0
// The move unit turns the keys or the values of attention into weights, a code per cycle.
// Reference: "move" in docs/engine.md.
//
// It walks over the tokens, and over the channels of each. A code and the record with its zero
// point are asked for together; the code comes first and waits. A lane that is the first of its
// word's lanes in this walk clears the others: with keys that is the first token of 16 with the
// first channel of three, with values the first token of three with the first channel of a group.
module hyq_engine_move
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  parameter int unsigned  ReadLatency,    // of the feature memory
  parameter int unsigned  RecordLatency,  // of the parameter memory
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  move_instruction_t           instruction_i,  // constant until done_o
  output logic                        done_o,         // with the last write
  output feature_read_t               read_o,
  input  logic [Outputs*8-1:0]        bytes_i,        // of the pixel that was read
  output logic [11:0]                 record_o,
  input  logic [WeightBits-1:0]       bias_i,
  output logic [Lanes-1:0]            weight_write_o,
  output logic [15:0]                 weight_address_o,
  output logic [Lanes*WeightBits-1:0] weight_data_o
);

  localparam int unsigned BankBits = $clog2(Pixels);

  move_instruction_t ins;
  assign ins = instruction_i;

  // Token and channel of the step; where the code lies.
  logic init, running_q, channel_last, token_last;
  logic [15:0] group_words_q, first_address_q, token_address_q, c_q;
  logic [BankBits-1:0] bank_q;
  logic [11:0] record_q;

  hyq_valid_chain #(
    .Stages(3)
  ) u_init (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(start_i), .valid_o(init)
  );
  hyq_engine_counter #(.Bits(16)) u_channel (
    .clk_i, .start_i, .step_i(running_q), .count_i(ins.channels), .last_o(channel_last)
  );
  hyq_engine_counter #(.Bits(16)) u_token (
    .clk_i, .start_i, .step_i(running_q && channel_last), .count_i(ins.tokens), .last_o(token_last)
  );

  // Where the weight lies: an output and an input of a word. Of the pair that counts the channel,
  // and the pair that counts the token, one is the input with its carry into the words.
  logic [3:0] output_q;
  logic [1:0] input_q;
  logic [15:0] word_q, token_word_q, words_per_q;
  logic [16:0] inner_q;  // n + 2
  logic [31:0] third;
  logic next_token_group, clear;

  // ceil(n / 3) for the words of a group of outputs: (n + 2) / 3, exact for 16 bits.
  assign third = 32'(inner_q) * 32'd43691;
  assign next_token_group = ins.is_values ? input_q == 2'd2 : output_q == 4'd15;
  assign clear = ins.is_values ? input_q == '0 && (output_q == '0 || c_q == ins.c0)
                               : output_q == '0 && input_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) running_q <= 1'b0;
    else if (init) running_q <= 1'b1;
    else if (channel_last && token_last) running_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin : walk
    group_words_q   <= (ins.src.x0 >> BankBits) * ins.src.group;
    first_address_q <= ins.src.base + group_words_q;
    inner_q         <= 17'(ins.is_values ? ins.tokens : ins.channels) + 17'd2;
    words_per_q     <= 16'(third >> 17);
    if (init) begin
      token_address_q <= first_address_q;
      bank_q          <= ins.src.x0[BankBits-1:0];
      c_q             <= ins.c0;
      record_q        <= {ins.param, 4'd0};
      output_q        <= ins.is_values ? ins.first : '0;
      input_q         <= '0;
      word_q          <= ins.weights;
      token_word_q    <= ins.weights;
    end else if (running_q && !channel_last) begin
      c_q      <= c_q + 1'b1;
      record_q <= record_q + 1'b1;
      if (ins.is_values) begin
        output_q <= output_q + 1'b1;
        if (output_q == 4'd15) word_q <= word_q + words_per_q;
      end else begin
        input_q <= input_q == 2'd2 ? '0 : input_q + 1'b1;
        if (input_q == 2'd2) word_q <= word_q + 1'b1;
      end
    end else if (running_q) begin
      c_q      <= ins.c0;
      record_q <= {ins.param, 4'd0};
      bank_q   <= bank_q + 1'b1;
      if (bank_q == BankBits'(Pixels - 1)) token_address_q <= token_address_q + ins.src.group;
      if (ins.is_values) begin
        output_q <= ins.first;
        input_q  <= next_token_group ? '0 : input_q + 1'b1;
      end else begin
        output_q <= output_q + 1'b1;
        input_q  <= '0;
      end
      word_q <= token_word_q;
      if (next_token_group) begin
        token_word_q <= token_word_q + (ins.is_values ? 16'd1 : words_per_q);
        word_q       <= token_word_q + (ins.is_values ? 16'd1 : words_per_q);
      end
    end
  end

  assign read_o = '{
      valid  : running_q,
      bank   : 3'(bank_q),
      address: token_address_q + (c_q >> 2),
      beside : token_address_q + (c_q >> 2)
  };

  // The record is asked for later, so that both come together.
  hyq_delay #(
    .Width(12), .Stages(ReadLatency - RecordLatency)
  ) u_record (
    .clk_i, .en_i(1'b1), .data_i(record_q), .data_o(record_o)
  );

  typedef struct packed {
    logic        is_last;
    logic        clear;
    logic [1:0]  first_byte;
    logic [3:0]  output_lane;
    logic [1:0]  input_lane;
    logic [15:0] word;
  } place_t;

  place_t place, place_read, place_q;
  logic valid, valid_q;
  logic [WeightBits-1:0] value_q;

  assign place = '{
      is_last    : channel_last && token_last,
      clear      : clear,
      first_byte : c_q[1:0],
      output_lane: output_q,
      input_lane : input_q,
      word       : word_q
  };

  hyq_delay #(
    .Width($bits(place_t)), .Stages(ReadLatency)
  ) u_place (
    .clk_i, .en_i(1'b1), .data_i(place), .data_o(place_read)
  );
  hyq_valid_chain #(
    .Stages(ReadLatency)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(running_q), .valid_o(valid)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_valid
    if (!rst_ni) begin
      valid_q <= 1'b0;
      done_o  <= 1'b0;
    end else begin
      valid_q <= valid;
      done_o  <= valid && place_read.is_last;
    end
  end

  always_ff @(posedge clk_i) begin : value
    place_q <= place_read;
    value_q <= {1'b0, bytes_i[8*place_read.first_byte+:8]} - bias_i;
  end

  assign weight_address_o = place_q.word;
  for (genvar o = 0; o < Outputs; o++) begin : gen_output
    for (genvar i = 0; i < Inputs; i++) begin : gen_input
      logic here;
      assign here = place_q.output_lane == 4'(o) && place_q.input_lane == 2'(i);
      assign weight_write_o[o*Inputs+i] = valid_q && (here || place_q.clear);
      assign weight_data_o[(o*Inputs+i)*WeightBits+:WeightBits] = here ? value_q : '0;
    end
  end

  logic unused_instruction, unused_bytes, unused_place;
  assign unused_instruction = ^ins;
  assign unused_bytes = ^bytes_i[Outputs*8-1:32];
  assign unused_place = ^{place_q.is_last, place_q.first_byte, third};

endmodule
