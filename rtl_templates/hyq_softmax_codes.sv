// SPDX-License-Identifier: Apache-2.0
// The module is the first part of a softmax. It offers the codes of every row with the largest code
// of their row.
//
// The tree of hyq_row_maximum works on the next row while a row buffer gives the codes of the last
// one, a beat per cycle.
module hyq_softmax_codes #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,   // bits of a code
  parameter bit          Signed,
  parameter int unsigned Beats,  // beats of a row
  parameter int unsigned Depth   // beats in the row buffer
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic [Lanes*Bits-1:0] in_data_i,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  output logic [Lanes*Bits-1:0] code_o,       // unsigned: only differences count
  output logic [Bits-1:0]       maximum_o,
  output logic                  out_valid_o,
  input  logic                  out_ready_i
);

  // An inverted sign bit makes signed codes unsigned and keeps their differences.
  logic [Lanes*Bits-1:0] codes;
  logic code_ready, maximum_ready, maximum_valid, maximum_taken;

  assign codes = in_data_i ^ {Lanes{Signed, {(Bits - 1) {1'b0}}}};
  assign in_ready_o = code_ready && maximum_ready;

  hyq_row_maximum #(
    .Lanes(Lanes),
    .Bits (Bits),
    .Beats(Beats)
  ) u_maximum (
    .clk_i,
    .rst_ni,
    .in_data_i  (codes),
    .in_valid_i (in_valid_i && code_ready),
    .in_ready_o (maximum_ready),
    .out_data_o (maximum_o),
    .out_valid_o(maximum_valid),
    .out_ready_i(maximum_taken)
  );

  hyq_row_buffer #(
    .Width(Lanes * Bits),
    .Beats(Beats),
    .Depth(Depth)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .in_data_i     (codes),
    .in_valid_i    (in_valid_i && maximum_ready),
    .in_ready_o    (code_ready),
    .result_valid_i(maximum_valid),
    .result_ready_o(maximum_taken),
    .out_data_o    (code_o),
    .out_valid_o,
    .out_ready_i
  );

endmodule
