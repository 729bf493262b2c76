// Reset of a proof: low in the first cycle, free in every later one. So a proof also says that a
// part starts anew after a reset at any time.
module formal_reset (
  input  logic clk_i,
  input  logic rst_ni,
  output logic rst_no
);

  logic started_q;

  initial begin : first_cycle
    started_q = 1'b0;
  end

  always_ff @(posedge clk_i) begin : start
    started_q <= 1'b1;
  end

  assign rst_no = started_q && rst_ni;

endmodule
