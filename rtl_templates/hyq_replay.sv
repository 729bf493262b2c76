// SPDX-License-Identifier: Apache-2.0
// The module takes Beats words and emits them Times times in order; then it takes the next Beats
// words.
//
// The first round passes the words through without latency, and stores them. The other rounds read
// the memory, one word per cycle, and keep the input waiting. There is no bubble between rounds or
// vectors, so a vector takes Beats * Times cycles.
module hyq_replay #(
  parameter int unsigned Width,
  parameter int unsigned Beats,
  parameter int unsigned Times
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);

  if (Times == 1) begin : gen_wires
    assign out_data_o  = in_data_i;
    assign out_valid_o = in_valid_i;
    assign in_ready_o  = out_ready_i;

    logic unused_clock;
    assign unused_clock = clk_i ^ rst_ni;
  end else begin : gen_replay
    logic [Width-1:0] stored;  // word of the present beat, from the second round on
    logic first_round_q, last_beat, last_round, transfer;

    assign in_ready_o  = first_round_q && out_ready_i;
    assign out_data_o  = first_round_q ? in_data_i : stored;
    assign out_valid_o = !first_round_q || in_valid_i;
    assign transfer    = out_valid_o && out_ready_i;

    hyq_counter #(.Count(Times)) u_round (
      .clk_i, .rst_ni, .en_i(transfer && last_beat), .last_o(last_round)
    );

    always_ff @(posedge clk_i or negedge rst_ni) begin : control
      if (!rst_ni) begin
        first_round_q <= 1'b1;
      end else if (transfer && last_beat) begin
        first_round_q <= last_round;
      end
    end

    if (Beats == 1) begin : gen_register
      logic [Width-1:0] stored_q;

      always_ff @(posedge clk_i) begin : data
        if (transfer && first_round_q) begin
          stored_q <= in_data_i;
        end
      end

      assign stored    = stored_q;
      assign last_beat = 1'b1;
    end else begin : gen_memory
      localparam int unsigned BeatBits = $clog2(Beats);
      logic [BeatBits-1:0] beat_q, next_beat_q;
      logic last_beat_q, next_is_last;

      assign last_beat    = last_beat_q;
      assign next_is_last = next_beat_q == BeatBits'(Beats - 1);

      always_ff @(posedge clk_i or negedge rst_ni) begin : addresses
        if (!rst_ni) begin
          beat_q      <= '0;
          next_beat_q <= BeatBits'(1);
          last_beat_q <= 1'b0;
        end else if (transfer) begin
          beat_q      <= next_beat_q;
          next_beat_q <= next_is_last ? '0 : next_beat_q + 1'b1;
          last_beat_q <= next_is_last;
        end
      end

      // The read runs one beat ahead; it never meets the write of the same cycle.
      hyq_ram #(
        .Width(Width),
        .Depth(Beats)
      ) u_ram (
        .clk_i,
        .write_i        (transfer && first_round_q),
        .write_address_i(beat_q),
        .write_data_i   (in_data_i),
        .read_i         (transfer),
        .read_address_i (next_beat_q),
        .read_data_o    (stored)
      );
    end
  end

  hyq_stream_checker #(.Width(Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
