// The norm unit is a LayerNorm over the channels of every pixel, with parameters that are loaded.
// Reference: "norm" in docs/engine.md, hyq_hls/ops/layer_norm.py.
//
// It reads every pixel twice, a code per cycle: for the sums, and for the codes. In between come
// the variance, its root and the reciprocal, a bit per cycle each.
module hyq_engine_norm
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned ReadLatency,  // of the feature memory
  parameter int unsigned Channels      // most of them; a power of two
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              start_i,
  input  norm_instruction_t instruction_i,  // constant until done_o
  output logic              done_o,         // with the last write
  output feature_read_t     read_o,
  input  logic [31:0]       word_i,
  output feature_write_t    write_o,
  input  logic              load_write_i,  // of header and records
  input  logic [15:0]       load_address_i,
  input  logic [63:0]       load_data_i
);

  localparam int unsigned ChannelBits = $clog2(Channels);
  localparam int unsigned CountBits = ChannelBits + 2;
  localparam int unsigned ValueBits = 24;                          // 9 bits shifted by up to 15
  localparam int unsigned RowTotalBits = ValueBits + ChannelBits;
  localparam int unsigned WideBits = 64;                           // every value fits 62
  localparam int unsigned RootBits = 31;
  localparam int unsigned RecordLatency = 3;
  // Cycles from the last code to the radicand.
  localparam int unsigned Flush = ReadLatency + 11;

  norm_instruction_t ins;
  assign ins = instruction_i;

  // Header and records.
  logic [63:0] epsilon;
  logic [4:0] root_bits;
  logic [5:0] reciprocal_bits, normalize_bits;
  logic [CountBits-1:0] channels, padded;
  logic [ChannelBits-1:0] record_index;
  norm_channel_t record, record_gamma, record_beta, record_bytes, record_bits, record_zero;

  hyq_engine_norm_records #(
    .Channels(Channels)
  ) u_records (
    .clk_i,
    .write_i          (load_write_i),
    .write_address_i  (load_address_i),
    .write_data_i     (load_data_i),
    .epsilon_o        (epsilon),
    .root_bits_o      (root_bits),
    .reciprocal_bits_o(reciprocal_bits),
    .normalize_o      (normalize_bits),
    .channels_o       (channels),
    .index_i          (record_index),
    .record_o         (record),
    .gamma_o          (record_gamma),
    .beta_o           (record_beta),
    .bytes_o          (record_bytes),
    .bits_o           (record_bits),
    .zero_o           (record_zero)
  );

  // Channels up to the end of the last word that a pixel takes.
  assign padded = channels <= CountBits'(4) ? CountBits'(4)
                  : {(CountBits - 3)'((channels + CountBits'(7)) >> 3), 3'b000};

  logic pixel_valid, pixel_next, pixel_end;
  logic [2:0] source_bank, target_bank;
  logic [AddressBits-1:0] source_address, target_address;

  hyq_engine_pixels #(
    .Pixels(Pixels)
  ) u_pixels (
    .clk_i,
    .rst_ni,
    .start_i,
    .source_i        (ins.src),
    .target_i        (ins.dst),
    .rows_i          (ins.rows),
    .pixels_i        (ins.pixels),
    .step_i          (pixel_next),
    .valid_o         (pixel_valid),
    .end_o           (pixel_end),
    .source_bank_o   (source_bank),
    .source_address_o(source_address),
    .target_bank_o   (target_bank),
    .target_address_o(target_address)
  );

  // A pixel goes through these states.
  typedef enum logic [2:0] {
    StateIdle,
    StateSums,
    StateFlush,
    StateRoot,
    StateReciprocal,
    StateCodes,
    StateWrites
  } state_e;

  state_e state_q;
  logic ask, channel_last, root_ready, root_valid, reciprocal_last, written;
  logic [CountBits-1:0] channel_q;
  logic [4:0] flush_q;
  logic [5:0] bit_q;

  assign ask             = state_q == StateSums || state_q == StateCodes;
  assign channel_last    = channel_q == padded - 1'b1;
  assign reciprocal_last = bit_q == reciprocal_bits;
  assign pixel_next      = state_q == StateWrites && written;
  assign read_o = '{
      valid  : ask,
      bank   : source_bank,
      address: source_address + AddressBits'(channel_q >> 2),
      beside : source_address + AddressBits'(channel_q >> 2)
  };

  always_ff @(posedge clk_i or negedge rst_ni) begin : states
    if (!rst_ni) begin
      state_q   <= StateIdle;
      channel_q <= '0;
      done_o    <= 1'b0;
    end else begin
      done_o <= pixel_next && pixel_end;
      if (ask) channel_q <= channel_last ? '0 : channel_q + 1'b1;
      unique case (state_q)
        StateIdle:       if (pixel_valid) state_q <= StateSums;
        StateSums:       if (channel_last) state_q <= StateFlush;
        StateFlush:      if (flush_q == 5'(Flush) && root_ready) state_q <= StateRoot;
        StateRoot:       if (root_valid) state_q <= StateReciprocal;
        StateReciprocal: if (reciprocal_last) state_q <= StateCodes;
        StateCodes:      if (channel_last) state_q <= StateWrites;
        StateWrites:     if (written) state_q <= StateIdle;
        default:         state_q <= StateIdle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin : counts
    flush_q <= state_q != StateFlush ? '0 : flush_q == 5'(Flush) ? flush_q : flush_q + 1'b1;
    bit_q   <= state_q == StateReciprocal ? bit_q + 1'b1 : '0;
  end

  // A code meets the record of its channel.
  typedef struct packed {
    logic       valid;
    logic       codes;     // of the second pass
    logic       in_row;    // a channel, not a byte behind the last
    logic       is_first;
    logic       is_last;
    logic [1:0] position;  // in its word
  } code_t;

  code_t asked, arrived, code_x, code_square, code_out;

  assign asked = '{
      valid   : ask,
      codes   : state_q == StateCodes,
      in_row  : channel_q < channels,
      is_first: channel_q == '0,
      is_last : channel_last,
      position: channel_q[1:0]
  };

  hyq_delay #(
    .Width(ChannelBits), .Stages(ReadLatency - RecordLatency)
  ) u_record_index (
    .clk_i, .en_i(1'b1), .data_i(channel_q[ChannelBits-1:0]), .data_o(record_index)
  );
  hyq_delay #(
    .Width($bits(code_t)), .Stages(ReadLatency)
  ) u_arrived (
    .clk_i, .en_i(1'b1), .data_i(asked), .data_o(arrived)
  );

  // Stages 1 and 2: x = (code - zero_in) << k.
  logic signed [8:0] centred_q;
  logic [3:0] k_q;
  logic signed [ValueBits-1:0] x_q;

  always_ff @(posedge clk_i) begin : value
    centred_q <= {1'b0, word_i[8*arrived.position+:8]} - {1'b0, record.zero_in};
    k_q       <= record.k[3:0];
    x_q       <= ValueBits'(centred_q) <<< k_q;
  end

  hyq_delay #(
    .Width($bits(code_t)), .Stages(2)
  ) u_code_x (
    .clk_i, .en_i(1'b1), .data_i(arrived), .data_o(code_x)
  );
  hyq_delay #(
    .Width($bits(code_t)), .Stages(2)
  ) u_code_square (
    .clk_i, .en_i(1'b1), .data_i(code_x), .data_o(code_square)
  );

  // The sums, and the variance behind the last of them.
  logic [2*ValueBits-1:0] square;
  logic signed [RowTotalBits-1:0] total_q;
  logic [WideBits-1:0] squares_q, scaled_squares, square_of_total, variance_q, radicand_q;

  hyq_wide_product #(
    .ABits(ValueBits), .BBits(ValueBits), .ProductBits(2 * ValueBits)
  ) u_square (
    .clk_i, .en_i(1'b1), .a_i(x_q), .b_i(x_q), .product_o(square)
  );
  hyq_wide_product #(
    .ABits(CountBits + 1), .BBits(WideBits), .ProductBits(WideBits)
  ) u_scaled_squares (
    .clk_i, .en_i(1'b1), .a_i({1'b0, channels}), .b_i(squares_q), .product_o(scaled_squares)
  );
  hyq_wide_product #(
    .ABits(RowTotalBits), .BBits(RowTotalBits), .ProductBits(WideBits)
  ) u_square_of_total (
    .clk_i, .en_i(1'b1), .a_i(total_q), .b_i(total_q), .product_o(square_of_total)
  );

  always_ff @(posedge clk_i) begin : sums
    if (code_x.valid && !code_x.codes && code_x.in_row) begin
      total_q <= code_x.is_first ? RowTotalBits'(x_q) : total_q + RowTotalBits'(x_q);
    end
    if (code_square.valid && !code_square.codes && code_square.in_row) begin
      squares_q <= (code_square.is_first ? '0 : squares_q) + WideBits'(square);
    end
    variance_q <= scaled_squares - square_of_total + epsilon;
    radicand_q <= variance_q << {root_bits, 1'b0};
  end

  // Root and reciprocal.
  logic [RootBits-1:0] root;
  logic [RootBits:0] remainder_q, remainder;
  logic [WideBits-2:0] reciprocal_q;
  logic fits, unused_tag;

  hyq_square_root #(
    .Steps        (RootBits),
    .RemainderBits(RootBits + 2),
    .TagBits      (1)
  ) u_root (
    .clk_i,
    .rst_ni,
    .radicand_i (radicand_q[2*RootBits-1:0]),
    .tag_i      (1'b0),
    .in_valid_i (state_q == StateFlush && flush_q == 5'(Flush)),
    .in_ready_o (root_ready),
    .root_o     (root),
    .tag_o      (unused_tag),
    .out_valid_o(root_valid),
    .out_ready_i(state_q == StateReciprocal && reciprocal_last)
  );

  // 2**N has one bit, which comes first.
  assign remainder = {remainder_q[RootBits-1:0], bit_q == '0};
  assign fits      = remainder >= {1'b0, root};

  always_ff @(posedge clk_i) begin : reciprocal
    if (state_q == StateRoot) begin
      remainder_q  <= '0;
      reciprocal_q <= '0;
    end else if (state_q == StateReciprocal) begin
      remainder_q  <= fits ? remainder - {1'b0, root} : remainder;
      reciprocal_q <= {reciprocal_q[WideBits-3:0], fits};
    end
  end

  // Stages 3 to 5: C * x - S; 6 and 7: times the reciprocal; 8 to 10: rounded shift by bytes and by
  // bits; 11 to 13: gamma and beta; 14 to 17: the requantizer.
  localparam int unsigned DeviationBits = RowTotalBits + 2;
  localparam int unsigned CodeStages = 17;
  logic [DeviationBits-1:0] scaled_x;
  logic signed [DeviationBits-1:0] deviation_q;
  logic [WideBits-1:0] product, gamma_product, acc_q;
  logic signed [WideBits-1:0] rounded_q, coarse_q, normalized_q;
  logic [CodeBits-1:0] code, mask_q;

  hyq_wide_product #(
    .ABits(ValueBits), .BBits(CountBits + 1), .ProductBits(DeviationBits)
  ) u_scaled_x (
    .clk_i, .en_i(1'b1), .a_i(x_q), .b_i({1'b0, channels}), .product_o(scaled_x)
  );
  hyq_wide_product #(
    .ABits(DeviationBits), .BBits(WideBits), .ProductBits(WideBits)
  ) u_product (
    .clk_i, .en_i(1'b1), .a_i(deviation_q), .b_i({1'b0, reciprocal_q}), .product_o(product)
  );
  hyq_wide_product #(
    .ABits(16), .BBits(WideBits), .ProductBits(WideBits)
  ) u_gamma (
    .clk_i, .en_i(1'b1), .a_i(record_gamma.gamma), .b_i(normalized_q), .product_o(gamma_product)
  );

  always_ff @(posedge clk_i) begin : normalize
    deviation_q  <= scaled_x - DeviationBits'(total_q);
    rounded_q    <= product + (WideBits'(1) << (normalize_bits - 6'd1));
    coarse_q     <= rounded_q >>> {normalize_bits[5:3], 3'b000};
    normalized_q <= coarse_q >>> normalize_bits[2:0];
    acc_q        <= gamma_product + {{32{record_beta.beta[31]}}, record_beta.beta};
    mask_q       <= CodeBits'((17'd1 << ins.bits) - 17'd1);
  end

  hyq_engine_requantizer #(
    .SumBits (WideBits),
    .Multiply(1'b0)
  ) u_requantizer (
    .clk_i,
    .acc_i       (acc_q),
    .multiplier_i('0),
    .bytes_i     (record_bytes.shift[ShiftBits-1:3]),
    .bits_i      (record_bits.shift[2:0]),
    .zero_point_i(record_zero.zero_out),
    .mask_i      (mask_q),
    .code_o      (code)
  );

  hyq_delay #(
    .Width($bits(code_t)), .Stages(CodeStages)
  ) u_code_out (
    .clk_i, .en_i(1'b1), .data_i(arrived), .data_o(code_out)
  );

  // Codes meet in words.
  logic take, write_q, last_q;
  logic [3:0][7:0] word_q;
  logic [CountBits-3:0] offset_q;

  assign take = code_out.valid && code_out.codes;

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_valid
    if (!rst_ni) write_q <= 1'b0;
    else write_q <= take && code_out.position == 2'd3;
  end

  always_ff @(posedge clk_i) begin : collect
    if (take) begin
      word_q[code_out.position] <= code_out.in_row ? code[7:0] : '0;
      last_q                    <= code_out.is_last;
    end
    if (take && code_out.is_first) offset_q <= '0;
    else if (write_q) offset_q <= offset_q + 1'b1;
  end

  assign written = write_q && last_q;
  assign write_o = '{
      valid  : write_q,
      bank   : target_bank,
      address: target_address + AddressBits'(offset_q),
      bytes  : 16'h000F,
      data   : 128'(word_q)
  };

  hyq_engine_checker #(
    .Message("parameters are loaded while the norm unit works")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!load_write_i || !pixel_valid)
  );

  logic unused;
  assign unused = ^{ins, unused_tag, code, code_square,
                    record_gamma, record_beta, record_bytes, record_bits, record_zero,
                    record, radicand_q, remainder_q[RootBits], code_out};

endmodule
