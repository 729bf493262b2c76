// SPDX-License-Identifier: Apache-2.0
// The writer puts the codes of an instruction of the array into the feature memory, 16 channels of
// a pixel per cycle, in the order in which the sequencer made their tiles. Codes of pixels behind
// the end of a row, and of channels that the instruction does not name, are not written.
module hyq_engine_writer
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 start_i,        // no code comes in the four cycles behind it
  input  array_instruction_t   instruction_i,  // constant until the instruction has ended
  input  logic                 valid_i,
  input  logic [Outputs*8-1:0] codes_i,
  output feature_write_t       write_o,
  output logic                 done_o          // with the last write
);

  localparam int unsigned BankBits = $clog2(Pixels);

  array_instruction_t ins;
  assign ins = instruction_i;

  // The first address, and what is left of the channels, are ready long before the first codes.
  logic [15:0] group_words_q, first_address_q;
  logic init;

  hyq_valid_chain #(
    .Stages(3)
  ) u_init (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(start_i), .valid_o(init)
  );

  logic pixel_last, tile_last, row_last, group_last, tile_next, row_next, group_next;
  logic [15:0] tiles;
  logic [BankBits-1:0] pixel_q;

  assign tiles      = 16'((17'(ins.pixels) + 17'(Pixels - 1)) >> BankBits);
  assign pixel_last = pixel_q == BankBits'(Pixels - 1);
  assign tile_next  = valid_i && pixel_last;
  assign row_next   = tile_next && tile_last;
  assign group_next = row_next && row_last;

  hyq_engine_counter #(.Bits(16)) u_tile (
    .clk_i, .start_i, .step_i(tile_next), .count_i(tiles), .last_o(tile_last)
  );
  hyq_engine_counter #(.Bits(16)) u_row (
    .clk_i, .start_i, .step_i(row_next), .count_i(ins.rows), .last_o(row_last)
  );
  hyq_engine_counter #(.Bits(8)) u_group (
    .clk_i, .start_i, .step_i(group_next), .count_i(ins.groups), .last_o(group_last)
  );

  // Addresses of the group, of the row and of the pixel; pixels of the row that are left.
  logic [15:0] group_address_q, group_address, row_address_q, row_address, address_q, left_q;
  logic [BankBits-1:0] bank_q;
  logic [11:0] end_q;  // channels up to this one are written, counted from the group's first
  logic [3:0] first_q;
  logic [15:0] bytes_q;

  assign group_address = group_next ? group_address_q + 16'(Outputs / 4) : group_address_q;
  assign row_address   = row_last ? group_address : row_address_q + ins.dst.row;

  always_ff @(posedge clk_i or negedge rst_ni) begin : position
    if (!rst_ni) pixel_q <= '0;
    else if (valid_i) pixel_q <= pixel_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin : addresses
    group_words_q   <= (ins.dst.x0 >> BankBits) * ins.dst.group;
    first_address_q <= ins.dst.base + group_words_q;
    if (init) begin
      group_address_q <= first_address_q;
      row_address_q   <= first_address_q;
      address_q       <= first_address_q;
      bank_q          <= ins.dst.x0[BankBits-1:0];
      left_q          <= ins.pixels;
      first_q         <= ins.first;
      end_q           <= 12'(ins.channels) + 12'(ins.first);
    end else begin
      if (valid_i) begin
        bank_q <= bank_q + 1'b1;
        if (left_q != '0) left_q <= left_q - 1'b1;
        if (bank_q == BankBits'(Pixels - 1)) address_q <= address_q + ins.dst.group;
      end
      if (row_next) begin
        row_address_q <= row_address;
        address_q     <= row_address;
        bank_q        <= ins.dst.x0[BankBits-1:0];
        left_q        <= ins.pixels;
      end
      group_address_q <= group_address;
      if (group_next) begin
        first_q <= '0;
        end_q   <= end_q > 12'(Outputs) ? end_q - 12'(Outputs) : '0;
      end
    end
    for (int unsigned o = 0; o < Outputs; o++) begin
      bytes_q[o] <= o >= 32'(first_q) && o < 32'(end_q);
    end
  end

  // The mask is one cycle behind the position: codes wait for it.
  logic valid_q, inside_q, done_q;
  logic [BankBits-1:0] write_bank_q;
  logic [15:0] write_address_q;
  logic [Outputs*8-1:0] codes_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q <= 1'b0;
      done_q  <= 1'b0;
    end else begin
      valid_q <= valid_i;
      done_q  <= group_next && group_last;
    end
  end

  always_ff @(posedge clk_i) begin : data
    inside_q        <= left_q != '0;
    write_bank_q    <= bank_q;
    write_address_q <= address_q;
    codes_q         <= codes_i;
  end

  assign write_o = '{
      valid  : valid_q && inside_q,
      bank   : 3'(write_bank_q),
      address: write_address_q,
      bytes  : bytes_q,
      data   : codes_q
  };
  assign done_o = done_q;

  logic unused_instruction;
  assign unused_instruction = ^ins;

endmodule
