// The module walks over the words of the pixels of a view, row by row, and says where each lies.
// Reference: "view" and "load" in docs/engine.md.
//
// The first word is there four cycles after start_i; valid_o says so. Its inputs are constant from
// start_i to the last word.
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
  input  logic [15:0]            words_i,    // of a pixel
  input  logic [7:0]             planes_i,
  input  logic [15:0]            plane_i,    // words from a plane to the next
  input  logic [7:0]             x_first_i,  // column of the first pixel, modulo planes
  input  logic                   step_i,     // to the next word
  output logic                   valid_o,
  output logic [2:0]             bank_o,
  output logic [AddressBits-1:0] address_o,
  output logic                   pixel_end_o,  // this is the last word of its pixel
  output logic                   row_end_o,    // and of its row
  output logic                   end_o         // and of all
);

  localparam int unsigned BankBits = $clog2(Pixels);

  logic init, valid_q, word_last, pixel_last, row_last;
  logic [15:0] group_words_q, first_address_q, first_plane_q1, first_plane_q2;
  logic [15:0] row_q, group_q, plane_words_q, address_q;
  logic [15:0] row_next, group_next, plane_words_next;
  logic [7:0] plane_q;
  logic [BankBits-1:0] bank_q;
  logic plane_wraps, bank_wraps;

  hyq_valid_chain #(
    .Stages(3)
  ) u_init (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(start_i), .valid_o(init)
  );
  hyq_engine_counter #(.Bits(16)) u_word (
    .clk_i, .start_i, .step_i, .count_i(words_i), .last_o(word_last)
  );
  hyq_engine_counter #(.Bits(16)) u_pixel (
    .clk_i, .start_i, .step_i(step_i && word_last), .count_i(pixels_i), .last_o(pixel_last)
  );
  hyq_engine_counter #(.Bits(16)) u_row (
    .clk_i, .start_i, .step_i(step_i && row_end_o), .count_i(rows_i), .last_o(row_last)
  );

  assign pixel_end_o = word_last;
  assign row_end_o   = word_last && pixel_last;
  assign end_o       = row_end_o && row_last;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) valid_q <= 1'b0;
    else if (init) valid_q <= 1'b1;
    else if (step_i && end_o) valid_q <= 1'b0;
  end

  assign plane_wraps      = plane_q == planes_i - 8'd1;
  assign bank_wraps       = plane_wraps && bank_q == BankBits'(Pixels - 1);
  assign row_next         = row_q + view_i.row;
  assign group_next       = group_q + (bank_wraps ? view_i.group : 16'd0);
  assign plane_words_next = plane_wraps ? '0 : plane_words_q + plane_i;

  always_ff @(posedge clk_i) begin : position
    group_words_q   <= (view_i.x0 >> BankBits) * view_i.group;
    first_address_q <= view_i.base + group_words_q;
    first_plane_q1  <= 16'(x_first_i) * plane_i;
    first_plane_q2  <= first_plane_q1;
    if (init) begin
      row_q         <= first_address_q;
      group_q       <= first_address_q;
      plane_q       <= x_first_i;
      plane_words_q <= first_plane_q2;
      bank_q        <= view_i.x0[BankBits-1:0];
      address_q     <= first_address_q + first_plane_q2;
    end else if (step_i) begin
      if (!word_last) begin
        address_q <= address_q + 1'b1;
      end else if (!pixel_last) begin
        plane_q       <= plane_wraps ? '0 : plane_q + 1'b1;
        plane_words_q <= plane_words_next;
        bank_q        <= bank_q + BankBits'(plane_wraps);
        group_q       <= group_next;
        address_q     <= group_next + plane_words_next;
      end else begin
        row_q         <= row_next;
        group_q       <= row_next;
        plane_q       <= x_first_i;
        plane_words_q <= first_plane_q2;
        bank_q        <= view_i.x0[BankBits-1:0];
        address_q     <= row_next + first_plane_q2;
      end
    end
  end

  assign valid_o   = valid_q;
  assign bank_o    = 3'(bank_q);
  assign address_o = address_q;

  hyq_engine_checker #(
    .Message("a step behind the last word")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!step_i || valid_q)
  );

endmodule
