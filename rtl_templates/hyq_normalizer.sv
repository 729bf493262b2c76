// SPDX-License-Identifier: Apache-2.0
// The normalizer shifts value_i left until its leading one is the highest bit, and gives the
// distance.
//
// It has as many stages under en_i as zeros_o has bits. Each stage has one shift, the longest
// first. A value of 0 stays 0.
module hyq_normalizer #(
  parameter int unsigned Width,  // at least 2
  localparam int unsigned ZerosBits = $clog2(Width)
) (
  input  logic                 clk_i,
  input  logic                 en_i,
  input  logic [Width-1:0]     value_i,
  output logic [Width-1:0]     mantissa_o,
  output logic [ZerosBits-1:0] zeros_o      // zeros in front of the leading one
);

  logic [Width-1:0] value_q[ZerosBits];
  logic [ZerosBits-1:0] zeros_q[ZerosBits];

  for (genvar s = 0; s < ZerosBits; s++) begin : gen_stage
    localparam int unsigned Distance = 1 << (ZerosBits - 1 - s);
    logic [Width-1:0] value;
    logic [ZerosBits-1:0] zeros;
    logic shift;

    if (s == 0) begin : gen_first
      assign value = value_i;
      assign zeros = '0;
    end else begin : gen_next
      assign value = value_q[s-1];
      assign zeros = zeros_q[s-1];
    end

    assign shift = (value >> (Width - Distance)) == '0;

    always_ff @(posedge clk_i) begin : normalize
      if (en_i) begin
        value_q[s] <= shift ? value << Distance : value;
        zeros_q[s] <= zeros | (shift ? ZerosBits'(Distance) : '0);
      end
    end
  end

  assign mantissa_o = value_q[ZerosBits-1];
  assign zeros_o    = zeros_q[ZerosBits-1];

endmodule
