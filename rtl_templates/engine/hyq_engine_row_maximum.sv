// SPDX-License-Identifier: Apache-2.0
// The module finds the largest code of a row, 16 codes per cycle. It keeps the results of two rows.
module hyq_engine_row_maximum (
  input  logic             clk_i,
  input  logic [15:0][7:0] codes_i,
  input  logic [15:0]      counts_i,   // the codes that belong to the row
  input  logic             valid_i,
  input  logic             first_i,    // of the row
  input  logic             last_i,
  input  logic             row_i,      // which of the two results
  output logic [1:0][7:0]  maximum_o   // six cycles after the last codes
);

  localparam int unsigned Levels = 4;

  logic [7:0][7:0] of_two_q;
  logic [3:0][7:0] of_four_q;
  logic [1:0][7:0] of_eight_q;
  logic [7:0] of_all_q, running_q;
  logic valid, first, last, row, last_q, row_q;

  function automatic logic [7:0] larger(logic [7:0] a, logic [7:0] b);
    return a > b ? a : b;
  endfunction

  hyq_delay #(
    .Width(4), .Stages(Levels)
  ) u_beside (
    .clk_i,
    .en_i  (1'b1),
    .data_i({valid_i, first_i, last_i, row_i}),
    .data_o({valid, first, last, row})
  );

  always_ff @(posedge clk_i) begin : tree
    for (int unsigned k = 0; k < 8; k++) begin
      of_two_q[k] <= larger(counts_i[2*k] ? codes_i[2*k] : '0,
                            counts_i[2*k+1] ? codes_i[2*k+1] : '0);
    end
    for (int unsigned k = 0; k < 4; k++) of_four_q[k] <= larger(of_two_q[2*k], of_two_q[2*k+1]);
    for (int unsigned k = 0; k < 2; k++) of_eight_q[k] <= larger(of_four_q[2*k], of_four_q[2*k+1]);
    of_all_q <= larger(of_eight_q[0], of_eight_q[1]);
    if (valid && (first || of_all_q > running_q)) running_q <= of_all_q;
    last_q <= valid && last;
    row_q  <= row;
    if (last_q) maximum_o[row_q] <= running_q;
  end

endmodule
