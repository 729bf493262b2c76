// The move unit between a feature memory, a parameter memory and writes to the weight memory.
module move_bench
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  parameter int unsigned  Words,
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  logic [InstructionBits-1:0]  instruction_i,
  output logic                        done_o,
  input  feature_write_t              write_i,
  input  logic                        parameter_write_i,
  input  logic [15:0]                 parameter_address_i,
  input  logic [63:0]                 parameter_data_i,
  output logic [Lanes-1:0]            weight_write_o,
  output logic [15:0]                 weight_address_o,
  output logic [Lanes*WeightBits-1:0] weight_data_o
);

  localparam int unsigned Groups = 4;

  feature_read_t read;
  logic [Pixels*Outputs*8-1:0] window;
  logic [11:0] record;
  logic [AccBits-1:0] bias;

  hyq_engine_feature #(
    .Pixels(Pixels),
    .Words (Words)
  ) u_feature (
    .clk_i, .rst_ni, .read_i(read), .valid_o(), .window_o(window), .write_i
  );
  hyq_engine_parameters #(
    .Groups(Groups)
  ) u_parameters (
    .clk_i,
    .rst_ni,
    .write_i        (parameter_write_i),
    .write_address_i(7'(parameter_address_i)),
    .write_data_i   (parameter_data_i),
    .fetch_i        (1'b0),
    .group_i        ('0),
    .taken_i        (1'b0),
    .ready_o        (),
    .channels_o     (),
    .record_i       (6'(record)),
    .bias_o         (bias)
  );
  hyq_engine_move #(
    .Pixels       (Pixels),
    .ReadLatency  (5),
    .RecordLatency(3)
  ) u_move (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .done_o,
    .read_o          (read),
    .bytes_i         (window[Outputs*8-1:0]),
    .record_o        (record),
    .bias_i          (bias[WeightBits-1:0]),
    .weight_write_o,
    .weight_address_o,
    .weight_data_o
  );

endmodule
