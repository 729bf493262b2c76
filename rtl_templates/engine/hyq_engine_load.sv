// SPDX-License-Identifier: Apache-2.0
// The load unit copies from DRAM to a memory of the engine. Reference: "load" in docs/engine.md.
//
// A beat of 8 bytes takes a cycle; eight for a table, and two for the feature memory where pixels
// have an odd number of words. The unit takes all beats of its transfers in their order; it does
// not know when they were asked for.
module hyq_engine_load
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  transfer_instruction_t       instruction_i,  // constant until done_o
  input  logic [31:0]                 base_i,         // of its base register
  output logic                        done_o,         // with the last write
  // to the read channels of AXI
  output transfer_t                   transfer_o,
  output logic                        transfer_valid_o,
  input  logic                        transfer_ready_i,
  input  logic [63:0]                 data_i,
  input  logic                        data_valid_i,
  output logic                        data_ready_o,
  // to the memories
  output feature_write_t              feature_o,
  output logic [Lanes-1:0]            weight_write_o,
  output logic [15:0]                 weight_address_o,
  output logic [Lanes*WeightBits-1:0] weight_data_o,
  output logic                        parameter_write_o,
  output logic                        table_write_o,
  output logic                        exponential_write_o,  // two exponentials
  output logic                        norm_write_o,
  output logic [15:0]                 address_o,  // in bytes for the table, else in beats
  output logic [63:0]                 data_o      // the table has its lowest byte
);

  transfer_instruction_t ins;
  assign ins = instruction_i;

  // What is known of the instruction in the second cycle.
  logic to_feature_q, to_weights_q, to_parameters_q, to_tables_q, to_exponentials_q, to_norm_q;
  logic pairs, pairs_q, running_q, rows_busy;

  assign pairs = !ins.words[0];

  always_ff @(posedge clk_i) begin : target
    to_feature_q      <= ins.target == TargetFeature;
    to_weights_q      <= ins.target == TargetWeights;
    to_parameters_q   <= ins.target == TargetParameters;
    to_tables_q       <= ins.target == TargetTables;
    to_exponentials_q <= ins.target == TargetExponentials;
    to_norm_q         <= ins.target == TargetNorm;
    pairs_q           <= pairs;
  end

  hyq_engine_rows u_rows (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .base_i,
    .transfer_o,
    .transfer_valid_o,
    .transfer_ready_i,
    .busy_o(rows_busy)
  );

  // A write per cycle: a beat, a word or a byte.
  logic write, last, walk_valid, row_end, walk_end, part_last;
  logic [2:0] bank, part_q;  // part of the beat
  logic [AddressBits-1:0] walk_address;

  hyq_engine_walk #(
    .Pixels(Pixels)
  ) u_walk (
    .clk_i,
    .rst_ni,
    .start_i    (start_i && ins.target == TargetFeature),
    .view_i     (ins.view),
    .rows_i     (ins.rows),
    .pixels_i   (ins.pixels),
    .steps_i    (pairs ? ins.words >> 1 : ins.words),
    .pairs_i    (pairs_q),
    .planes_i   (ins.planes),
    .plane_i    (ins.plane),
    .x_first_i  (ins.x_first),
    .step_i     (write && to_feature_q),
    .valid_o    (walk_valid),
    .bank_o     (bank),
    .address_o  (walk_address),
    .row_end_o  (row_end),
    .end_o      (walk_end)
  );

  logic [28:0] beats_q;  // behind the next one
  logic last_beat_q;
  logic [15:0] address_q;
  logic [2:0] block_q;   // of eight weights in a word
  logic block_last;

  assign block_last   = block_q == 3'(Lanes / 8 - 1);
  assign part_last    = to_feature_q ? pairs_q || part_q[0] || row_end
                                     : !to_tables_q || part_q == 3'd7;
  assign write        = running_q && data_valid_i && (!to_feature_q || walk_valid);
  assign data_ready_o = running_q && part_last && (!to_feature_q || walk_valid);
  assign last         = to_feature_q ? walk_end : part_last && last_beat_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      running_q <= 1'b0;
      done_o    <= 1'b0;
    end else begin
      if (start_i) running_q <= 1'b1;
      else if (write && last) running_q <= 1'b0;
      done_o <= write && last;
    end
  end

  always_ff @(posedge clk_i) begin : position
    if (start_i) begin
      part_q    <= '0;
      block_q   <= '0;
      beats_q     <= {ins.pixels, ins.rows[15:3]} - 29'd1;
      last_beat_q <= {ins.pixels, ins.rows[15:3]} == 29'd1;
      // Parameters are counted in beats, 32 for a group, exponentials two to a beat.
      address_q <= ins.target == TargetParameters ? ins.view.base << 5
                   : ins.target == TargetExponentials ? ins.view.base >> 1 : ins.view.base;
    end else if (write) begin
      part_q <= part_last ? '0 : part_q + 1'b1;
      if (part_last) begin
        beats_q     <= beats_q - 1'b1;
        last_beat_q <= beats_q == 29'd1;
      end
      block_q <= block_last ? '0 : block_q + 1'b1;
      if (!to_weights_q || block_last) address_q <= address_q + 1'b1;
    end
  end

  // All writes come out of registers.
  logic [63:0] part;
  logic feature_valid_q;
  logic [2:0] bank_q;
  logic [AddressBits-1:0] walk_address_q;
  assign part = data_i >> (to_feature_q ? {part_q[0], 5'b0} : {part_q, 3'b0});

  always_ff @(posedge clk_i or negedge rst_ni) begin : select
    if (!rst_ni) begin
      feature_valid_q     <= 1'b0;
      weight_write_o      <= '0;
      parameter_write_o   <= 1'b0;
      table_write_o       <= 1'b0;
      exponential_write_o <= 1'b0;
      norm_write_o        <= 1'b0;
    end else begin
      feature_valid_q     <= write && to_feature_q;
      weight_write_o      <= write && to_weights_q ? Lanes'(8'hFF) << {block_q, 3'b000} : '0;
      parameter_write_o   <= write && to_parameters_q;
      table_write_o       <= write && to_tables_q;
      exponential_write_o <= write && to_exponentials_q;
      norm_write_o        <= write && to_norm_q;
    end
  end

  always_ff @(posedge clk_i) begin : data
    bank_q         <= bank;
    walk_address_q <= walk_address;
    address_o      <= address_q;
    data_o         <= part;
  end

  assign feature_o = '{
      valid  : feature_valid_q,
      bank   : bank_q,
      address: walk_address_q,
      bytes  : pairs_q ? 16'h00FF : 16'h000F,
      data   : 128'(data_o)
  };

  assign weight_address_o = address_o;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    assign weight_data_o[l*WeightBits+:WeightBits] = {data_o[l%8*8+7], data_o[l%8*8+:8]};
  end

  hyq_engine_checker #(
    .Message("all beats have come before all were asked for")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!(write && last && rows_busy))
  );

  logic unused_instruction;
  assign unused_instruction = ^ins;

endmodule
