// hyq_row_buffer behind one register: a row of Beats beats, whose result comes two cycles after its
// last beat, needs a memory of Beats words and not of one more, which may be a power of two.
module softmax_row_buffer #(
  parameter int unsigned Width,
  parameter int unsigned Beats   // of a row, 3 or more
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic             result_valid_i,
  output logic             result_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);

  logic [Width-1:0] data_q;
  logic valid_q, buffer_ready;

  assign in_ready_o = !valid_q || buffer_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) valid_q <= 1'b0;
    else if (in_ready_o) valid_q <= in_valid_i;
  end

  always_ff @(posedge clk_i) begin : data
    if (in_ready_o) data_q <= in_data_i;
  end

  hyq_row_buffer #(
    .Width(Width),
    .Beats(Beats),
    .Depth(Beats)
  ) u_buffer (
    .clk_i,
    .rst_ni,
    .in_data_i (data_q),
    .in_valid_i(valid_q),
    .in_ready_o(buffer_ready),
    .result_valid_i,
    .result_ready_o,
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
