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
    localparam int unsigned Bits = hyq_pkg::index_width(Count);
    logic [Bits-1:0] index;

    hyq_index #(.Count(Count)) u_index (.clk_i, .rst_ni, .en_i, .index_o(index));

    assign last_o = index == Bits'(Count - 1);
  end

endmodule
