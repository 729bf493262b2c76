// hyq_axis_input: a frame that starts after TLAST comes out from its first beat on, whatever came
// before; every frame that comes out is whole; wrong frames are counted.
module formal_axis_input #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,
  parameter int unsigned CodeBytes,
  parameter int unsigned Beats
) (
  input logic                         clk_i,
  input logic                         rst_ni,
  input logic [Lanes*CodeBytes*8-1:0] s_axis_tdata,
  input logic                         s_axis_tvalid,
  input logic                         s_axis_tlast,
  input logic                         out_ready_i
);

  localparam int unsigned BeatBits = $clog2(Beats + 1);

  logic rst_n, s_axis_tready, out_valid;
  logic [Lanes*Bits-1:0] out_data, codes;
  logic [15:0] frame_errors;

  formal_reset u_reset (
    .clk_i,
    .rst_ni,
    .rst_no(rst_n)
  );

  hyq_axis_input #(
    .Lanes(Lanes),
    .Bits(Bits),
    .CodeBytes(CodeBytes),
    .Beats(Beats)
  ) u_dut (
    .clk_i,
    .rst_ni(rst_n),
    .s_axis_tdata,
    .s_axis_tvalid,
    .s_axis_tready,
    .s_axis_tlast,
    .out_data_o(out_data),
    .out_valid_o(out_valid),
    .out_ready_i,
    .frame_errors_o(frame_errors)
  );

  formal_stable_stream #(
    .Width(Lanes * CodeBytes * 8 + 1),
    .IsInput(1'b1)
  ) u_input (
    .clk_i,
    .rst_ni(rst_n),
    .data_i({s_axis_tlast, s_axis_tdata}),
    .valid_i(s_axis_tvalid),
    .ready_i(s_axis_tready)
  );

  formal_stable_stream #(
    .Width(Lanes * Bits),
    .IsInput(1'b0)
  ) u_output (
    .clk_i,
    .rst_ni(rst_n),
    .data_i(out_data),
    .valid_i(out_valid),
    .ready_i(out_ready_i)
  );

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lanes
    assign codes[lane*Bits +: Bits] = s_axis_tdata[lane*CodeBytes*8 +: Bits];
  end

  logic taken, given;
  assign taken = s_axis_tvalid && s_axis_tready;
  assign given = out_valid && out_ready_i;

  // Beats of the present frame at either side, up to a whole frame. Both start with the first beat
  // after TLAST.
  logic [BeatBits-1:0] in_beats_q, out_beats_q;
  logic ended_q;  // TLAST of the present frame came
  logic [15:0] errors_q;
  logic frame_ends;  // with this beat, at both sides
  assign frame_ends = (ended_q || (taken && s_axis_tlast)) &&
      out_beats_q + BeatBits'(given) == BeatBits'(Beats);

  always_ff @(posedge clk_i or negedge rst_n) begin : count
    if (!rst_n) begin
      in_beats_q  <= '0;
      out_beats_q <= '0;
      ended_q     <= 1'b0;
      errors_q    <= '0;
    end else begin
      if (frame_ends) begin
        in_beats_q  <= '0;
        out_beats_q <= '0;
        ended_q     <= 1'b0;
      end else begin
        if (in_beats_q != BeatBits'(Beats)) in_beats_q <= in_beats_q + BeatBits'(taken);
        out_beats_q <= out_beats_q + BeatBits'(given);
        ended_q     <= ended_q || (taken && s_axis_tlast);
      end
      // An early TLAST, or the last beat that has room without TLAST.
      if (taken && in_beats_q < BeatBits'(Beats) && errors_q != '1 &&
          s_axis_tlast != (in_beats_q == BeatBits'(Beats - 1))) begin
        errors_q <= errors_q + 1'b1;
      end
    end
  end

  always_comb begin : rules
    if (rst_n) begin
      // No output frame is longer than a frame.
      assert (!out_valid || out_beats_q < BeatBits'(Beats));
      // A beat that has room comes out as it comes in, and others do not.
      assert (!taken || given == (in_beats_q < BeatBits'(Beats)));
      assert (!(taken && given) || (out_data == codes && in_beats_q == out_beats_q));
      // After TLAST the frame is filled with zeros, and nothing is taken before it is whole.
      assert (!ended_q || (out_valid && out_data == '0 && !s_axis_tready));
      assert (!given || taken || ended_q);
      // No beat waits without a reason.
      assert (!(s_axis_tvalid && out_ready_i) || taken || given);
      assert (frame_errors == errors_q);
    end
  end

endmodule
