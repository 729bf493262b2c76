// Replay: takes Beats words and emits them Times times in order, then the next Beats words.
//
// The first round passes the words through (no latency, as they come) and stores them; the further
// rounds read the memory, one word per cycle, and keep the input waiting. No bubble between rounds
// or vectors: Beats * Times cycles per vector.
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
    localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
    localparam int unsigned RoundBits = $clog2(Times);

    logic [BeatBits-1:0] beat_q, beat_d;
    logic [RoundBits-1:0] round_q;
    logic [Width-1:0] stored;  // word of beat beat_q, from the second round on
    logic first_round, last_beat, transfer;

    assign first_round = round_q == '0;
    assign last_beat   = beat_q == BeatBits'(Beats - 1);
    assign beat_d      = last_beat ? '0 : beat_q + 1'b1;

    assign in_ready_o  = first_round && out_ready_i;
    assign out_data_o  = first_round ? in_data_i : stored;
    assign out_valid_o = !first_round || in_valid_i;
    assign transfer    = out_valid_o && out_ready_i;

    always_ff @(posedge clk_i or negedge rst_ni) begin : control
      if (!rst_ni) begin
        beat_q  <= '0;
        round_q <= '0;
      end else if (transfer) begin
        beat_q <= beat_d;
        if (last_beat) begin
          round_q <= round_q == RoundBits'(Times - 1) ? '0 : round_q + 1'b1;
        end
      end
    end

    if (Beats == 1) begin : gen_register
      logic [Width-1:0] stored_q;

      always_ff @(posedge clk_i) begin : data
        if (transfer && first_round) begin
          stored_q <= in_data_i;
        end
      end

      assign stored = stored_q;
    end else begin : gen_memory
      // The read runs one beat ahead; it never meets the write of the same cycle.
      hyq_ram #(
        .Width(Width),
        .Depth(Beats)
      ) u_ram (
        .clk_i,
        .write_i        (transfer && first_round),
        .write_address_i(beat_q),
        .write_data_i   (in_data_i),
        .read_i         (transfer),
        .read_address_i (beat_d),
        .read_data_o    (stored)
      );
    end
  end

  hyq_stream_checker #(.Width(Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
