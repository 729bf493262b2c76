// The array unit with its feature memory, which the bench fills and reads between instructions.
module array_bench
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  parameter int unsigned  Words,
  parameter int unsigned  WeightWords,
  parameter int unsigned  ParameterGroups,
  parameter bit           Multiply,
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  logic [InstructionBits-1:0]  instruction_i,
  output logic                        done_o,
  input  feature_read_t               read_i,
  output logic                        window_valid_o,
  output logic [Pixels*Outputs*8-1:0] window_o,
  input  feature_write_t              write_i,
  input  logic [Lanes-1:0]            weight_write_i,
  input  logic [15:0]                 weight_address_i,
  input  logic [Lanes*WeightBits-1:0] weight_data_i,
  input  logic                        parameter_write_i,
  input  logic [15:0]                 parameter_address_i,
  input  logic [63:0]                 parameter_data_i,
  input  logic                        table_write_i,
  input  logic [TableBits:0]          table_address_i,
  input  logic [7:0]                  table_data_i,
  input  logic [15:0]                 record_i,
  output logic [AccBits-1:0]          bias_o
);

  feature_read_t read;
  feature_write_t write;

  hyq_engine_feature #(
    .Pixels(Pixels),
    .Words (Words)
  ) u_feature (
    .clk_i,
    .rst_ni,
    .read_i  (read_i.valid ? read_i : read),
    .valid_o (window_valid_o),
    .window_o,
    .write_i (write_i.valid ? write_i : write)
  );

  hyq_engine_array_unit #(
    .Pixels         (Pixels),
    .WeightWords    (WeightWords),
    .ParameterGroups(ParameterGroups),
    .Multiply       (Multiply)
  ) u_unit (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .done_o,
    .read_o             (read),
    .window_i           (window_o),
    .write_o            (write),
    .weight_write_i,
    .weight_address_i   ($clog2(WeightWords)'(weight_address_i)),
    .weight_data_i,
    .parameter_write_i,
    .parameter_address_i(($clog2(ParameterGroups * Outputs) + 1)'(parameter_address_i)),
    .parameter_data_i,
    .table_write_i,
    .table_address_i,
    .table_data_i,
    .record_i           ($clog2(ParameterGroups * Outputs)'(record_i)),
    .bias_o
  );

endmodule
