// SPDX-License-Identifier: Apache-2.0
// The module walks over the words of the pixels of a view, row by row, and says where each lies.
// Reference: "view" and "load" in docs/engine.md. It takes a word in a step, or two neighbours.
//
// The first word is there four cycles after start_i; valid_o says so. Its inputs are constant from
// start_i to the last word. All that concerns a pixel is known while the walk is at the pixel
// before, so that a step needs no more than one adder.
module hyq_engine_walk
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   start_i,
  input  view_t                  view_i,
  input  logic [15:0]            rows_i,
  input  logic [15:0]            pixels_i,
  input  logic [15:0]            steps_i,    // of a pixel
  input  logic                   pairs_i,    // a step takes two words
  input  logic [7:0]             planes_i,
  input  logic [15:0]            plane_i,    // words from a plane to the next
  input  logic [7:0]             x_first_i,  // column of the first pixel, modulo planes
  input  logic                   step_i,     // to the next word or pair
  output logic                   valid_o,
  output logic [2:0]             bank_o,
  output logic [AddressBits-1:0] address_o,
  output logic                   row_end_o,  // this is the last step of its row
  output logic                   end_o       // and of all
);

  localparam int unsigned BankBits = $clog2(Pixels);

  // What is known of the instruction in the second cycle.
  logic init, fill_q, valid_q, advance, word_last, pixel_last, row_last;
  logic [15:0] group_words_q, first_address_q, first_plane_q1, first_plane_q2;
  logic [7:0] first_left_q;
  logic first_last_q, one_plane_q;

  hyq_valid_chain #(
    .Stages(2)
  ) u_init (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(start_i), .valid_o(init)
  );

  always_ff @(posedge clk_i) begin : first
    group_words_q   <= (view_i.x0 >> BankBits) * view_i.group;
    first_address_q <= view_i.base + group_words_q;
    first_plane_q1  <= 16'(x_first_i) * plane_i;
    first_plane_q2  <= first_plane_q1;
    first_left_q    <= planes_i - x_first_i;
    first_last_q    <= first_left_q == 8'd1;
    one_plane_q     <= planes_i == 8'd1;
  end

  // Counters of pixels and rows are a pixel ahead.
  assign advance = fill_q || (step_i && word_last);

  hyq_engine_counter #(.Bits(16)) u_word (
    .clk_i, .start_i, .step_i, .count_i(steps_i), .last_o(word_last)
  );
  hyq_engine_counter #(.Bits(16)) u_pixel (
    .clk_i, .start_i, .step_i(advance), .count_i(pixels_i), .last_o(pixel_last)
  );
  hyq_engine_counter #(.Bits(16)) u_row (
    .clk_i, .start_i, .step_i(advance && pixel_last), .count_i(rows_i), .last_o(row_last)
  );

  // The pixel ahead: its plane, its bank and its address. The row behind its own is known too.
  logic [15:0] row_q, group_q, plane_words_q;
  logic [7:0] plane_left_q;  // planes from its own to the last
  logic plane_last_q, bank_wraps;
  logic [BankBits-1:0] ahead_bank_q;

  assign bank_wraps = plane_last_q && ahead_bank_q == BankBits'(Pixels - 1);

  always_ff @(posedge clk_i) begin : ahead
    if (init) row_q <= first_address_q + view_i.row;
    else if (advance && pixel_last) row_q <= row_q + view_i.row;

    if (init || (advance && pixel_last)) begin
      group_q       <= init ? first_address_q : row_q;
      plane_words_q <= first_plane_q2;
      plane_left_q  <= first_left_q;
      plane_last_q  <= first_last_q;
      ahead_bank_q  <= view_i.x0[BankBits-1:0];
    end else if (advance) begin
      group_q       <= group_q + (bank_wraps ? view_i.group : 16'd0);
      plane_words_q <= plane_last_q ? '0 : plane_words_q + plane_i;
      plane_left_q  <= plane_last_q ? planes_i : plane_left_q - 1'b1;
      plane_last_q  <= plane_last_q ? one_plane_q : plane_left_q == 8'd2;
      ahead_bank_q  <= ahead_bank_q + BankBits'(plane_last_q);
    end
  end

  // The word.
  logic pixel_end_q, end_q;
  logic [BankBits-1:0] bank_q;
  logic [15:0] address_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      fill_q  <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      fill_q <= init;
      if (fill_q) valid_q <= 1'b1;
      else if (step_i && end_o) valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin : position
    if (advance) begin
      bank_q      <= ahead_bank_q;
      pixel_end_q <= pixel_last;
      end_q       <= pixel_last && row_last;
    end
    if (advance || step_i) begin
      address_q <= (advance ? group_q : address_q)
                   + (advance ? plane_words_q : pairs_i ? 16'd2 : 16'd1);
    end
  end

  assign valid_o   = valid_q;
  assign bank_o    = 3'(bank_q);
  assign address_o = address_q;
  assign row_end_o = word_last && pixel_end_q;
  assign end_o     = word_last && end_q;

  hyq_engine_checker #(
    .Message("a step behind the last word")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!step_i || valid_q)
  );

endmodule
