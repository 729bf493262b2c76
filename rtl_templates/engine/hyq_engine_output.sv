// The output stage turns sums into codes: requantization, saturation, and a table where the
// instruction wants one. It takes 16 channels of a pixel in every cycle and never waits.
//
// On load_i it takes over the parameters of the channels and of the instruction, for the sums of
// the next cycle and all that follow. tag_i travels with its sums. Two lanes share a RAMB18, which
// holds two tables of 1,024 codes of 8 bits; both lanes' halves of the load port are the same, so a
// table must not be loaded while sums with a table are under way.
module hyq_engine_output
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  TagBits,
  parameter bit           Multiply,
  localparam int unsigned TableBits = 10,
  localparam int unsigned Latency = (Multiply ? 2 : 0) + 6
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       load_i,
  input  channel_t [Outputs-1:0]     channels_i,
  input  conversion_t                conversion_i,
  input  logic                       valid_i,
  input  logic [TagBits-1:0]        tag_i,
  input  logic [Outputs*AccBits-1:0]   sums_i,           // [channel]
  input  logic                       table_write_i,
  input  logic [TableBits:0]         table_address_i,  // {table, entry}
  input  logic [7:0]                 table_data_i,
  output logic                       valid_o,
  output logic [TagBits-1:0]        tag_o,
  output logic [Outputs*CodeBits-1:0]  codes_o           // [channel]
);

  localparam int unsigned ProductStages = Multiply ? 2 : 0;

  // Parameters travel beside the sums to the stages that use them.
  channel_t [Outputs-1:0] channels_q;
  conversion_t conversion_q, conversion_mask, conversion_look_up, conversion_select;

  always_ff @(posedge clk_i) begin : take_over
    if (load_i) begin
      channels_q   <= channels_i;
      conversion_q <= conversion_i;
    end
  end

  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(ProductStages + 3)
  ) u_mask (
    .clk_i, .en_i(1'b1), .data_i(conversion_q), .data_o(conversion_mask)
  );
  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(1)
  ) u_look_up (
    .clk_i, .en_i(1'b1), .data_i(conversion_mask), .data_o(conversion_look_up)
  );
  hyq_delay #(
    .Width($bits(conversion_t)), .Stages(1)
  ) u_select (
    .clk_i, .en_i(1'b1), .data_i(conversion_look_up), .data_o(conversion_select)
  );
  hyq_delay #(
    .Width(TagBits), .Stages(Latency)
  ) u_tag (
    .clk_i, .en_i(1'b1), .data_i(tag_i), .data_o(tag_o)
  );
  hyq_valid_chain #(
    .Stages(Latency)
  ) u_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i, .valid_o
  );

  logic unused_conversion;
  assign unused_conversion = ^{conversion_mask.look_up, conversion_mask.table_id,
                               conversion_look_up.mask, conversion_select.mask,
                               conversion_look_up.look_up, conversion_select.table_id};

  logic [Outputs-1:0][ShiftBits-4:0] bytes;
  logic [Outputs-1:0][2:0] bits;
  logic [Outputs-1:0][CodeBits:0] zero_points;

  for (genvar o = 0; o < Outputs; o++) begin : gen_channel
    hyq_delay #(
      .Width(ShiftBits - 3), .Stages(ProductStages)
    ) u_bytes (
      .clk_i, .en_i(1'b1), .data_i(channels_q[o].shift[ShiftBits-1:3]), .data_o(bytes[o])
    );
    hyq_delay #(
      .Width(3), .Stages(ProductStages + 1)
    ) u_bits (
      .clk_i, .en_i(1'b1), .data_i(channels_q[o].shift[2:0]), .data_o(bits[o])
    );
    hyq_delay #(
      .Width(CodeBits + 1), .Stages(ProductStages + 2)
    ) u_zero_point (
      .clk_i, .en_i(1'b1), .data_i(channels_q[o].zero_point), .data_o(zero_points[o])
    );
  end

  logic [Outputs-1:0][CodeBits-1:0] codes;

  for (genvar l = 0; l < Outputs; l++) begin : gen_lane
    hyq_engine_requantizer #(
      .Multiply(Multiply)
    ) u_requantizer (
      .clk_i,
      .acc_i       (sums_i[l*AccBits+:AccBits]),
      .multiplier_i(channels_q[l].multiplier),
      .bytes_i     (bytes[l]),
      .bits_i      (bits[l]),
      .zero_point_i(zero_points[l]),
      .mask_i      (conversion_mask.mask),
      .code_o      (codes[l])
    );
  end

  for (genvar l = 0; l < Outputs; l += 2) begin : gen_table
    (* ram_style = "block" *) logic [7:0] memory[2<<TableBits];
    logic [TableBits:0] address0, address1;
    logic [7:0] read0_q, read1_q;
    logic [CodeBits-1:0] plain0_q, plain1_q, out0_q, out1_q;

    assign address0 = table_write_i ? table_address_i
                                    : {conversion_look_up.table_id, codes[l][TableBits-1:0]};
    assign address1 = {conversion_look_up.table_id, codes[l+1][TableBits-1:0]};

    always_ff @(posedge clk_i) begin : port0
      if (table_write_i) memory[address0] <= table_data_i;
      read0_q <= memory[address0];
    end

    always_ff @(posedge clk_i) begin : port1
      read1_q <= memory[address1];
    end

    always_ff @(posedge clk_i) begin : select
      plain0_q <= codes[l];
      plain1_q <= codes[l+1];
      out0_q   <= conversion_select.look_up ? CodeBits'(read0_q) : plain0_q;
      out1_q   <= conversion_select.look_up ? CodeBits'(read1_q) : plain1_q;
    end

    assign codes_o[l*CodeBits+:2*CodeBits] = {out1_q, out0_q};
  end

  // Whether a code is in the stage that reads the tables.
  logic valid_code;

  hyq_valid_chain #(
    .Stages(ProductStages + 4)
  ) u_valid_code (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i, .valid_o(valid_code)
  );

  hyq_engine_checker #(
    .Message("a table is loaded while a code is looked up")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!(table_write_i && valid_code && conversion_look_up.look_up))
  );

endmodule
