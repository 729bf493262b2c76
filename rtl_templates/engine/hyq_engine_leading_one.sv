// SPDX-License-Identifier: Apache-2.0
// The module says where the leading one of a value is, two cycles later: first in which group of
// eight bits, then where in it. The place of a value of 0 is 0.
module hyq_engine_leading_one #(
  parameter int unsigned  Width,  // up to 64
  localparam int unsigned Groups = (Width + 7) / 8
) (
  input  logic             clk_i,
  input  logic [Width-1:0] value_i,
  output logic [5:0]       place_o
);

  logic [8*Groups-1:0] value;
  logic [2:0] group_q, place;
  logic [7:0] part_q;

  assign value = (8 * Groups)'(value_i);

  always_comb begin : find
    place = '0;
    for (int unsigned b = 1; b < 8; b++) begin
      if (part_q[b]) place = 3'(b);
    end
  end

  always_ff @(posedge clk_i) begin : stages
    group_q <= '0;
    part_q  <= value[7:0];
    for (int unsigned g = 1; g < Groups; g++) begin
      if (value[8*g+:8] != '0) begin
        group_q <= 3'(g);
        part_q  <= value[8*g+:8];
      end
    end
    place_o <= {group_q, place};
  end

endmodule
