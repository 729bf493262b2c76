// Any function of one code, as hyq_table, from block RAM: two lanes share the two ports of a memory.
// Reference: hyq_hls/ops/table.py, Table.
//
// One stage: the read register of the memory is the output.
module unary_block_table #(
  parameter int unsigned InLanes,        // of the output too
  parameter int unsigned InBits,         // unsigned codes
  parameter int unsigned OutBits,
  parameter              ValuesFile,     // in ascending order of the input code
  parameter int unsigned ValuesEntries
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*InBits-1:0]  in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  logic en, out_valid_q;

  assign en = !out_valid_q || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = out_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      out_valid_q <= 1'b0;
    end else if (en) begin
      out_valid_q <= in_valid_i;
    end
  end

  for (genvar l = 0; l < InLanes; l += 2) begin : gen_pair
    (* rom_style = "block" *) logic [OutBits-1:0] memory[ValuesEntries];

    initial begin : load
      $readmemh(ValuesFile, memory);
    end

    for (genvar p = l; p < l + 2 && p < InLanes; p++) begin : gen_port
      logic [OutBits-1:0] data_q;

      always_ff @(posedge clk_i) begin : read
        if (en) data_q <= memory[in_data_i[p*InBits+:InBits]];
      end

      assign out_data_o[p*OutBits+:OutBits] = data_q;
    end
  end

endmodule
