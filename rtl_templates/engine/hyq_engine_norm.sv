// SPDX-License-Identifier: Apache-2.0
// The norm unit is a LayerNorm over the channels of every pixel, with parameters that are loaded.
// Reference: "norm" in docs/engine.md, hyq_hls/ops/layer_norm.py.
//
// It reads every pixel twice, Lanes codes per cycle: for the sums, and for the codes. In between
// come the variance, its root and the reciprocal, a bit per cycle each; meanwhile the unit goes on
// with other pixels, of which it has up to Ahead between their two passes.
module hyq_engine_norm
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned ReadLatency,  // of the feature memory
  parameter int unsigned Channels,     // most of them; a power of two
  parameter int unsigned Lanes         // 1, 2 or 4
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              start_i,
  input  norm_instruction_t instruction_i,  // constant until done_o
  output logic              done_o,         // the last write was in the cycle before
  output feature_read_t     read_o,
  input  logic [31:0]       word_i,
  output feature_write_t    write_o,
  input  logic              load_write_i,  // of header and records
  input  logic [15:0]       load_address_i,
  input  logic [63:0]       load_data_i
);

  localparam int unsigned Codes = 4;  // of a word
  localparam int unsigned Parts = Codes / Lanes;
  localparam int unsigned LaneBits = $clog2(Lanes);
  localparam int unsigned ChannelBits = $clog2(Channels);
  localparam int unsigned CountBits = ChannelBits + 2;
  localparam int unsigned StepBits = CountBits - LaneBits;
  localparam int unsigned ValueBits = 24;  // 9 bits shifted by up to 15
  localparam int unsigned SumBits = ValueBits + ChannelBits;
  localparam int unsigned WideBits = 64;   // every value fits 62
  localparam int unsigned RecordLatency = 3;
  localparam int unsigned CodeStages = 17;
  localparam int unsigned Ahead = 4;

  if (Lanes != 1 && Lanes != 2 && Lanes != 4) begin : gen_bad_lanes
    $error("hyq_engine_norm: Lanes is 1, 2 or 4");
  end
  if (Channels < 8 || Channels != 1 << ChannelBits) begin : gen_bad_channels
    $error("hyq_engine_norm: Channels is a power of two, 8 or more");
  end

  norm_instruction_t ins;
  assign ins = instruction_i;

  // Header and records.
  logic [63:0] epsilon;
  logic [4:0] root_bits;
  logic [5:0] reciprocal_bits, normalize_bits;
  logic [CountBits-1:0] channels;
  logic [StepBits-2:0] record_index;
  norm_channel_t [Lanes-1:0] records;

  hyq_engine_norm_records #(
    .Channels(Channels),
    .Lanes   (Lanes)
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
    .index_i          (record_index[StepBits-3:0]),
    .record_o         (records)
  );

  // Steps of a pixel, up to the end of the last word that it takes.
  logic [StepBits-1:0] steps_q;

  always_ff @(posedge clk_i) begin : steps
    steps_q <= channels <= CountBits'(4) ? StepBits'(Parts)
               : StepBits'({(channels + CountBits'(7)) >> 3, 3'b000} >> LaneBits);
  end

  logic pixel_valid, pixel_taken, pixel_written, written_q, pixel_end;
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
    .source_step_i   (pixel_taken),
    .source_valid_o  (pixel_valid),
    .source_bank_o   (source_bank),
    .source_address_o(source_address),
    .target_step_i   (written_q),
    .target_end_o    (pixel_end),
    .target_bank_o   (target_bank),
    .target_address_o(target_address)
  );

  // Passes. Pixels between their two passes keep where they lie.
  logic begin_sums, begin_codes, asking_q, codes_q, first_q, step_last, has_result, claimed_q, pop;
  logic [$clog2(Ahead+1)-1:0] ahead_q;
  logic [$clog2(Ahead)-1:0] sums_pixel_q, codes_pixel_q;
  logic [2:0] bank_q;
  logic [2:0] banks_q[Ahead];
  logic [AddressBits-1:0] address_q;
  logic [AddressBits-1:0] addresses_q[Ahead];
  logic [StepBits-2:0] step_q;
  logic [1:0] part;

  assign begin_sums  = !asking_q && pixel_valid && ahead_q != ($clog2(Ahead + 1))'(Ahead);
  assign begin_codes = !asking_q && !begin_sums && has_result && !claimed_q;
  assign pixel_taken = begin_sums;
  assign part        = 2'(step_q) & 2'(Parts - 1);

  hyq_engine_counter #(.Bits(StepBits)) u_step (
    .clk_i, .start_i, .step_i(asking_q), .count_i(steps_q), .last_o(step_last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      asking_q  <= 1'b0;
      claimed_q <= 1'b0;
      ahead_q   <= '0;
    end else begin
      if (begin_sums || begin_codes) asking_q <= 1'b1;
      else if (step_last) asking_q <= 1'b0;
      if (begin_codes) claimed_q <= 1'b1;
      else if (pop) claimed_q <= 1'b0;
      if (begin_sums) ahead_q <= ahead_q + 1'b1;
      else if (begin_codes) ahead_q <= ahead_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin : position
    if (start_i) begin
      sums_pixel_q  <= '0;
      codes_pixel_q <= '0;
    end else begin
      if (begin_sums) sums_pixel_q <= sums_pixel_q + 1'b1;
      if (begin_codes) codes_pixel_q <= codes_pixel_q + 1'b1;
    end
    if (begin_sums) begin
      banks_q[sums_pixel_q]     <= source_bank;
      addresses_q[sums_pixel_q] <= source_address;
    end
    first_q <= !asking_q;
    if (!asking_q) begin
      codes_q   <= begin_codes;
      step_q    <= '0;
      bank_q    <= begin_sums ? source_bank : banks_q[codes_pixel_q];
      address_q <= begin_sums ? source_address : addresses_q[codes_pixel_q];
    end else begin
      step_q <= step_q + 1'b1;
      if (part == 2'(Parts - 1)) address_q <= address_q + 1'b1;
    end
  end

  assign read_o = '{valid: asking_q, bank: bank_q, address: address_q, beside: address_q};

  // Codes meet the records of their channels.
  typedef struct packed {
    logic       codes;  // of the second pass
    logic       is_first;
    logic       is_last;
    logic [1:0] part;   // of its word
  } code_t;

  code_t asked, arrived, code_x, code_total, code_out;
  logic [Lanes-1:0] asked_in_row_q, arrived_in_row, x_in_row, out_in_row;
  logic x_valid, total_valid, out_valid;

  assign asked = '{codes: codes_q, is_first: first_q, is_last: step_last, part: part};

  // A channel, not a byte behind the last.
  always_ff @(posedge clk_i) begin : compare
    for (int unsigned l = 0; l < Lanes; l++) begin
      asked_in_row_q[l] <= CountBits'(32'(step_q) * Lanes + l) < channels;
    end
  end

  hyq_delay #(
    .Width(StepBits - 1), .Stages(ReadLatency - RecordLatency)
  ) u_record_index (
    .clk_i, .en_i(1'b1), .data_i(step_q), .data_o(record_index)
  );
  hyq_delay #(
    .Width(Lanes), .Stages(ReadLatency - 1)
  ) u_arrived_in_row (
    .clk_i, .en_i(1'b1), .data_i(asked_in_row_q), .data_o(arrived_in_row)
  );
  hyq_delay #(
    .Width($bits(code_t)), .Stages(ReadLatency)
  ) u_arrived (
    .clk_i, .en_i(1'b1), .data_i(asked), .data_o(arrived)
  );
  hyq_delay #(
    .Width($bits(code_t) + Lanes), .Stages(2)
  ) u_code_x (
    .clk_i, .en_i(1'b1), .data_i({arrived_in_row, arrived}), .data_o({x_in_row, code_x})
  );
  hyq_delay #(
    .Width($bits(code_t)), .Stages(1)
  ) u_code_total (
    .clk_i, .en_i(1'b1), .data_i(code_x), .data_o(code_total)
  );
  hyq_delay #(
    .Width($bits(code_t) + Lanes), .Stages(CodeStages - 2)
  ) u_code_out (
    .clk_i, .en_i(1'b1), .data_i({x_in_row, code_x}), .data_o({out_in_row, code_out})
  );
  hyq_valid_chain #(
    .Stages(ReadLatency + 2)
  ) u_x_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(asking_q), .valid_o(x_valid)
  );
  hyq_valid_chain #(
    .Stages(1)
  ) u_total_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(x_valid), .valid_o(total_valid)
  );
  hyq_valid_chain #(
    .Stages(CodeStages - 3)
  ) u_out_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(total_valid), .valid_o(out_valid)
  );

  // The sums of a pixel, and its reciprocal, which the first of its codes takes over on its way.
  logic [Lanes-1:0][ValueBits-1:0] x;
  logic [Lanes-1:0][2*ValueBits-1:0] squares;
  logic [SumBits-1:0] total, total_q;
  logic [WideBits-2:0] reciprocal, reciprocal_q;
  logic take_total;

  hyq_engine_norm_statistics #(
    .Lanes    (Lanes),
    .ValueBits(ValueBits),
    .SumBits  (SumBits),
    .CountBits(CountBits),
    .WideBits (WideBits),
    .Waiting  (Ahead)
  ) u_statistics (
    .clk_i,
    .rst_ni,
    .start_i,
    .x_i              (x),
    .in_row_i         (x_in_row),
    .valid_i          (x_valid && !code_x.codes),
    .first_i          (code_x.is_first),
    .last_i           (code_x.is_last),
    .squares_i        (squares),
    .epsilon_i        (epsilon),
    .root_bits_i      (root_bits),
    .reciprocal_bits_i(reciprocal_bits),
    .channels_i       (channels),
    .total_o          (total),
    .reciprocal_o     (reciprocal),
    .valid_o          (has_result),
    .ready_i          (pop)
  );

  assign take_total = total_valid && code_total.codes && code_total.is_first;

  hyq_valid_chain #(
    .Stages(1)
  ) u_pop (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(take_total), .valid_o(pop)
  );

  always_ff @(posedge clk_i) begin : take_over
    if (take_total) total_q <= total;
    if (pop) reciprocal_q <= reciprocal;
  end

  logic [CodeBits-1:0] mask_q;
  logic [WideBits-1:0] half_q;
  logic [Lanes-1:0][7:0] codes;

  always_ff @(posedge clk_i) begin : constants
    mask_q <= CodeBits'((17'd1 << ins.bits) - 17'd1);
    half_q <= WideBits'(1) << (normalize_bits - 6'd1);
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [1:0] place;  // of its byte in the word
    assign place = 2'(32'(arrived.part) * Lanes + l);

    hyq_engine_norm_lane #(
      .ValueBits(ValueBits),
      .SumBits  (SumBits),
      .CountBits(CountBits),
      .WideBits (WideBits)
    ) u_lane (
      .clk_i,
      .code_i      (word_i[8*place+:8]),
      .record_i    (records[l]),
      .x_o         (x[l]),
      .square_o    (squares[l]),
      .channels_i  (channels),
      .total_i     (total_q),
      .reciprocal_i(reciprocal_q),
      .normalize_i (normalize_bits),
      .half_i      (half_q),
      .mask_i      (mask_q),
      .code_o      (codes[l])
    );
  end

  // Codes meet in words.
  logic take, write_q, last_q;
  logic [Codes-1:0][7:0] word_q;
  logic [CountBits-3:0] offset_q;

  assign take = out_valid && code_out.codes;

  always_ff @(posedge clk_i or negedge rst_ni) begin : write_valid
    if (!rst_ni) begin
      write_q   <= 1'b0;
      written_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      write_q   <= take && code_out.part == 2'(Parts - 1);
      written_q <= pixel_written;
      done_o    <= pixel_written && pixel_end;
    end
  end

  always_ff @(posedge clk_i) begin : collect
    for (int unsigned c = 0; c < Codes; c++) begin
      if (take && code_out.part == 2'(c / Lanes)) begin
        word_q[c] <= out_in_row[c%Lanes] ? codes[c%Lanes] : '0;
      end
    end
    if (take) last_q <= code_out.is_last;
    if (take && code_out.is_first) offset_q <= '0;
    else if (write_q) offset_q <= offset_q + 1'b1;
  end

  // No word of the next pixel is written in the cycle behind the last of a pixel.
  assign pixel_written = write_q && last_q;
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
  assign unused = ^{ins, record_index, code_total, code_x, code_out};

endmodule
