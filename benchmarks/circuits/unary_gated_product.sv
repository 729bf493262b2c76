// x * gate(x) of one code, requantized: the rivals of hyq_shift_swish, stage by stage alike.
// Reference: benchmarks/circuits/unary_reference.py, GatedProduct.
//
// Gates: "hard" (hard sigmoid), "piecewise" (PLAN), "table" (an entry for every code), "range_table"
// (entries over [-8, 8)). GateStages + 5 stages: centre the codes, the gate, the product, and three
// of hyq_requantize_lanes. A table of every code is read while the code is centred.
module unary_gated_product #(
  parameter int unsigned InLanes,      // of the output too
  parameter int unsigned InBits,       // unsigned codes
  parameter int unsigned OutBits,      // unsigned codes
  parameter int unsigned CodeZero,     // zero point of the input
  parameter int unsigned Fraction,     // x = centred code * 2**-Fraction
  parameter int unsigned Precision,    // fraction bits of the gate
  parameter int unsigned CentredBits,
  parameter int unsigned AccumulatorBits,
  parameter string       Gate,
  parameter int unsigned GateStages,   // 3, 4, 0 and 2 in the order above
  parameter              TableFile,    // of the gates that are tables
  parameter int unsigned TableEntries,
  parameter int unsigned TableBits,
  parameter int unsigned Shift,        // accumulator to output
  parameter int unsigned OutZero       // zero point of the output
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*InBits-1:0]  in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Stages = GateStages + 5;
  localparam int unsigned ProductBits = CentredBits + Precision + 1;
  localparam int unsigned ZeroPointBits = OutBits + 1;

  // Control: a rigid pipeline.
  logic en;
  logic [Stages-1:0] valid_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:0], in_valid_i};
    end
  end

  // Up to the products.
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic [InBits-1:0] code;
    logic [(GateStages+1)*CentredBits-1:0] delay_q;  // x waits for its gate, newest lowest
    logic signed [CentredBits-1:0] delayed_x;
    logic [Precision:0] gate;

    assign code = in_data_i[l*InBits+:InBits];
    assign delayed_x = delay_q[GateStages*CentredBits+:CentredBits];

    if (Gate == "hard") begin : gen_hard
      unary_hard_sigmoid #(
        .CentredBits(CentredBits), .Fraction(Fraction), .Precision(Precision)
      ) u_gate (
        .clk_i, .en_i(en), .x_i(delay_q[CentredBits-1:0]), .gate_o(gate)
      );
    end else if (Gate == "piecewise") begin : gen_piecewise
      unary_piecewise_sigmoid #(
        .CentredBits(CentredBits), .Fraction(Fraction), .Precision(Precision)
      ) u_gate (
        .clk_i, .en_i(en), .x_i(delay_q[CentredBits-1:0]), .gate_o(gate)
      );
    end else if (Gate == "range_table") begin : gen_range_table
      unary_range_table #(
        .CentredBits(CentredBits), .Fraction(Fraction), .Precision(Precision),
        .Entries(TableEntries), .EntryBits(TableBits), .File(TableFile)
      ) u_gate (
        .clk_i, .en_i(en), .x_i(delay_q[CentredBits-1:0]), .gate_o(gate)
      );
    end else begin : gen_table
      logic [TableBits-1:0] entry;

      hyq_rom #(
        .Width(TableBits), .Depth(TableEntries), .File(TableFile)
      ) u_gate (
        .clk_i, .en_i(en), .addr_i(code), .data_o(entry)
      );
      assign gate = (Precision + 1)'(entry);
    end

    always_ff @(posedge clk_i) begin
      if (en) begin
        delay_q <= $bits(delay_q)'({delay_q, CentredBits'(code) - CentredBits'(CodeZero)});
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= AccumulatorBits'(
            ProductBits'(delayed_x) * $signed(ProductBits'(gate)));
      end
    end
  end

  // Requantization.
  localparam hyq_pkg::requantize_t Requantize = '{
    entries: 1,
    lanes: 1,
    left: 0,
    base: Shift,
    shift_bits: 0,
    multiplier_bits: 0,
    zero_point_bits: ZeroPointBits
  };

  hyq_requantize_lanes #(
    .Lanes          (InLanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (1'b0),
    .Requantize     (Requantize)
  ) u_requantize_lanes (
    .clk_i,
    .en_i   (en),
    .acc_i  (acc_q),
    .entry_i(ZeroPointBits'(OutZero)),
    .code_o (out_data_o)
  );

endmodule
