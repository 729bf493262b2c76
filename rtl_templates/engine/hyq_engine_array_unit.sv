// SPDX-License-Identifier: Apache-2.0
// The array with its sequencer, operand path, memories of weights and parameters, output stage and
// writer runs one instruction of the array at a time. Reference: "array" in docs/engine.md.
//
// Its operands come from the feature memory, whose reads take ReadLatency cycles, and its codes go
// there. What belongs to a step waits beside it for the operands: pairs take three stages more than
// the bytes of a depthwise step.
module hyq_engine_array_unit
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  parameter int unsigned  WeightWords,
  parameter int unsigned  ParameterGroups,
  parameter bit           Multiply,
  parameter bit           Primitive = 1'b0,
  localparam int unsigned WordBits = $clog2(WeightWords),
  localparam int unsigned RecordBits = $clog2(ParameterGroups * Outputs),
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  array_instruction_t          instruction_i,  // constant until done_o
  output logic                        done_o,
  // feature memory
  output feature_read_t               read_o,
  input  logic [Pixels*Outputs*8-1:0] window_i,
  output feature_write_t              write_o,
  // from the load and move units
  input  logic [Lanes-1:0]            weight_write_i,
  input  logic [WordBits-1:0]         weight_address_i,
  input  logic [Lanes*WeightBits-1:0] weight_data_i,
  input  logic                        parameter_write_i,
  input  logic [RecordBits:0]         parameter_address_i,
  input  logic [63:0]                 parameter_data_i,
  input  logic                        table_write_i,
  input  logic [TableBits:0]          table_address_i,
  input  logic [7:0]                  table_data_i,
  // to the move unit
  input  logic [RecordBits-1:0]       record_i,
  output logic [AccBits-1:0]          bias_o
);

  localparam int unsigned ReadLatency = 5;
  localparam int unsigned PairLatency = 3;
  localparam int unsigned WeightLatency = 3;

  logic fetch, ready, load;
  logic [7:0] fetch_group;
  step_t step, step_window, step_pair, step_array;
  operand_t operand, operand_window;
  logic [WordBits-1:0] weight, weight_window, weight_pair, weight_array;

  hyq_engine_sequencer #(
    .Pixels  (Pixels),
    .WordBits(WordBits)
  ) u_sequencer (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .fetch_o      (fetch),
    .fetch_group_o(fetch_group),
    .ready_i      (ready),
    .taken_i      (load),
    .step_o       (step),
    .operand_o    (operand),
    .read_o,
    .weight_o     (weight)
  );

  // Steps of the two modes are delayed differently. They never meet, since all steps of an
  // instruction have one mode.
  hyq_engine_step_delay #(
    .Stages(ReadLatency)
  ) u_step_window (
    .clk_i, .rst_ni, .step_i(step), .step_o(step_window)
  );
  hyq_engine_step_delay #(
    .Stages(PairLatency)
  ) u_step_pair (
    .clk_i, .rst_ni, .step_i(step_window), .step_o(step_pair)
  );
  hyq_delay #(
    .Width($bits(operand_t)), .Stages(ReadLatency)
  ) u_operand (
    .clk_i, .en_i(1'b1), .data_i(operand), .data_o(operand_window)
  );
  hyq_delay #(
    .Width(WordBits), .Stages(ReadLatency - WeightLatency)
  ) u_weight_window (
    .clk_i, .en_i(1'b1), .data_i(weight), .data_o(weight_window)
  );
  hyq_delay #(
    .Width(WordBits), .Stages(PairLatency)
  ) u_weight_pair (
    .clk_i, .en_i(1'b1), .data_i(weight_window), .data_o(weight_pair)
  );

  // Weights are asked for early, so that they come with their step.
  assign weight_array = step_window.valid && step_window.dense ? weight_pair : weight_window;

  logic window_comes, pairs_come;
  assign window_comes = step_window.valid && !step_window.dense;
  assign pairs_come   = step_pair.valid && step_pair.dense;
  assign step_array   = window_comes ? step_window : pairs_come ? step_pair : '0;

  hyq_engine_checker #(
    .Message("a dense and a depthwise step meet in front of the array")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!window_comes || !pairs_come)
  );

  logic [Pixels/2*Inputs*PairBits-1:0] pairs;
  logic [Lanes*WeightBits-1:0] weights;

  hyq_engine_operands #(
    .Pixels(Pixels)
  ) u_operands (
    .clk_i, .operand_i(operand_window), .window_i, .pairs_o(pairs)
  );

  hyq_engine_weights #(
    .Words(WeightWords)
  ) u_weights (
    .clk_i,
    .write_i        (weight_write_i),
    .write_address_i(weight_address_i),
    .write_data_i   (weight_data_i),
    .read_address_i (weight_array),
    .read_data_o    (weights)
  );

  logic sums_valid, to_bias;
  logic [Outputs*AccBits-1:0] sums;

  hyq_engine_array #(
    .Pixels   (Pixels),
    .Primitive(Primitive)
  ) u_array (
    .clk_i,
    .rst_ni,
    .step_i   (step_array),
    .pairs_i  (pairs),
    .window_i,
    .weights_i(weights),
    .load_o   (load),
    .valid_o  (sums_valid),
    .to_bias_o(to_bias),
    .sums_o   (sums)
  );

  channel_t [Outputs-1:0] channels;

  hyq_engine_parameters #(
    .Groups(ParameterGroups)
  ) u_parameters (
    .clk_i,
    .rst_ni,
    .write_i        (parameter_write_i),
    .write_address_i(parameter_address_i),
    .write_data_i   (parameter_data_i),
    .fetch_i        (fetch),
    .group_i        (fetch_group),
    .taken_i        (load),
    .ready_o        (ready),
    .channels_o     (channels),
    .record_i,
    .bias_o
  );

  conversion_t conversion_q;

  always_ff @(posedge clk_i) begin : conversion
    conversion_q <= '{
        mask    : CodeBits'((17'd1 << instruction_i.bits) - 17'd1),
        look_up : instruction_i.look_up,
        table_id: instruction_i.bank,
        high    : instruction_i.high
    };
  end

  logic codes_valid;
  logic [Outputs*8-1:0] codes;

  hyq_engine_output #(
    .Multiply(Multiply)
  ) u_output (
    .clk_i,
    .rst_ni,
    .load_i         (load),
    .channels_i     (channels),
    .conversion_i   (conversion_q),
    .valid_i        (sums_valid),
    .to_bias_i      (to_bias),
    .sums_i         (sums),
    .table_write_i,
    .table_address_i,
    .table_data_i,
    .valid_o        (codes_valid),
    .codes_o        (codes)
  );

  hyq_engine_writer #(
    .Pixels(Pixels)
  ) u_writer (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .valid_i(codes_valid),
    .codes_i(codes),
    .write_o,
    .done_o
  );

endmodule
