// Range reduction by a constant: octave = floor(distance / Step), remainder = distance mod Step.
//
// Restoring division, one bit of the octave per stage under en_i: OctaveBits stages. A power of two
// needs no stage.
module softmax_reduction #(
  parameter int unsigned Bits,           // of a distance
  parameter int unsigned Step,
  parameter int unsigned OctaveBits,
  parameter int unsigned RemainderBits
) (
  input  logic                     clk_i,
  input  logic                     en_i,
  input  logic [Bits-1:0]          distance_i,
  output logic [OctaveBits-1:0]    octave_o,
  output logic [RemainderBits-1:0] remainder_o
);

  if (Step == 1 << RemainderBits) begin : gen_bits
    assign octave_o    = OctaveBits'(distance_i >> RemainderBits);
    assign remainder_o = RemainderBits'(distance_i);

    logic unused_stages;
    assign unused_stages = ^{clk_i, en_i};
  end else begin : gen_division
    for (genvar k = OctaveBits; k > 0; k--) begin : gen_stage
      localparam int unsigned Multiple = Step << (k - 1);  // what is left lies below it
      localparam int unsigned LeftBits = $clog2(Multiple) < Bits ? $clog2(Multiple) : Bits;
      logic [Bits-1:0] remainder;
      logic [LeftBits-1:0] remainder_q;
      logic [OctaveBits-1:0] octave, octave_q;
      logic below;

      if (k == OctaveBits) begin : gen_first
        assign remainder = distance_i;
        assign octave    = '0;
      end else begin : gen_next
        assign remainder = Bits'(gen_stage[k+1].remainder_q);
        assign octave    = gen_stage[k+1].octave_q;
      end

      assign below = 32'(remainder) < Multiple;

      always_ff @(posedge clk_i) begin : stage
        if (en_i) begin
          remainder_q <= LeftBits'(below ? remainder : remainder - Bits'(Multiple));
          octave_q    <= OctaveBits'({octave, !below});
        end
      end
    end

    assign octave_o    = gen_stage[1].octave_q;
    assign remainder_o = RemainderBits'(gen_stage[1].remainder_q);
  end

endmodule
