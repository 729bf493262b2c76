// Read-only memory in LUTs, as hyq_rom, whose choice it is. A module of its own, so that synthesis
// can keep it whole: dissolved in the logic around it, Yosys makes it several times as large.
module hyq_logic_rom #(
  parameter int unsigned Width,
  parameter int unsigned Depth,  // 2 at least
  parameter              File,
  localparam int unsigned AddressBits = $clog2(Depth)
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [AddressBits-1:0] addr_i,
  output logic [Width-1:0]       data_o
);

  (* ram_style = "registers" *) logic [Width-1:0] memory[Depth];
  logic [Width-1:0] data_q;

  initial begin : load
    $readmemh(File, memory);
  end

  always_ff @(posedge clk_i) begin : read
    if (en_i) begin
      data_q <= memory[addr_i];
    end
  end

  assign data_o = data_q;

endmodule
