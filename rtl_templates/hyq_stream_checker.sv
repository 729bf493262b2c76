// SPDX-License-Identifier: Apache-2.0
// The module checks the protocol of a stream in every simulation: a word that is offered stays,
// unchanged, until it is taken. It is empty in synthesis.
module hyq_stream_checker #(
  parameter int unsigned Width
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic [Width-1:0] data_i,
  input logic             valid_i,
  input logic             ready_i
);

`ifndef SYNTHESIS
  logic waiting_q;
  logic [Width-1:0] data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : check
    if (!rst_ni) begin
      waiting_q <= 1'b0;
    end else begin
      waiting_q <= valid_i && !ready_i;
      data_q    <= data_i;
      if (waiting_q) begin
        assert (valid_i)
        else $error("a word was offered and withdrawn before it was taken");
        assert (!valid_i || data_i == data_q)
        else $error("a word changed from %h to %h while it waited", data_q, data_i);
      end
    end
  end
`endif

endmodule
