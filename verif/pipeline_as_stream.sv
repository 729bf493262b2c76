// Handshake around a rigid pipeline of Stages registers that share one enable.
module pipeline_as_stream #(
  parameter int unsigned Stages
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic in_valid_i,
  output logic in_ready_o,
  output logic en_o,
  output logic out_valid_o,
  input  logic out_ready_i
);

  logic [Stages-1:0] valid_q;

  assign en_o        = !out_valid_o || out_ready_i;
  assign in_ready_o  = en_o;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (en_o) begin
      valid_q <= Stages'({valid_q, in_valid_i});
    end
  end

endmodule
