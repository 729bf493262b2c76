// Handshake rule of a stream: once valid, valid and data stay until the transfer. Asserted of an
// output, assumed of an input.
module formal_stable_stream #(
  parameter int unsigned Width,
  parameter bit          IsInput
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic [Width-1:0] data_i,
  input logic             valid_i,
  input logic             ready_i
);

  logic waiting_q;
  logic [Width-1:0] data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : history
    if (!rst_ni) begin
      waiting_q <= 1'b0;
    end else begin
      waiting_q <= valid_i && !ready_i;
    end
  end

  always_ff @(posedge clk_i) begin : last_word
    data_q <= data_i;
  end

  logic kept;
  assign kept = !waiting_q || (valid_i && data_i == data_q);

  if (IsInput) begin : gen_assume
    always_comb begin : rule
      if (rst_ni) begin
        assume (kept);
      end
    end
  end else begin : gen_assert
    always_comb begin : rule
      if (rst_ni) begin
        assert (kept);
      end
    end
  end

endmodule
