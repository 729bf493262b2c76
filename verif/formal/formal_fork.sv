// hyq_fork: every output is offered each word until it takes it, once; the input moves on with the
// last taker.
module formal_fork #(
  parameter int unsigned Width,
  parameter int unsigned Outputs
) (
  input logic               clk_i,
  input logic               rst_ni,
  input logic [Width-1:0]   in_data_i,
  input logic               in_valid_i,
  input logic [Outputs-1:0] out_ready_i
);

  logic rst_n, in_ready;
  logic [Outputs*Width-1:0] out_data;
  logic [Outputs-1:0] out_valid;

  formal_reset u_reset (
    .clk_i,
    .rst_ni,
    .rst_no(rst_n)
  );

  hyq_fork #(
    .Width(Width),
    .Outputs(Outputs)
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

  formal_stable_stream #(
    .Width(Width),
    .IsInput(1'b1)
  ) u_input (
    .clk_i,
    .rst_ni(rst_n),
    .data_i(in_data_i),
    .valid_i(in_valid_i),
    .ready_i(in_ready)
  );

  logic [Outputs-1:0] served;  // outputs that took the present word, now or in an earlier cycle
  logic in_transfer;
  assign in_transfer = in_valid_i && in_ready;

  for (genvar k = 0; k < Outputs; k++) begin : gen_output
    logic has_word_q;
    assign served[k] = has_word_q || (out_valid[k] && out_ready_i[k]);

    always_ff @(posedge clk_i or negedge rst_n) begin : history
      if (!rst_n) begin
        has_word_q <= 1'b0;
      end else begin
        has_word_q <= served[k] && !in_transfer;
      end
    end

    always_comb begin : rules
      if (rst_n) begin
        assert (out_valid[k] == (in_valid_i && !has_word_q));
        assert (!out_valid[k] || out_data[k*Width+:Width] == in_data_i);
      end
    end

    formal_stable_stream #(
      .Width(Width),
      .IsInput(1'b0)
    ) u_output (
      .clk_i,
      .rst_ni(rst_n),
      .data_i(out_data[k*Width+:Width]),
      .valid_i(out_valid[k]),
      .ready_i(out_ready_i[k])
    );
  end

  always_comb begin : progress
    if (rst_n) begin
      assert (!in_valid_i || in_ready == (served == '1));
    end
  end

endmodule
