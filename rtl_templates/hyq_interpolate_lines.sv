// SPDX-License-Identifier: Apache-2.0
// The module makes twice as many lines of Words words: 3 * nearer + farther + Summand of the two
// lines between which each of them lies. The first and the last one lie beside a single line, which
// stands for both. A line is a row of a map, or a pixel of a row.
//
// One word leaves per cycle. The first line of the result takes the first line of the input; each
// second line takes the next one, up to the last line, which takes none. Two banks hold the last
// two lines. There are three stages: the word or the memories, the operands, the sum.
// Reference: hyq_hls/ops/upsample.py, Upsample.
module hyq_interpolate_lines #(
  parameter int unsigned Lines,    // lines of a frame of the input
  parameter int unsigned Words,    // words of a line
  parameter int unsigned Lanes,
  parameter int unsigned Bits,     // bits of a code of the input
  parameter bit          Signed,
  parameter int unsigned Summand,
  localparam int unsigned OutBits = Bits + 2
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic [Lanes*Bits-1:0]    in_data_i,
  input  logic                     in_valid_i,
  output logic                     in_ready_o,
  output logic [Lanes*OutBits-1:0] out_data_o,
  output logic                     out_valid_o,
  input  logic                     out_ready_i
);

  localparam int unsigned Depth = hyq_pkg::max(Words, 2);
  localparam int unsigned AddressBits = hyq_pkg::index_width(Depth);

  // This is the place of the next word of the result. The newer line is the one that comes, or came
  // last; newer_q is its bank. Beside a border there is no older line.
  logic takes_q, odd_q, newer_q, border_q;
  logic last_word, last_line, line_end;
  logic en, ready, valid, step;
  logic [hyq_pkg::index_width(Words)-1:0] word;

  assign valid      = in_valid_i || !takes_q;
  assign in_ready_o = ready && takes_q;
  assign step       = ready && valid;
  assign last_word  = word == $bits(word)'(Words - 1);
  assign line_end   = step && last_word;

  hyq_index #(.Count(Words)) u_word (.clk_i, .rst_ni, .en_i(step), .index_o(word));
  hyq_counter #(.Count(Lines)) u_line (
    .clk_i, .rst_ni, .en_i(line_end && odd_q), .last_o(last_line)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : place
    if (!rst_ni) begin
      takes_q  <= 1'b1;
      odd_q    <= 1'b0;
      newer_q  <= 1'b0;
      border_q <= 1'b1;
    end else if (line_end) begin
      odd_q    <= !odd_q;
      takes_q  <= odd_q == last_line;  // a line between two others, or the first one
      border_q <= last_line;
      if (odd_q && last_line) newer_q <= 1'b0;
      else if (!odd_q && !last_line) newer_q <= !newer_q;
    end
  end

  // Stage 1 holds the word that comes, and reads both banks.
  typedef enum logic [1:0] {
    BankZero, BankOne, Input
  } source_e;

  source_e newer, older, nearer_q, farther_q;
  logic [Lanes*Bits-1:0] in_data_q;
  logic [1:0][Lanes*Bits-1:0] stored;

  always_comb begin : sources
    newer = newer_q ? BankOne : BankZero;
    older = newer_q ? BankZero : BankOne;
    if (takes_q) newer = Input;
    if (border_q) older = newer;
  end

  always_ff @(posedge clk_i) begin : word_stage
    if (en) begin
      in_data_q <= in_data_i;
      nearer_q  <= odd_q ? older : newer;
      farther_q <= odd_q ? newer : older;
    end
  end

  for (genvar b = 0; b < 2; b++) begin : gen_bank
    logic is_newer;
    assign is_newer = newer_q == 1'(b);

    hyq_ram #(
      .Width(Lanes * Bits),
      .Depth(Depth)
    ) u_ram (
      .clk_i,
      .write_i        (step && takes_q && is_newer),
      .write_address_i(AddressBits'(word)),
      .write_data_i   (in_data_i),
      .read_i         (step && !(takes_q && is_newer)),
      .read_address_i (AddressBits'(word)),
      .read_data_o    (stored[b])
    );
  end

  // Stage 2 chooses the operands, and stage 3 makes the sums.
  logic [Lanes*Bits-1:0] nearer_operand_q, farther_operand_q;
  logic [Lanes*OutBits-1:0] sum_q;

  function automatic logic [Lanes*Bits-1:0] chosen(source_e source);
    unique case (source)
      BankZero: return stored[0];
      BankOne:  return stored[1];
      default:  return in_data_q;
    endcase
  endfunction

  always_ff @(posedge clk_i) begin : operand_stage
    if (en) begin
      nearer_operand_q  <= chosen(nearer_q);
      farther_operand_q <= chosen(farther_q);
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [Bits-1:0] nearer, farther;
    logic [OutBits-1:0] wide_nearer, wide_farther;

    assign nearer       = nearer_operand_q[l*Bits+:Bits];
    assign farther      = farther_operand_q[l*Bits+:Bits];
    assign wide_nearer  = {{2{Signed && nearer[Bits-1]}}, nearer};
    assign wide_farther = {{2{Signed && farther[Bits-1]}}, farther};

    always_ff @(posedge clk_i) begin : sum
      if (en) begin
        sum_q[l*OutBits+:OutBits] <=
            (wide_nearer << 1) + wide_nearer + wide_farther + OutBits'(Summand);
      end
    end
  end

  hyq_stream_pipeline #(.Stages(3)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(valid),
    .in_ready_o(ready),
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  assign out_data_o = sum_q;

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
