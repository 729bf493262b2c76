// The module splits a transfer into bursts of at most 16 beats of 8 bytes, as an AXI3 port of a
// Zynq-7000 takes them. No burst crosses a boundary of 128 bytes, hence none one of 4 KB.
module hyq_engine_bursts
  import hyq_engine_pkg::*;
(
  input  logic      clk_i,
  input  logic      rst_ni,
  input  transfer_t transfer_i,
  input  logic      transfer_valid_i,
  output logic      transfer_ready_o,
  output burst_t    burst_o,
  output logic      burst_valid_o,
  input  logic      burst_ready_i
);

  logic busy_q;
  transfer_t left_q;
  logic [4:0] room, beats;  // up to the boundary, of the burst

  assign room  = 5'd16 - 5'(left_q.address[6:3]);
  assign beats = left_q.beats < 29'(room) ? left_q.beats[4:0] : room;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) busy_q <= 1'b0;
    else if (transfer_ready_o) busy_q <= transfer_valid_i;
    else if (burst_ready_i) busy_q <= left_q.beats != 29'(beats);
  end

  always_ff @(posedge clk_i) begin : advance
    if (transfer_ready_o) begin
      left_q <= transfer_i;
    end else if (burst_ready_i) begin
      left_q.address <= left_q.address + {24'b0, beats, 3'b000};
      left_q.beats   <= left_q.beats - 29'(beats);
    end
  end

  assign transfer_ready_o = !busy_q;
  assign burst_valid_o    = busy_q;
  assign burst_o          = '{address: left_q.address, length: 4'(beats - 5'd1)};

  hyq_stream_checker #(.Width($bits(burst_t))) u_checker (
    .clk_i, .rst_ni, .data_i(burst_o), .valid_i(burst_valid_o), .ready_i(burst_ready_i)
  );
  hyq_engine_checker #(
    .Message("a transfer has no beats, or its address is no multiple of 8")
  ) u_transfer_checker (
    .clk_i,
    .rst_ni,
    .holds_i(!(transfer_valid_i && transfer_ready_o)
             || (transfer_i.beats != '0 && transfer_i.address[2:0] == '0))
  );

endmodule
