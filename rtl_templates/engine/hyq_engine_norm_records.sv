// The norm memory holds the header and the records of the norm unit. Reference: "Norm memory" in
// docs/engine.md. A record comes three cycles after its index.
module hyq_engine_norm_records
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Channels,  // most of them; a power of two
  localparam int unsigned ChannelBits = $clog2(Channels),
  localparam int unsigned CountBits = ChannelBits + 2
) (
  input  logic                   clk_i,
  input  logic                   write_i,
  input  logic [15:0]            write_address_i,    // in beats
  input  logic [63:0]            write_data_i,
  output logic [63:0]            epsilon_o,
  output logic [4:0]             root_bits_o,        // t
  output logic [5:0]             reciprocal_bits_o,  // N
  output logic [5:0]             normalize_o,        // N - t - F
  output logic [CountBits-1:0]   channels_o,
  input  logic [ChannelBits-1:0] index_i,
  output norm_channel_t          record_o,
  // the same for later stages of a code, each for the fields that it uses
  output norm_channel_t          gamma_o,
  output norm_channel_t          beta_o,
  output norm_channel_t          bytes_o,            // the shift's
  output norm_channel_t          bits_o,
  output norm_channel_t          zero_o
);

  (* ram_style = "block" *) logic [63:0] front[Channels];
  (* ram_style = "block" *) logic [23:0] back[Channels];
  logic [5:0] normalized_bits_q;
  logic [15:0] address;  // of half a record
  assign address = write_address_i - 16'd4;

  always_ff @(posedge clk_i) begin : load
    if (write_i && write_address_i == 16'd0) epsilon_o <= write_data_i;
    if (write_i && write_address_i == 16'd1) begin
      root_bits_o       <= write_data_i[4:0];
      reciprocal_bits_o <= write_data_i[13:8];
      normalized_bits_q <= write_data_i[21:16];
      channels_o        <= write_data_i[32+:CountBits];
    end
    if (write_i && write_address_i >= 16'd4) begin
      if (address[0]) back[address[ChannelBits:1]] <= write_data_i[23:0];
      else front[address[ChannelBits:1]] <= write_data_i;
    end
    normalize_o <= reciprocal_bits_o - 6'(root_bits_o) - normalized_bits_q;
  end

  logic [ChannelBits-1:0] index_q;
  norm_channel_t record_q;

  always_ff @(posedge clk_i) begin : read
    index_q  <= index_i;
    record_q <= {back[index_q], front[index_q]};
    record_o <= record_q;
  end

  // Records wait for the stages that use them.
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(10)
  ) u_record_gamma (
    .clk_i, .en_i(1'b1), .data_i(record_o), .data_o(gamma_o)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(2)
  ) u_record_beta (
    .clk_i, .en_i(1'b1), .data_i(gamma_o), .data_o(beta_o)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_bytes (
    .clk_i, .en_i(1'b1), .data_i(beta_o), .data_o(bytes_o)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_bits (
    .clk_i, .en_i(1'b1), .data_i(bytes_o), .data_o(bits_o)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_zero (
    .clk_i, .en_i(1'b1), .data_i(bits_o), .data_o(zero_o)
  );

  logic unused;
  assign unused = ^address;

endmodule
