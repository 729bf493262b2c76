// SPDX-License-Identifier: Apache-2.0
// The norm memory holds the header and the records of the norm unit. Reference: "Norm memory" in
// docs/engine.md. The records of Lanes neighbouring channels come three cycles after their index.
module hyq_engine_norm_records
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Channels,  // most of them; a power of two
  parameter int unsigned  Lanes,     // a power of two
  localparam int unsigned ChannelBits = $clog2(Channels),
  localparam int unsigned CountBits = ChannelBits + 2,
  localparam int unsigned LaneBits = $clog2(Lanes),
  localparam int unsigned IndexBits = ChannelBits - LaneBits
) (
  input  logic                      clk_i,
  input  logic                      write_i,
  input  logic [15:0]               write_address_i,    // in beats
  input  logic [63:0]               write_data_i,
  output logic [63:0]               epsilon_o,
  output logic [4:0]                root_bits_o,        // t
  output logic [5:0]                reciprocal_bits_o,  // N
  output logic [5:0]                normalize_o,        // N - t - F
  output logic [CountBits-1:0]      channels_o,
  input  logic [IndexBits-1:0]      index_i,
  output norm_channel_t [Lanes-1:0] record_o
);

  logic [5:0] normalized_bits_q;
  logic [15:0] address;  // of half a record
  logic [LaneBits:0] write_lane;
  assign address    = write_address_i - 16'd4;
  assign write_lane = address[LaneBits:0] >> 1;

  always_ff @(posedge clk_i) begin : header
    if (write_i && write_address_i == 16'd0) epsilon_o <= write_data_i;
    if (write_i && write_address_i == 16'd1) begin
      root_bits_o       <= write_data_i[4:0];
      reciprocal_bits_o <= write_data_i[13:8];
      normalized_bits_q <= write_data_i[21:16];
      channels_o        <= write_data_i[32+:CountBits];
    end
    normalize_o <= reciprocal_bits_o - 6'(root_bits_o) - normalized_bits_q;
  end

  logic [IndexBits-1:0] index_q;

  always_ff @(posedge clk_i) begin : read_index
    index_q <= index_i;
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    (* ram_style = "block" *) logic [63:0] front[Channels/Lanes];
    (* ram_style = "block" *) logic [23:0] back[Channels/Lanes];
    logic write;
    norm_channel_t record_q;
    assign write = write_i && write_address_i >= 16'd4 && write_lane == (LaneBits + 1)'(l);

    always_ff @(posedge clk_i) begin : load
      if (write && address[0]) back[address[ChannelBits:LaneBits+1]] <= write_data_i[23:0];
      if (write && !address[0]) front[address[ChannelBits:LaneBits+1]] <= write_data_i;
    end

    always_ff @(posedge clk_i) begin : read
      record_q    <= {back[index_q], front[index_q]};
      record_o[l] <= record_q;
    end
  end

  logic unused;
  assign unused = ^address;

endmodule
