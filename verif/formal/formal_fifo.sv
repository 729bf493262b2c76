// hyq_fifo is a buffer: two words and latency 1 up to Depth 2, else Depth + 1 words and latency 2.
module formal_fifo #(
  parameter int unsigned Width,
  parameter int unsigned Depth
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic [Width-1:0] in_data_i,
  input logic             in_valid_i,
  input logic             out_ready_i
);

  logic rst_n, in_ready, out_valid;
  logic [Width-1:0] out_data;

  formal_reset u_reset (
    .clk_i,
    .rst_ni,
    .rst_no(rst_n)
  );

  hyq_fifo #(
    .Width(Width),
    .Depth(Depth)
  ) u_dut (
    .clk_i,
    .rst_ni(rst_n),
    .in_data_i,
    .in_valid_i,
    .in_ready_o(in_ready),
    .out_data_o(out_data),
    .out_valid_o(out_valid),
    .out_ready_i
  );

  formal_queue #(
    .Width(Width),
    .Capacity(Depth <= 2 ? 2 : Depth + 1),
    .Latency(Depth <= 2 ? 1 : 2)
  ) u_queue (
    .clk_i,
    .rst_ni(rst_n),
    .in_data_i,
    .in_valid_i,
    .in_ready_i(in_ready),
    .out_data_i(out_data),
    .out_valid_i(out_valid),
    .out_ready_i
  );

endmodule
