// What every softmax begins with: the row's maximum, and the codes that wait for it in a row buffer.
//
// A beat leaves as the distance of its code from the maximum of its row, unsigned.
module softmax_front #(
  parameter int unsigned Bits,   // of a code, unsigned
  parameter int unsigned Beats   // codes of a row, 3 or more
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic [Bits-1:0] in_data_i,
  input  logic            in_valid_i,
  output logic            in_ready_o,
  output logic [Bits-1:0] distance_o,
  output logic            out_valid_o,
  input  logic            out_ready_i
);

  logic [Bits-1:0] code, maximum, distance_q;
  logic code_ready, maximum_ready, code_valid, code_taken, maximum_valid, maximum_taken, valid_q;

  assign in_ready_o = code_ready && maximum_ready;

  hyq_row_maximum #(
    .Lanes(1),
    .Bits (Bits),
    .Beats(Beats)
  ) u_maximum (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i (in_valid_i && code_ready),
    .in_ready_o (maximum_ready),
    .out_data_o (maximum),
    .out_valid_o(maximum_valid),
    .out_ready_i(maximum_taken)
  );

  softmax_row_buffer #(
    .Width(Bits),
    .Beats(Beats)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i    (in_valid_i && maximum_ready),
    .in_ready_o    (code_ready),
    .result_valid_i(maximum_valid),
    .result_ready_o(maximum_taken),
    .out_data_o    (code),
    .out_valid_o   (code_valid),
    .out_ready_i   (code_taken)
  );

  assign code_taken  = !valid_q || out_ready_i;
  assign distance_o  = distance_q;
  assign out_valid_o = valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) valid_q <= 1'b0;
    else if (code_taken) valid_q <= code_valid;
  end

  always_ff @(posedge clk_i) begin : distance
    if (code_taken) distance_q <= maximum - code;
  end

endmodule
