// SPDX-License-Identifier: Apache-2.0
// The module splits a transfer into bursts of at most 16 beats of 8 bytes, as an AXI3 port of a
// Zynq-7000 takes them. No burst crosses a boundary of 128 bytes, hence none one of 4 KB.
//
// A transfer waits for a cycle or more, in which its first burst is measured. A burst leaves per
// cycle, also from one transfer to the next, but a transfer comes in every second cycle at most.
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

  localparam int unsigned Most = 16;

  // The transfer that waits.
  logic waiting_q;
  transfer_t transfer_q;
  logic [4:0] room;  // beats up to the boundary
  logic short;       // one burst has all of its beats

  assign room  = 5'(Most) - 5'(transfer_q.address[6:3]);
  assign short = transfer_q.beats <= 29'(room);

  // The burst that is offered, and the beats behind it, if it is not the last.
  logic valid_q, last_q, next, take;
  logic [31:7] page_q;
  logic [6:3] first_q;
  logic [3:0] length_q;
  logic [28:0] left_q;

  assign next = burst_ready_i && valid_q;
  assign take = !valid_q || (burst_ready_i && last_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      waiting_q <= 1'b0;
      valid_q   <= 1'b0;
    end else begin
      waiting_q <= waiting_q ? !take : transfer_valid_i;
      if (take) valid_q <= waiting_q;
    end
  end

  always_ff @(posedge clk_i) begin : advance
    if (transfer_ready_o) transfer_q <= transfer_i;
    if (take) begin
      {page_q, first_q} <= transfer_q.address[31:3];
      left_q            <= transfer_q.beats - 29'(room);
      last_q            <= short;
      length_q          <= short ? 4'(transfer_q.beats - 29'd1) : 4'(room - 5'd1);
    end else if (next) begin
      page_q   <= page_q + 1'b1;
      first_q  <= '0;
      left_q   <= left_q - 29'(Most);
      last_q   <= left_q <= 29'(Most);
      length_q <= left_q <= 29'(Most) ? 4'(left_q - 29'd1) : 4'(Most - 1);
    end
  end

  assign transfer_ready_o = !waiting_q;
  assign burst_valid_o    = valid_q;
  assign burst_o          = '{address: {page_q, first_q, 3'b000}, length: length_q};

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
