// The softmax unit with its feature memory, which the bench fills and reads between instructions.
module softmax_bench
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,
  parameter int unsigned Words,
  parameter int unsigned Length,
  parameter int unsigned Lanes
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
  input  logic                        table_write_i,
  input  logic [6:0]                  table_address_i,
  input  logic [63:0]                 table_data_i
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
  hyq_engine_softmax #(
    .Pixels     (Pixels),
    .ReadLatency(5),
    .Length     (Length),
    .Lanes      (Lanes)
  ) u_softmax (
    .clk_i,
    .rst_ni,
    .start_i,
    .instruction_i,
    .done_o,
    .read_o         (read),
    .bytes_i        (window_o[127:0]),
    .write_o        (write),
    .table_write_i,
    .table_address_i,
    .table_data_i
  );

endmodule
