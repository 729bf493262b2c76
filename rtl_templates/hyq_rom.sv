// Read-only memory with synchronous read: data_o is the word at addr_i of the last cycle with en_i.
// One word (Depth 1) is a constant, there from the start.
module hyq_rom #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter              File,  // text for $readmemh, Depth words in order of address
  localparam int unsigned AddressBits = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [AddressBits-1:0] addr_i,
  output logic [Width-1:0]       data_o
);

  logic [Width-1:0] memory[Depth];

  initial begin : load
    $readmemh(File, memory);
  end

  if (Depth == 1) begin : gen_constant
    assign data_o = memory[0];

    logic unused_read;
    assign unused_read = ^{clk_i, en_i, addr_i};
  end else begin : gen_memory
    logic [Width-1:0] data_q;

    always_ff @(posedge clk_i) begin : read
      if (en_i) begin
        data_q <= memory[addr_i];
      end
    end

    assign data_o = data_q;
  end

endmodule
