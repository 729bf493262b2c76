// Memory that is read from its first word to its last, again and again: every cycle with en_i asks
// for the next word, which stands at data_o from the next cycle on.
module hyq_sequence_rom #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter              File  // as hyq_rom
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             en_i,
  output logic [Width-1:0] data_o
);

  localparam int unsigned AddressBits = Depth > 1 ? $clog2(Depth) : 1;
  logic [AddressBits-1:0] address_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : count
    if (!rst_ni) begin
      address_q <= '0;
    end else if (en_i) begin
      address_q <= address_q == AddressBits'(Depth - 1) ? '0 : address_q + 1'b1;
    end
  end

  hyq_rom #(
    .Width(Width),
    .Depth(Depth),
    .File (File)
  ) u_rom (
    .clk_i,
    .en_i,
    .addr_i(address_q),
    .data_o
  );

endmodule
