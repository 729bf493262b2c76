// SPDX-License-Identifier: Apache-2.0
// The array sums products for tiles of 16 output channels x Pixels pixels. It is output-stationary:
// a step adds three products to every sum.
//
// A dense step multiplies three operands of every pixel, which the channels share, by the weights.
// A depthwise step multiplies one byte of every pixel and channel by the channel's three weights.
// Steps may come in every cycle and need not; nothing in the array ever waits. Five stages after
// its operands, a step reaches the sums. The sums of a tile then move to a second set of registers
// and leave, one pixel per cycle, while the next tile is summed. So the last steps of two tiles
// must lie at least Pixels cycles apart.
module hyq_engine_array
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,           // 2, 4 or 8
  parameter bit           Primitive = 1'b0  // instances of DSP48E1
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  input  step_t                               step_i,
  input  logic [Pixels/2*Inputs*PairBits-1:0] pairs_i,    // [pair of pixels][input]
  input  logic [Pixels*Outputs*8-1:0]         window_i,   // [pixel][channel]
  input  logic [Outputs*Inputs*WeightBits-1:0] weights_i,  // [channel][input]
  output logic                                load_o,     // take over the channels' parameters
  output logic                                valid_o,
  output logic                                to_bias_o,  // sums of a prologue, of its first pixel
  output logic [Outputs*AccBits-1:0]          sums_o      // [channel]
);

  localparam int unsigned PixelBits = $clog2(Pixels);

  if (Pixels != 2 && Pixels != 4 && Pixels != 8) begin : gen_bad_pixels
    $error("hyq_engine_array: Pixels is 2, 4 or 8");
  end

  // A step travels beside its products: four stages of the product, one of their sum.
  step_t step_q4, step_q5;

  hyq_engine_step_delay #(
    .Stages(4)
  ) u_step_product (
    .clk_i, .rst_ni, .step_i, .step_o(step_q4)
  );
  hyq_engine_step_delay #(
    .Stages(1)
  ) u_step_sum (
    .clk_i, .rst_ni, .step_i(step_q4), .step_o(step_q5)
  );

  logic unused_flags;
  assign unused_flags = ^step_q5;

  // Every channel has flip-flops of its own for what reaches all of its sums.
  (* keep *) logic [Outputs-1:0] add_q, first_q, digit_q, done_q;

  always_ff @(posedge clk_i) begin : fan_out
    add_q   <= {Outputs{step_q4.valid}};
    done_q  <= {Outputs{step_q4.valid && step_q4.last}};
    first_q <= {Outputs{step_q4.first}};
    digit_q <= {Outputs{step_q4.digit}};
  end

  // The sums that wait to leave, and the pixel whose sums leave next.
  logic draining_q, bias_q;
  logic [PixelBits-1:0] pixel_q;
  logic finish, last_pixel;
  assign finish     = step_q5.valid && step_q5.last;
  assign last_pixel = pixel_q == PixelBits'(Pixels - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin : drain
    if (!rst_ni) begin
      draining_q <= 1'b0;
      pixel_q    <= '0;
      valid_o    <= 1'b0;
      load_o     <= 1'b0;
      to_bias_o  <= 1'b0;
      bias_q     <= 1'b0;
    end else begin
      if (finish) draining_q <= 1'b1;
      else if (last_pixel) draining_q <= 1'b0;
      if (finish) bias_q <= step_q5.to_bias;
      if (draining_q) pixel_q <= pixel_q + 1'b1;
      valid_o   <= draining_q && !bias_q;
      to_bias_o <= draining_q && bias_q && pixel_q == '0;
      load_o    <= finish && step_q5.load;
    end
  end

  hyq_engine_checker #(
    .Message("the sums of a tile come before those of the last one have left")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!finish || !draining_q || last_pixel)
  );

  for (genvar o = 0; o < Outputs; o++) begin : gen_output
    logic [Pixels*AccBits-1:0] next, finished_q;

    for (genvar pair = 0; pair < Pixels / 2; pair++) begin : gen_pair
      logic signed [15:0] p0[Inputs];
      logic signed [16:0] p1[Inputs];
      logic signed [17:0] sum0_q;
      logic signed [18:0] sum1_q;
      logic signed [AccBits-1:0] start0, start1, next0, next1, acc0_q, acc1_q;
      logic [PairBits-1:0] channel_pair;

      assign channel_pair = {1'b0, window_i[((2*pair+1)*Outputs+o)*8+:8],
                             8'b0, window_i[(2*pair*Outputs+o)*8+:8]};

      for (genvar i = 0; i < Inputs; i++) begin : gen_input
        hyq_engine_product #(
          .Primitive(Primitive)
        ) u_product (
          .clk_i,
          .dense_i (step_i.dense),
          .a_i     (pairs_i[(pair*Inputs+i)*PairBits+:PairBits]),
          .d_i     (channel_pair),
          .weight_i(weights_i[(o*Inputs+i)*WeightBits+:WeightBits]),
          .p0_o    (p0[i]),
          .p1_o    (p1[i])
        );
      end

      assign start0 = first_q[o] ? '0 : digit_q[o] ? acc0_q <<< 8 : acc0_q;
      assign start1 = first_q[o] ? '0 : digit_q[o] ? acc1_q <<< 8 : acc1_q;
      assign next0  = start0 + AccBits'(sum0_q);
      assign next1  = start1 + AccBits'(sum1_q);
      assign next[2*pair*AccBits+:2*AccBits] = {next1, next0};

      always_ff @(posedge clk_i) begin : sums
        sum0_q <= 18'(p0[0]) + 18'(p0[1]) + 18'(p0[2]);
        sum1_q <= 19'(p1[0]) + 19'(p1[1]) + 19'(p1[2]);
        if (add_q[o]) begin
          acc0_q <= next0;
          acc1_q <= next1;
        end
      end
    end

    always_ff @(posedge clk_i) begin : second_set
      if (done_q[o]) finished_q <= next;
      sums_o[o*AccBits+:AccBits] <= finished_q[32'(pixel_q)*AccBits+:AccBits];
    end
  end

endmodule
