// hyq_width_converter: the lanes that leave are the lanes that came, in order, each once.
//
// Both sides are counted in lanes. The reference keeps the lanes that came and have not left; the
// word at the input counts as come, because a converter may show lanes of it before the transfer.
module formal_width_converter #(
  parameter int unsigned Bits,
  parameter int unsigned InLanes,
  parameter int unsigned OutLanes
) (
  input logic                    clk_i,
  input logic                    rst_ni,
  input logic [InLanes*Bits-1:0] in_data_i,
  input logic                    in_valid_i,
  input logic                    out_ready_i
);

  localparam int unsigned Lanes = InLanes + OutLanes;  // room of the reference
  localparam int unsigned CountBits = $clog2(Lanes + 1);

  logic rst_n, in_ready, out_valid;
  logic [OutLanes*Bits-1:0] out_data;

  formal_reset u_reset (
    .clk_i,
    .rst_ni,
    .rst_no(rst_n)
  );

  hyq_width_converter #(
    .Bits(Bits),
    .InLanes(InLanes),
    .OutLanes(OutLanes)
  ) u_dut (
    .clk_i,
    .rst_ni(rst_n),
    .in_data_i,
    .in_valid_i,
    .in_ready_o(in_ready),
    .out_data_o(out_data),
    .out_valid_o(out_valid),
    .out_ready_i
  );

  formal_stable_stream #(
    .Width(InLanes * Bits),
    .IsInput(1'b1)
  ) u_input (
    .clk_i,
    .rst_ni(rst_n),
    .data_i(in_data_i),
    .valid_i(in_valid_i),
    .ready_i(in_ready)
  );

  formal_stable_stream #(
    .Width(OutLanes * Bits),
    .IsInput(1'b0)
  ) u_output (
    .clk_i,
    .rst_ni(rst_n),
    .data_i(out_data),
    .valid_i(out_valid),
    .ready_i(out_ready_i)
  );

  // Lanes of earlier input words that have not left, the oldest in the lowest bits; and the number
  // of lanes of the present input word that have left already. One of both is always none.
  logic [Lanes*Bits-1:0] lanes_q, lanes;
  logic [CountBits-1:0] waiting_q, ahead_q, come, left;

  logic in_transfer, out_transfer;
  assign in_transfer  = in_valid_i && in_ready;
  assign out_transfer = out_valid && out_ready_i;

  // All lanes that may leave in this cycle.
  always_comb begin : offer
    lanes = (Lanes * Bits)'(in_data_i) >> (ahead_q * Bits);
    lanes = (lanes << (waiting_q * Bits)) | lanes_q;
  end

  assign come = waiting_q + (in_valid_i ? CountBits'(InLanes) - ahead_q : '0);
  assign left = out_transfer ? CountBits'(OutLanes) : '0;

  always_ff @(posedge clk_i or negedge rst_n) begin : counters
    if (!rst_n) begin
      waiting_q <= '0;
      ahead_q   <= '0;
      lanes_q   <= '0;
    end else if (in_transfer) begin
      waiting_q <= come - left;
      ahead_q   <= '0;
      lanes_q   <= lanes >> (left * Bits);
    end else if (out_transfer) begin
      ahead_q <= ahead_q + left;
    end
  end

  always_comb begin : rules
    if (rst_n) begin
      assert (out_valid == (come >= CountBits'(OutLanes)));
      assert (!out_valid || out_data == lanes[OutLanes*Bits-1:0]);
      assert (waiting_q < CountBits'(OutLanes) && ahead_q < CountBits'(InLanes));
      // Lanes leave before the transfer of their word only where none of an earlier word waits.
      assert (in_transfer || !out_transfer || waiting_q == '0);
      // The input moves on when no more than a part of an output word would stay behind.
      assert (!in_valid_i || in_ready == (come - left < CountBits'(OutLanes)));
    end
  end

endmodule
