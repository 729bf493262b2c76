// SPDX-License-Identifier: Apache-2.0
// The output stage turns sums into codes: bias, requantization, saturation, and a table where the
// instruction wants one. It takes 16 channels of a pixel in every cycle and never waits. Reference:
// "Output stage" in docs/engine.md.
//
// On load_i it takes over the parameters of the channels and of the instruction, for the sums of
// the next cycle and all that follow. Sums with to_bias_i are added to the biases and give no codes.
// Two lanes share a RAMB18, which holds two tables of 1,024 codes of 8 bits; it is loaded through
// the port of one of the lanes, so no table may be loaded while codes are looked up.
module hyq_engine_output
  import hyq_engine_pkg::*;
#(
  parameter bit Multiply
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       load_i,
  input  channel_t [Outputs-1:0]     channels_i,
  input  conversion_t                conversion_i,
  input  logic                       valid_i,
  input  logic                       to_bias_i,
  input  logic [Outputs*AccBits-1:0] sums_i,           // [channel]
  input  logic                       table_write_i,
  input  logic [TableBits:0]         table_address_i,  // {table, entry}
  input  logic [7:0]                 table_data_i,
  output logic                       valid_o,
  output logic [Outputs*8-1:0]       codes_o           // [channel]
);

  // The stages are the sum with the bias, those of hyq_engine_requantizer, and two of the table.
  localparam int unsigned ShiftStage = Multiply ? 3 : 1;
  localparam int unsigned TableStage = ShiftStage + 4;
  localparam int unsigned Latency = TableStage + 2;

  // Parameters travel beside the sums to the stages that use them.
  conversion_t conversion_q, conversion_mask, conversion_table, conversion_select;
  logic [Outputs-1:0][CodeBits-1:0] codes;

  always_ff @(posedge clk_i) begin : take_over
    if (load_i) conversion_q <= conversion_i;
  end

  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(ShiftStage + 3)
  ) u_mask (
    .clk_i, .en_i(1'b1), .data_i(conversion_q), .data_o(conversion_mask)
  );
  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(1)
  ) u_table (
    .clk_i, .en_i(1'b1), .data_i(conversion_mask), .data_o(conversion_table)
  );
  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(1)
  ) u_select (
    .clk_i, .en_i(1'b1), .data_i(conversion_table), .data_o(conversion_select)
  );
  hyq_valid_chain #(
    .Stages(Latency)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i, .valid_o
  );

  logic unused_conversion;
  assign unused_conversion = ^{conversion_mask, conversion_table, conversion_select};

  for (genvar o = 0; o < Outputs; o++) begin : gen_channel
    logic [AccBits-1:0] biased, bias_q, biased_q;
    logic [ShiftBits-1:0] shift_q;
    logic [MultiplierBits-1:0] multiplier_q, multiplier;
    logic [CodeBits-1:0] zero_point_q, zero_point;
    logic [ShiftBits-4:0] bytes;
    logic [2:0] bits;

    assign biased = sums_i[o*AccBits+:AccBits] + bias_q;

    always_ff @(posedge clk_i) begin : parameters
      if (load_i) begin
        shift_q      <= channels_i[o].shift;
        multiplier_q <= channels_i[o].multiplier;
        zero_point_q <= channels_i[o].zero_point;
        bias_q       <= channels_i[o].bias;
      end else if (to_bias_i) begin
        bias_q <= biased;
      end
      biased_q <= biased;
    end

    hyq_delay #(
      .Width(MultiplierBits), .Stages(1)
    ) u_multiplier (
      .clk_i, .en_i(1'b1), .data_i(multiplier_q), .data_o(multiplier)
    );
    hyq_delay #(
      .Width(ShiftBits - 3), .Stages(ShiftStage)
    ) u_bytes (
      .clk_i, .en_i(1'b1), .data_i(shift_q[ShiftBits-1:3]), .data_o(bytes)
    );
    hyq_delay #(
      .Width(3), .Stages(ShiftStage + 1)
    ) u_bits (
      .clk_i, .en_i(1'b1), .data_i(shift_q[2:0]), .data_o(bits)
    );
    hyq_delay #(
      .Width(CodeBits), .Stages(ShiftStage + 2)
    ) u_zero_point (
      .clk_i, .en_i(1'b1), .data_i(zero_point_q), .data_o(zero_point)
    );

    hyq_engine_requantizer #(
      .SumBits (AccBits),
      .Multiply(Multiply)
    ) u_requantizer (
      .clk_i,
      .acc_i       (biased_q),
      .multiplier_i(multiplier),
      .bytes_i     (bytes),
      .bits_i      (bits),
      .zero_point_i(zero_point),
      .mask_i      (conversion_mask.mask),
      .code_o      (codes[o])
    );
  end

  for (genvar o = 0; o < Outputs; o += 2) begin : gen_table
    (* ram_style = "block" *) logic [7:0] memory[2<<TableBits];
    logic [TableBits:0] address0, address1;
    logic [7:0] read0_q, read1_q, plain0_q, plain1_q, code0_q, code1_q;

    assign address0 = table_write_i ? table_address_i
                                    : {conversion_table.table_id, codes[o][TableBits-1:0]};
    assign address1 = {conversion_table.table_id, codes[o+1][TableBits-1:0]};

    always_ff @(posedge clk_i) begin : port0
      if (table_write_i) memory[address0] <= table_data_i;
      read0_q <= memory[address0];
    end

    always_ff @(posedge clk_i) begin : port1
      read1_q <= memory[address1];
    end

    always_ff @(posedge clk_i) begin : select
      plain0_q <= conversion_table.high ? codes[o][15:8] : codes[o][7:0];
      plain1_q <= conversion_table.high ? codes[o+1][15:8] : codes[o+1][7:0];
      code0_q  <= conversion_select.look_up ? read0_q : plain0_q;
      code1_q  <= conversion_select.look_up ? read1_q : plain1_q;
    end

    assign codes_o[o*8+:16] = {code1_q, code0_q};
  end

  // Whether a code is in the stage that reads the tables.
  logic valid_code;

  hyq_valid_chain #(
    .Stages(TableStage)
  ) u_valid_code (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i, .valid_o(valid_code)
  );

  hyq_engine_checker #(
    .Message("a table is loaded while a code is looked up")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!(table_write_i && valid_code && conversion_table.look_up))
  );

endmodule
