// Sigmoid of x_i * 2**-Fraction from a table over [-8, 8), as hls4ml 1.3.0 looks it up
// (nnet_activation.h, sigmoid): the index saturates. Fraction is at most log2(Entries / 16), so that
// the index is exact. Reference: benchmarks/circuits/unary_reference.py, range_table.
//
// Two stages: index; memory. An entry has more bits above the point than the gate needs.
module unary_range_table #(
  parameter int unsigned CentredBits,
  parameter int unsigned Fraction,
  parameter int unsigned Precision,   // fraction bits of an entry
  parameter int unsigned Entries,
  parameter int unsigned EntryBits,
  parameter              File
) (
  input  logic                          clk_i,
  input  logic                          en_i,
  input  logic signed [CentredBits-1:0] x_i,
  output logic [Precision:0]            gate_o
);

  localparam int unsigned IndexBits = $clog2(Entries);
  localparam int unsigned Scale = IndexBits - 4 - Fraction;  // an entry is 2**-(IndexBits - 4) wide
  localparam int unsigned SumBits = CentredBits + Scale + IndexBits;

  logic signed [SumBits-1:0] sum;
  logic [IndexBits-1:0] index_q;
  logic [EntryBits-1:0] entry;

  assign sum = (SumBits'(x_i) <<< Scale) + SumBits'(Entries / 2);

  always_ff @(posedge clk_i) begin : index
    if (en_i) begin
      if (sum[SumBits-1]) begin
        index_q <= '0;
      end else begin
        index_q <= |sum[SumBits-1:IndexBits] ? '1 : sum[IndexBits-1:0];
      end
    end
  end

  hyq_rom #(
    .Width(EntryBits),
    .Depth(Entries),
    .File (File)
  ) u_rom (
    .clk_i,
    .en_i,
    .addr_i(index_q),
    .data_o(entry)
  );

  assign gate_o = entry[Precision:0];

  logic unused_high;  // a sigmoid has no sign and at most one bit above the point
  assign unused_high = ^entry;

endmodule
