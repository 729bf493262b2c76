// Exponentials value << shift of distances x from the row's maximum: range reduction, the function
// of one octave. Rigid pipeline under en_i. Reference: benchmarks/circuits/softmax_reference.py.
//
//   x = min(x, Limit),  k = floor(x / Step),  r = x mod Step,  value(r),  shift = LargestShift - k
//
// IsScaled first multiplies the distance by 1.4375, about log2(e), by shifts, as Shiftmax does.
// IsFlat (a table) has value and shift of every distance in the memory, without range reduction.
// Steps that a width or a constant makes needless have no stage.
module softmax_exponential #(
  parameter int unsigned Circuit,        // of softmax_value
  parameter bit          IsScaled,
  parameter bit          IsFlat,
  parameter int unsigned Bits,           // of a distance
  parameter int unsigned Limit,          // 0: none
  parameter int unsigned Step,
  parameter int unsigned Offset,
  parameter int unsigned Slope,
  parameter int unsigned OctaveBits,
  parameter int unsigned RemainderBits,
  parameter int unsigned LargestShift,
  parameter int unsigned ValueBits,
  parameter int unsigned ShiftBits,
  parameter              TableFile = ""
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 en_i,
  input  logic [Bits-1:0]      distance_i,
  input  logic                 valid_i,
  output logic [ValueBits-1:0] value_o,
  output logic [ShiftBits-1:0] shift_o,
  output logic                 valid_o
);

  localparam int unsigned ScaledBits = IsScaled ? Bits + 1 : Bits;
  localparam int unsigned ReductionStages = Step == 1 << RemainderBits ? 0 : OctaveBits;
  localparam int unsigned ValueStages = Circuit == 1 ? 3 : 1;
  localparam int unsigned Stages = IsFlat ? 1
      : 32'(IsScaled) + 32'(Limit > 0) + ReductionStages + ValueStages;
  localparam int unsigned LimitedBits = Limit > 0 ? $clog2(Limit + 1) : ScaledBits;

  logic [Stages-1:0] valid_q;
  assign valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) valid_q <= '0;
    else if (en_i) valid_q <= Stages'({valid_q, valid_i});
  end

  if (IsFlat) begin : gen_flat
    hyq_rom #(
      .Width(ShiftBits + ValueBits),
      .Depth(1 << Bits),
      .File (TableFile)
    ) u_table_rom (
      .clk_i,
      .en_i,
      .addr_i(distance_i),
      .data_o({shift_o, value_o})
    );
  end else begin : gen_reduced
    logic [ScaledBits-1:0] scaled;
    logic [LimitedBits-1:0] limited;
    logic [OctaveBits-1:0] octave;
    logic [RemainderBits-1:0] remainder;
    logic [ShiftBits-1:0] shift_q[ValueStages];

    if (IsScaled) begin : gen_scaled
      logic [ScaledBits-1:0] scaled_q;
      // Shifts of the negative exponent round down, so those of the distance round up.
      always_ff @(posedge clk_i) begin : scale
        if (en_i) begin
          scaled_q <= ScaledBits'(distance_i) + ((ScaledBits'(distance_i) + ScaledBits'(1)) >> 1)
              - ((ScaledBits'(distance_i) + ScaledBits'(15)) >> 4);
        end
      end
      assign scaled = scaled_q;
    end else begin : gen_direct
      assign scaled = distance_i;
    end

    if (Limit > 0) begin : gen_limited
      logic [LimitedBits-1:0] limited_q;
      always_ff @(posedge clk_i) begin : limit
        if (en_i) limited_q <= LimitedBits'(scaled > ScaledBits'(Limit) ? ScaledBits'(Limit) : scaled);
      end
      assign limited = limited_q;
    end else begin : gen_unlimited
      assign limited = scaled;
    end

    softmax_reduction #(
      .Bits         (LimitedBits),
      .Step         (Step),
      .OctaveBits   (OctaveBits),
      .RemainderBits(RemainderBits)
    ) u_reduction (
      .clk_i,
      .en_i,
      .distance_i (limited),
      .octave_o   (octave),
      .remainder_o(remainder)
    );

    softmax_value #(
      .Circuit      (Circuit),
      .RemainderBits(RemainderBits),
      .ValueBits    (ValueBits),
      .Offset       (Offset),
      .Slope        (Slope),
      .TableFile    (TableFile)
    ) u_value (
      .clk_i,
      .en_i,
      .remainder_i(remainder),
      .value_o
    );

    always_ff @(posedge clk_i) begin : shifts
      if (en_i) begin
        shift_q[0] <= ShiftBits'(LargestShift) - ShiftBits'(octave);
        for (int unsigned s = 1; s < ValueStages; s++) shift_q[s] <= shift_q[s-1];
      end
    end

    assign shift_o = shift_q[ValueStages-1];
  end

endmodule
