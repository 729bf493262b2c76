// SPDX-License-Identifier: Apache-2.0
// The module is a max pooling of a map, whose border never is the maximum.
// Reference: hyq_hls/ops/max_pool.py, MaxPool.
//
// It takes one tap of InLanes channels per cycle. A position takes
// InChannels / InLanes * KernelHeight * KernelWidth cycles. Behind the windows there is one stage,
// the running maximum.
module hyq_max_pool #(
  parameter int unsigned   Height,   // height of the input map
  parameter int unsigned   Width,
  parameter int unsigned   InChannels,
  parameter int unsigned   KernelHeight,
  parameter int unsigned   KernelWidth,
  parameter int unsigned   StrideHeight,
  parameter int unsigned   StrideWidth,
  parameter int unsigned   PadHeight,
  parameter int unsigned   PadWidth,
  parameter int unsigned   InLanes,  // lanes of the output too; divides InChannels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter hyq_pkg::rom_t Pad,      // the smallest code
  parameter                PadFile
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [InLanes*InBits-1:0] in_data_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  output logic [InLanes*InBits-1:0] out_data_o,
  output logic                      out_valid_o,
  input  logic                      out_ready_i
);

  localparam int unsigned Taps = KernelHeight * KernelWidth;

  if (InChannels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_max_pool: InLanes divides InChannels");
  end

  logic [InLanes*InBits-1:0] window;
  logic window_valid, window_ready;

  hyq_padded_windows #(
    .Height      (Height),
    .Width       (Width),
    .Channels    (InChannels),
    .KernelHeight(KernelHeight),
    .KernelWidth (KernelWidth),
    .StrideHeight(StrideHeight),
    .StrideWidth (StrideWidth),
    .PadHeight   (PadHeight),
    .PadWidth    (PadWidth),
    .Lanes       (InLanes),
    .Run         (1),
    .Times       (1),
    .Bits        (InBits),
    .Pad         (Pad),
    .PadFile     (PadFile)
  ) u_windows (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (window),
    .out_valid_o(window_valid),
    .out_ready_i(window_ready)
  );

  logic en, step, first_q, last;

  assign window_ready = !out_valid_o || out_ready_i;
  assign step         = window_ready && window_valid;

  hyq_enable u_enable (.full_i(out_valid_o), .ready_i(out_ready_i), .en_o(en));
  hyq_counter #(.Count(Taps)) u_tap (.clk_i, .rst_ni, .en_i(step), .last_o(last));

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      first_q     <= 1'b1;
      out_valid_o <= 1'b0;
    end else begin
      if (step) first_q <= last;
      if (en) out_valid_o <= window_valid && last;
    end
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic [InBits-1:0] code, largest_q;
    logic larger;

    assign code = window[l*InBits+:InBits];

    if (InSigned) begin : gen_signed
      assign larger = $signed(code) > $signed(largest_q);
    end else begin : gen_unsigned
      assign larger = code > largest_q;
    end

    always_ff @(posedge clk_i) begin : maximum
      if (en && window_valid && (first_q || larger)) largest_q <= code;
    end

    assign out_data_o[l*InBits+:InBits] = largest_q;
  end

  hyq_stream_checker #(.Width(InLanes * InBits)) u_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
