// The load unit copies from DRAM to a memory of the engine. Reference: "load" in docs/engine.md.
//
// A beat of 8 bytes takes two cycles for the feature memory, eight for a table, else one. The unit
// takes all beats of its transfers in their order; it does not know when they were asked for.
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

  logic to_feature, to_weights, to_tables, running_q, rows_busy;
  assign to_feature = ins.target == TargetFeature;
  assign to_weights = ins.target == TargetWeights;
  assign to_tables  = ins.target == TargetTables;

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

  // A write per cycle: a word, a beat or a byte.
  logic write, last, walk_valid, row_end, walk_end, part_last;
  logic [2:0] bank, part_q;  // part of the beat
  logic [AddressBits-1:0] walk_address;
  logic unused_pixel_end;

  hyq_engine_walk #(
    .Pixels(Pixels)
  ) u_walk (
    .clk_i,
    .rst_ni,
    .start_i    (start_i && to_feature),
    .view_i     (ins.view),
    .rows_i     (ins.rows),
    .pixels_i   (ins.pixels),
    .words_i    (ins.words),
    .planes_i   (ins.planes),
    .plane_i    (ins.plane),
    .x_first_i  (ins.x_first),
    .step_i     (write && to_feature),
    .valid_o    (walk_valid),
    .bank_o     (bank),
    .address_o  (walk_address),
    .pixel_end_o(unused_pixel_end),
    .row_end_o  (row_end),
    .end_o      (walk_end)
  );

  logic [28:0] beats_q;  // that are still to come
  logic [15:0] address_q;
  logic [2:0] block_q;   // of eight weights in a word
  logic block_last;

  assign block_last   = block_q == 3'(Lanes / 8 - 1);
  assign part_last    = to_feature ? part_q[0] || row_end : !to_tables || part_q == 3'd7;
  assign write        = running_q && data_valid_i && (!to_feature || walk_valid);
  assign data_ready_o = running_q && part_last && (!to_feature || walk_valid);
  assign last         = to_feature ? walk_end : part_last && beats_q == 29'd1;

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
      beats_q   <= {ins.pixels, ins.rows[15:3]};
      // Parameters are counted in beats, 32 for a group, exponentials two to a beat.
      address_q <= ins.target == TargetParameters ? ins.view.base << 5
                   : ins.target == TargetExponentials ? ins.view.base >> 1 : ins.view.base;
    end else if (write) begin
      part_q <= part_last ? '0 : part_q + 1'b1;
      if (part_last) beats_q <= beats_q - 1'b1;
      block_q <= block_last ? '0 : block_q + 1'b1;
      if (!to_weights || block_last) address_q <= address_q + 1'b1;
    end
  end

  // All writes come out of registers.
  logic [63:0] part;
  logic feature_valid_q;
  logic [2:0] bank_q;
  logic [AddressBits-1:0] walk_address_q;
  assign part = data_i >> (to_feature ? {part_q[0], 5'b0} : {part_q, 3'b0});

  always_ff @(posedge clk_i or negedge rst_ni) begin : select
    if (!rst_ni) begin
      feature_valid_q     <= 1'b0;
      weight_write_o      <= '0;
      parameter_write_o   <= 1'b0;
      table_write_o       <= 1'b0;
      exponential_write_o <= 1'b0;
      norm_write_o        <= 1'b0;
    end else begin
      feature_valid_q     <= write && to_feature;
      weight_write_o      <= write && to_weights ? Lanes'(8'hFF) << {block_q, 3'b000} : '0;
      parameter_write_o   <= write && ins.target == TargetParameters;
      table_write_o       <= write && to_tables;
      exponential_write_o <= write && ins.target == TargetExponentials;
      norm_write_o        <= write && ins.target == TargetNorm;
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
      bytes  : 16'h000F,
      data   : 128'(data_o[31:0])
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
