// SPDX-License-Identifier: Apache-2.0
// The sequencer walks through the loops of an instruction of the array, a step per cycle, and says
// where the operands and weights of each step lie. Reference: "array" in docs/engine.md.
//
// All outputs belong to the same step; its address takes five stages. Only the last step of a tile
// ever waits: for the sums of the tile before, which are still leaving, or for the parameters of
// its channels. These are read while the first tile is summed, and wait until those of the channels
// before are taken.
module hyq_engine_sequencer
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned WordBits  // of an address of the weight memory
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                start_i,
  input  array_instruction_t  instruction_i,  // constant until the instruction has ended
  output logic                fetch_o,        // parameters
  output logic [7:0]          fetch_group_o,
  input  logic                ready_i,        // they are there
  input  logic                taken_i,
  output step_t               step_o,
  output operand_t            operand_o,
  output feature_read_t       read_o,
  output logic [WordBits-1:0] weight_o
);

  localparam int unsigned BankBits = $clog2(Pixels);

  array_instruction_t ins;
  assign ins = instruction_i;

  // The loops, the innermost first. A prologue is a tile in front of those of a group.
  logic issue, step_last, kx_last, ky_last, pass_last, tile_last, row_last, group_last;
  logic kx_next, ky_next, kernel_next, pass_next, tile_next, row_next, group_next;
  logic kernel_end, tile_end;  // the step is the last of its pass, of its tile
  logic running_q, prologue_q;
  logic [15:0] tiles;

  assign tiles       = 16'((17'(ins.pixels) + 17'(Pixels - 1)) >> BankBits);
  assign kx_next     = issue && step_last;
  assign ky_next     = kx_next && kx_last;
  assign kernel_end  = step_last && kx_last && ky_last;
  assign tile_end    = kernel_end && (prologue_q || pass_last);
  assign kernel_next = issue && kernel_end;
  assign pass_next   = kernel_next && !prologue_q;
  assign tile_next   = pass_next && pass_last;
  assign row_next    = tile_next && tile_last;
  assign group_next  = row_next && row_last;

  hyq_engine_counter #(.Bits(16)) u_step (
    .clk_i, .start_i, .step_i(issue), .count_i(ins.steps), .last_o(step_last)
  );
  hyq_engine_counter #(.Bits(8)) u_kx (
    .clk_i, .start_i, .step_i(kx_next), .count_i(ins.kernel_x), .last_o(kx_last)
  );
  hyq_engine_counter #(.Bits(8)) u_ky (
    .clk_i, .start_i, .step_i(ky_next), .count_i(ins.kernel_y), .last_o(ky_last)
  );
  hyq_engine_counter #(.Bits(3)) u_pass (
    .clk_i, .start_i, .step_i(pass_next), .count_i(3'(ins.passes) + 3'd1), .last_o(pass_last)
  );
  hyq_engine_counter #(.Bits(16)) u_tile (
    .clk_i, .start_i, .step_i(tile_next), .count_i(tiles), .last_o(tile_last)
  );
  hyq_engine_counter #(.Bits(16)) u_row (
    .clk_i, .start_i, .step_i(row_next), .count_i(ins.rows), .last_o(row_last)
  );
  hyq_engine_counter #(.Bits(8)) u_group (
    .clk_i, .start_i, .step_i(group_next), .count_i(ins.groups), .last_o(group_last)
  );

  // Whether a step may go.
  logic fetch_q, first_tile_q, tile_start_q, pass_start_q, outstanding_q;
  logic [BankBits-1:0] leaving_q;  // cycles in which no tile may end
  logic [7:0] group_q;

  assign issue = running_q && !(tile_end && (leaving_q != '0
                                             || (first_tile_q && (fetch_q || !ready_i))));
  assign fetch_o = fetch_q && !outstanding_q;
  assign fetch_group_o = group_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      running_q     <= 1'b0;
      fetch_q       <= 1'b0;  // parameters of these channels are still to be asked for
      outstanding_q <= 1'b0;  // parameters were asked for and are not yet taken
      leaving_q     <= '0;
    end else begin
      if (start_i) running_q <= 1'b1;
      else if (group_next && group_last) running_q <= 1'b0;
      if (start_i || (group_next && !group_last)) fetch_q <= 1'b1;
      else if (fetch_o) fetch_q <= 1'b0;
      if (fetch_o) outstanding_q <= 1'b1;
      else if (taken_i) outstanding_q <= 1'b0;
      if (issue && tile_end) leaving_q <= BankBits'(Pixels - 1);
      else if (leaving_q != '0) leaving_q <= leaving_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin : flags
    if (start_i) begin
      first_tile_q <= 1'b1;
      tile_start_q <= 1'b1;
      pass_start_q <= 1'b0;
      prologue_q   <= ins.prologue;
      group_q      <= ins.param;
    end else if (issue) begin
      first_tile_q <= group_next || (first_tile_q && !tile_end);
      tile_start_q <= tile_end;
      pass_start_q <= pass_next && !pass_last && ins.digits;
      prologue_q   <= group_next ? ins.prologue : prologue_q && !kernel_next;
      group_q      <= group_q + 8'(group_next);
    end
  end

  // Terms of the address, each moved on by its own loop.
  logic [15:0] row_q, x_q, pass_q, ky_q, shift_q, plane_words_q, c_q, c_first_q;
  logic [15:0] weights_q, word_q;
  logic [3:0] plane_q;
  logic [4:0] plane;
  logic [1:0] digit_q;
  logic wrap;
  logic [15:0] c_first;

  assign plane   = 5'(plane_q) + 5'(ins.kx_plane);
  assign wrap    = plane >= 5'(ins.planes);
  assign c_first = c_first_q + (group_next && ins.depthwise ? 16'(Outputs) : 16'd0);

  always_ff @(posedge clk_i) begin : terms
    if (start_i) begin
      row_q         <= ins.src.base;
      x_q           <= ins.src.x0;
      pass_q        <= '0;
      digit_q       <= ins.passes;
      ky_q          <= '0;
      shift_q       <= '0;
      plane_q       <= '0;
      plane_words_q <= '0;
      c_q           <= ins.c0;
      c_first_q     <= ins.c0;
      weights_q     <= ins.weights;
      word_q        <= '0;
    end else begin
      if (row_next) row_q <= row_last ? ins.src.base : row_q + ins.src.row;
      if (tile_next) x_q <= tile_last ? ins.src.x0 : x_q + 16'(Pixels);
      if (pass_next) begin
        pass_q  <= pass_last ? '0 : pass_q + ins.pass_stride;
        digit_q <= pass_last ? ins.passes : digit_q - 1'b1;
      end
      if (ky_next) ky_q <= ky_last ? '0 : ky_q + ins.ky_stride;
      if (kx_next) begin
        plane_q       <= kx_last ? '0 : 4'(wrap ? plane - 5'(ins.planes) : plane);
        shift_q       <= kx_last ? '0 : shift_q + 16'(ins.kx_shift) + 16'(wrap);
        plane_words_q <= kx_last ? '0 : plane_words_q + ins.kx_words
                                        - (wrap ? ins.wrap_words : 16'd0);
      end
      if (issue) c_q <= step_last ? c_first : c_q + 16'(Inputs);
      c_first_q <= c_first;
      if (group_next) weights_q <= weights_q + ins.weight_group;
      if (issue) begin
        word_q <= tile_end || ins.hold || (ins.again && kernel_end) ? '0 : word_q + 1'b1;
      end
    end
  end

  // The address: pixels to the groups of banks, times the words between them, plus all other terms.
  typedef struct packed {
    step_t               step;
    operand_t            operand;
    logic [WordBits-1:0] weight;
  } beside_t;

  beside_t beside, beside_q5;
  logic constant;
  logic [15:0] pixel_q1, group_words_q2, group_words_q3, address_q4, address_q5, beside_address_q5;
  logic [15:0] rows_q1, kernel_q1, channel_q1, sum_q2, channel_q2, sum_q3;
  logic [BankBits-1:0] bank_q4, bank_q5;

  assign constant = prologue_q || ins.source == SourceConstant;
  assign beside.step = '{
      valid  : issue,
      dense  : constant || !ins.depthwise,
      first  : tile_start_q,
      digit  : pass_start_q,
      last   : tile_end,
      load   : first_tile_q,
      to_bias: prologue_q
  };
  assign beside.operand = '{
      constant  : ins.constant,
      one_hot   : ins.one_hot,
      digit     : digit_q,
      is_signed : ins.is_signed && pass_last,
      source    : constant ? SourceConstant : ins.source,
      first_byte: c_q[1:0]
  };
  assign beside.weight = WordBits'(weights_q + word_q);

  always_ff @(posedge clk_i) begin : address
    pixel_q1   <= x_q + shift_q;
    rows_q1    <= row_q + pass_q;
    kernel_q1  <= ky_q + plane_words_q;
    channel_q1 <= c_q >> 2;

    group_words_q2 <= (pixel_q1 >> BankBits) * ins.src.group;
    sum_q2         <= rows_q1 + kernel_q1;
    channel_q2     <= channel_q1;

    group_words_q3 <= group_words_q2;
    sum_q3         <= sum_q2 + channel_q2;

    address_q4 <= group_words_q3 + sum_q3;

    address_q5        <= address_q4;
    beside_address_q5 <= address_q4 + ins.src.group;
    bank_q5           <= bank_q4;
  end

  hyq_delay #(
    .Width(BankBits), .Stages(3)
  ) u_bank (
    .clk_i, .en_i(1'b1), .data_i(pixel_q1[BankBits-1:0]), .data_o(bank_q4)
  );
  hyq_delay #(
    .Width($bits(beside_t)), .Stages(5)
  ) u_beside (
    .clk_i, .en_i(1'b1), .data_i(beside), .data_o(beside_q5)
  );

  logic valid_q5;

  hyq_valid_chain #(
    .Stages(5)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(issue), .valid_o(valid_q5)
  );

  always_comb begin : outputs
    step_o       = beside_q5.step;
    step_o.valid = valid_q5;
    operand_o    = beside_q5.operand;
    weight_o     = beside_q5.weight;
    read_o       = '{
        valid  : valid_q5,
        bank   : 3'(bank_q5),
        address: address_q5,
        beside : beside_address_q5
    };
  end

  hyq_engine_checker #(
    .Message("a depthwise instruction has a prologue, or signed or one-hot operands")
  ) u_checker (
    .clk_i,
    .rst_ni,
    .holds_i(!issue || !ins.depthwise || ins.source == SourceConstant
             || (ins.source == SourceMemory && !ins.is_signed && !ins.prologue))
  );

  logic unused_instruction, unused_valid;
  assign unused_instruction = ^{ins.head, ins.dst, ins.zero, ins.high, ins.bank, ins.look_up,
                                ins.bits, ins.first, ins.channels};
  assign unused_valid = beside_q5.step.valid;

endmodule
