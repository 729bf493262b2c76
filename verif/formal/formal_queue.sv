// What a buffer has to do, told with a queue that sees its ports alone:
//   every word leaves once, in order, as it came     (nothing lost, doubled, swapped or changed)
//   at most Capacity words are inside                (occupancy)
//   a word is offered Latency cycles after it came, or as soon as those before it have left
//                                                    (nothing stays inside)
//   the input is ready exactly while fewer than Capacity - 1 words stand behind the offered one
//                                                    (nothing stays outside)
//   the output obeys the handshake rule
module formal_queue #(
  parameter int unsigned Width,
  parameter int unsigned Capacity,
  parameter int unsigned Latency    // 1 or 2
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic [Width-1:0] in_data_i,
  input logic             in_valid_i,
  input logic             in_ready_i,
  input logic [Width-1:0] out_data_i,
  input logic             out_valid_i,
  input logic             out_ready_i
);

  localparam int unsigned CountBits = $clog2(Capacity + 2);

  // words_q[0] is the oldest word. One place more than Capacity, so that an overflow is seen.
  logic [Capacity:0][Width-1:0] words_q, words_d;
  logic [CountBits-1:0] count_q, after_pop;
  logic push_q, push, pop;

  assign push = in_valid_i && in_ready_i;
  assign pop = out_valid_i && out_ready_i;
  assign after_pop = count_q - CountBits'(pop);

  always_comb begin : next_words
    words_d = pop ? words_q >> Width : words_q;
    for (int unsigned i = 0; i <= Capacity; i++) begin
      if (push && after_pop == CountBits'(i)) begin
        words_d[i] = in_data_i;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin : queue
    if (!rst_ni) begin
      count_q <= '0;
      push_q  <= 1'b0;
    end else begin
      count_q <= after_pop + CountBits'(push);
      push_q  <= push;
    end
  end

  always_ff @(posedge clk_i) begin : words
    words_q <= words_d;
  end

  // Words that have been inside long enough to be offered.
  logic [CountBits-1:0] due;
  assign due = count_q - (Latency == 2 ? CountBits'(push_q) : '0);

  always_comb begin : rules
    if (rst_ni) begin
      assert (count_q <= CountBits'(Capacity));
      assert (!out_valid_i || count_q != '0);
      assert (!out_valid_i || out_data_i == words_q[0]);
      assert (out_valid_i || due == '0);
      assert (in_ready_i == (count_q - CountBits'(out_valid_i) < CountBits'(Capacity - 1)));
    end
  end

  formal_stable_stream #(
    .Width(Width),
    .IsInput(1'b0)
  ) u_output (
    .clk_i,
    .rst_ni,
    .data_i(out_data_i),
    .valid_i(out_valid_i),
    .ready_i(out_ready_i)
  );

endmodule
