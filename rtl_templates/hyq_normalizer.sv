// Normalizer: shifts value_i left until its leading one is the highest bit, and says how far.
//
// Two stages under en_i: coarse steps, then fine ones. A value of 0 stays 0.
module hyq_normalizer #(
  parameter int unsigned Width,  // at least 2
  localparam int unsigned ZerosBits = $clog2(Width)
) (
  input  logic                 clk_i,
  input  logic                 en_i,
  input  logic [Width-1:0]     value_i,
  output logic [Width-1:0]     mantissa_o,
  output logic [ZerosBits-1:0] zeros_o      // in front of the leading one
);

  localparam int unsigned Fine = ZerosBits / 2;  // steps of the second stage

  logic [Width-1:0] coarse_d, coarse_q, fine_d, fine_q;
  logic [ZerosBits-1:0] coarse_zeros_d, coarse_zeros_q, zeros_d, zeros_q;

  always_comb begin : coarse
    coarse_d = value_i;
    coarse_zeros_d = '0;
    for (int unsigned step = ZerosBits; step > Fine; step--) begin
      if ((coarse_d >> (Width - (1 << (step - 1)))) == '0) begin
        coarse_d = coarse_d << (1 << (step - 1));
        coarse_zeros_d[step-1] = 1'b1;
      end
    end
  end

  always_comb begin : fine
    fine_d = coarse_q;
    zeros_d = coarse_zeros_q;
    for (int unsigned step = Fine; step > 0; step--) begin
      if ((fine_d >> (Width - (1 << (step - 1)))) == '0) begin
        fine_d = fine_d << (1 << (step - 1));
        zeros_d[step-1] = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin : stages
    if (en_i) begin
      coarse_q       <= coarse_d;
      coarse_zeros_q <= coarse_zeros_d;
      fine_q         <= fine_d;
      zeros_q        <= zeros_d;
    end
  end

  assign mantissa_o = fine_q;
  assign zeros_o    = zeros_q;

endmodule
