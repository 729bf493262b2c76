// The registers and the control between an AXI4-Lite port, AXI read channels and units.
module control_bench
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [7:0]                 s_axi_awaddr,
  input  logic                       s_axi_awvalid,
  output logic                       s_axi_awready,
  input  logic [31:0]                s_axi_wdata,
  input  logic                       s_axi_wvalid,
  output logic                       s_axi_wready,
  output logic [1:0]                 s_axi_bresp,
  output logic                       s_axi_bvalid,
  input  logic                       s_axi_bready,
  input  logic [7:0]                 s_axi_araddr,
  input  logic                       s_axi_arvalid,
  output logic                       s_axi_arready,
  output logic [31:0]                s_axi_rdata,
  output logic [1:0]                 s_axi_rresp,
  output logic                       s_axi_rvalid,
  input  logic                       s_axi_rready,
  output logic                       interrupt_o,
  output logic [3:0][31:0]           bases_o,
  output logic [InstructionBits-1:0] instruction_o,
  output logic [5:0]                 unit_start_o,
  output logic [5:0]                 unit_running_o,
  input  logic [5:0]                 unit_done_i,
  input  logic                       read_error_i,
  input  logic                       write_error_i,
  output logic [31:0]                araddr,
  output logic [3:0]                 arlen,
  output logic                       arvalid,
  input  logic                       arready,
  input  logic [63:0]                rdata,
  input  logic                       rvalid,
  output logic                       rready
);

  logic start, stop, ended, instruction_ended, transfer_valid, transfer_ready;
  logic [31:0] length, address;
  logic [7:0] error;
  logic [23:0] index;
  transfer_t transfer;

  hyq_engine_registers #(
    .Pixels(Pixels)
  ) u_registers (
    .start_o            (start),
    .stop_o             (stop),
    .length_o           (length),
    .program_o          (address),
    .ended_i            (ended),
    .error_i            (error),
    .index_i            (index),
    .running_i          (unit_running_o),
    .instruction_ended_i(instruction_ended),
    .beat_read_i        (rvalid && rready),
    .beat_written_i     (1'b0),
    .*
  );
  hyq_engine_control u_control (
    .start_i            (start),
    .stop_i             (stop),
    .length_i           (length),
    .program_i          (address),
    .ended_o            (ended),
    .error_o            (error),
    .index_o            (index),
    .instruction_ended_o(instruction_ended),
    .transfer_o         (transfer),
    .transfer_valid_o   (transfer_valid),
    .transfer_ready_i   (transfer_ready),
    .data_i             (rdata),
    .data_valid_i       (rvalid),
    .data_ready_o       (rready),
    .*
  );
  hyq_engine_bursts u_bursts (
    .clk_i,
    .rst_ni,
    .transfer_i      (transfer),
    .transfer_valid_i(transfer_valid),
    .transfer_ready_o(transfer_ready),
    .burst_o         ({araddr, arlen}),
    .burst_valid_o   (arvalid),
    .burst_ready_i   (arready)
  );

endmodule
