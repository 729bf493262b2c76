// Counter of Count steps that starts again by itself: one level of nested loops.
module hyq_counter #(
  parameter int unsigned Count
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic en_i,
  output logic last_o  // this step is the last one
);

  if (Count == 1) begin : gen_once
    assign last_o = 1'b1;

    logic unused_step;
    assign unused_step = ^{clk_i, rst_ni, en_i};
  end else begin : gen_count
    localparam int unsigned Bits = $clog2(Count);
    logic [Bits-1:0] count_q;

    assign last_o = count_q == Bits'(Count - 1);

    always_ff @(posedge clk_i or negedge rst_ni) begin : count
      if (!rst_ni) begin
        count_q <= '0;
      end else if (en_i) begin
        count_q <= last_o ? '0 : count_q + 1'b1;
      end
    end
  end

endmodule
