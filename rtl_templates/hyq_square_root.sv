// SPDX-License-Identifier: Apache-2.0
// The module makes the floor of the square root, one bit per cycle. It takes a new radicand every
// Steps + 1 cycles.
//
// It is non-restoring: the addition of the next step repairs a remainder that became negative.
// tag_i goes with the radicand and leaves with its root.
module hyq_square_root #(
  parameter int unsigned Steps,          // bits of the root; the radicand has twice as many
  parameter int unsigned RemainderBits,  // Steps + 2 or more, two's complement
  parameter int unsigned TagBits
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [2*Steps-1:0] radicand_i,
  input  logic [TagBits-1:0] tag_i,
  input  logic               in_valid_i,
  output logic               in_ready_o,
  output logic [Steps-1:0]   root_o,
  output logic [TagBits-1:0] tag_o,
  output logic               out_valid_o,
  input  logic               out_ready_i
);

  logic step, finish;

  hyq_step_control #(
    .Steps(Steps)
  ) u_control (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .step_o  (step),
    .finish_o(finish),
    .out_valid_o,
    .out_ready_i
  );

  logic [2*Steps-1:0] radicand_q;
  logic [Steps-1:0] root_d, root_q, out_root_q;
  logic signed [RemainderBits-1:0] shifted, four_roots, remainder_d, remainder_q;
  logic [TagBits-1:0] tag_q, out_tag_q;

  // The next two bits of the radicand come in, 4 root + 1 goes out (or 4 root + 3 comes back).
  assign shifted     = (remainder_q <<< 2) | RemainderBits'(radicand_q[2*Steps-1-:2]);
  assign four_roots  = RemainderBits'({root_q, 2'b00});
  assign remainder_d = remainder_q < 0 ? shifted + (four_roots | RemainderBits'(3))
                                       : shifted - (four_roots | RemainderBits'(1));
  assign root_d      = Steps'({root_q, remainder_d >= 0});

  always_ff @(posedge clk_i) begin : steps
    if (in_ready_o) begin
      radicand_q  <= radicand_i;
      remainder_q <= '0;
      root_q      <= '0;
      tag_q       <= tag_i;
    end else if (step) begin
      radicand_q  <= radicand_q << 2;
      remainder_q <= remainder_d;
      root_q      <= root_d;
    end
    if (finish) begin
      out_root_q <= root_d;
      out_tag_q  <= tag_q;
    end
  end

  assign root_o = out_root_q;
  assign tag_o  = out_tag_q;

endmodule
