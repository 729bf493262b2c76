// What the interactive simulator must find: wide ports, memories, generate blocks, a tree.

module nested_leaf #(
  parameter int unsigned Offset = 0
) (
  input  logic       clk,
  input  logic       rst,
  input  logic [7:0] in_i,
  output logic [7:0] out_o
);
  logic [7:0] history_q[2][3];
  assign out_o = in_i + 8'(Offset);

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < 2; i++) for (int j = 0; j < 3; j++) history_q[i][j] <= 8'(10 * i + j);
    end else begin
      history_q[1][2] <= in_i;
    end
  end
endmodule

module nested (
  input  logic         clk,
  input  logic         rst,
  input  logic         stop_i,
  input  logic [99:0]  wide_i,
  output logic [99:0]  wide_o,
  output logic [63:0]  count_o,
  output logic [23:0]  leaves_o
);
  assign wide_o = ~wide_i;

  // Bits of one vector depend on other bits of it, as those of counters do: no loop, but a
  // vector that can be seen as a whole looks like one.
  logic [3:0] all_up_to;
  for (genvar i = 0; i < 4; i++) begin : gen_chain
    logic lower;
    if (i == 0) begin : gen_first
      assign lower = 1'b1;
    end else begin : gen_next
      assign lower = all_up_to[i-1];
    end
    assign all_up_to[i] = lower && wide_i[i];
  end

  for (genvar i = 0; i < 3; i++) begin : gen_leaf
    nested_leaf #(
      .Offset(i)
    ) u_leaf (
      .clk(clk),
      .rst(rst),
      .in_i(wide_i[7:0]),
      .out_o(leaves_o[i*8+:8])
    );
  end

  always_ff @(posedge clk) begin
    if (rst) count_o <= '0;
    else count_o <= count_o + 1'b1;
    if (stop_i) $fatal(1, "stop_i is high");
  end
endmodule
