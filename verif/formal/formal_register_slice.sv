// hyq_register_slice is a buffer of two words with latency 1.
module formal_register_slice #(
  parameter int unsigned Width
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

  hyq_register_slice #(
    .Width(Width)
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
    .Capacity(2),
    .Latency(1)
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
