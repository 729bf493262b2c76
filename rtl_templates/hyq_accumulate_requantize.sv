// The tail of a matrix product: sums the terms of Beats cycles in each lane and requantizes them.
//
// One rigid pipeline: adder tree (its stages), accumulator, requantization (3 stages).
// terms_ready_o is its enable. Outputs take the words of requantization entries in order.
module hyq_accumulate_requantize #(
  parameter int unsigned Lanes,
  parameter int unsigned Terms,  // that a lane takes per cycle
  parameter int unsigned TermBits,
  parameter int unsigned Beats,  // cycles of a sum
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter              RequantizeFile,
  parameter int unsigned RequantizeEntries,
  parameter int unsigned RequantizeLanes,
  parameter int unsigned RequantizeLeft,
  parameter int unsigned RequantizeBase,
  parameter int unsigned RequantizeShiftBits,
  parameter int unsigned RequantizeMultiplierBits,
  parameter int unsigned RequantizeZeroPointBits
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic [Lanes*Terms*TermBits-1:0] terms_data_i,  // term 0 of lane 0 in the lowest bits
  input  logic                            terms_valid_i,
  output logic                            terms_ready_o,
  output logic [Lanes*OutBits-1:0]        out_data_o,
  output logic                            out_valid_o,
  input  logic                            out_ready_i
);

  localparam int unsigned EntryBits =
      RequantizeShiftBits + RequantizeMultiplierBits + RequantizeZeroPointBits;

  logic en;
  assign en = !out_valid_o || out_ready_i;
  assign terms_ready_o = en;

  // Sums of a cycle.
  logic [Lanes*AccumulatorBits-1:0] sums;
  logic sums_valid;

  hyq_adder_tree #(
    .Lanes(Lanes),
    .Terms(Terms),
    .TermBits(TermBits),
    .SumBits(AccumulatorBits)
  ) u_tree (
    .clk_i,
    .rst_ni,
    .en_i(en),
    .terms_i(terms_data_i),
    .valid_i(terms_valid_i),
    .sums_o(sums),
    .valid_o(sums_valid)
  );

  // Sums of all beats.
  logic accumulate, first_beat_q, last_beat;
  logic [Lanes*AccumulatorBits-1:0] acc_q;

  assign accumulate = en && sums_valid;

  hyq_counter #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(accumulate), .last_o(last_beat)
  );

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    always_ff @(posedge clk_i) begin : accumulator
      if (accumulate) begin
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= sums[l*AccumulatorBits+:AccumulatorBits]
            + (first_beat_q ? '0 : acc_q[l*AccumulatorBits+:AccumulatorBits]);
      end
    end
  end

  // Which stages hold an output: the accumulator and the three of the requantization.
  logic [3:0] valid_q;
  assign out_valid_o = valid_q[3];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      first_beat_q <= 1'b1;
      valid_q      <= '0;
    end else if (en) begin
      valid_q <= {valid_q[2:0], sums_valid && last_beat};
      if (sums_valid) begin
        first_beat_q <= last_beat;
      end
    end
  end

  // The entries of a sum leave the memory in the cycle in which the accumulator is complete.
  logic [RequantizeLanes*EntryBits-1:0] entries;

  hyq_sequence_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Depth(RequantizeEntries / RequantizeLanes),
    .File(RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .rst_ni,
    .en_i(accumulate && last_beat),
    .data_o(entries)
  );

  hyq_requantize_lanes #(
    .Lanes(Lanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits(OutBits),
    .OutSigned(OutSigned),
    .Entries(RequantizeEntries),
    .EntryLanes(RequantizeLanes),
    .Left(RequantizeLeft),
    .Base(RequantizeBase),
    .ShiftBits(RequantizeShiftBits),
    .MultiplierBits(RequantizeMultiplierBits),
    .ZeroPointBits(RequantizeZeroPointBits)
  ) u_requantize (
    .clk_i,
    .en_i(en),
    .acc_i(acc_q),
    .entry_i(entries),
    .code_o(out_data_o)
  );

endmodule
