// The load unit and the store unit between a feature memory and AXI channels.
module transfer_bench
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Pixels,
  parameter int unsigned  Words,
  localparam int unsigned Lanes = Outputs * Inputs
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        load_i,
  input  logic                        store_i,
  input  logic [InstructionBits-1:0]  instruction_i,
  input  logic [31:0]                 base_i,
  output logic                        load_done_o,
  output logic                        store_done_o,
  input  feature_read_t               read_i,
  output logic                        window_valid_o,
  output logic [Pixels*Outputs*8-1:0] window_o,
  output logic [Lanes-1:0]            weight_write_o,
  output logic [15:0]                 weight_address_o,
  output logic [Lanes*WeightBits-1:0] weight_data_o,
  output logic                        parameter_write_o,
  output logic                        table_write_o,
  output logic                        exponential_write_o,
  output logic                        norm_write_o,
  output logic [15:0]                 address_o,
  output logic [63:0]                 data_o,
  output logic [31:0]                 araddr,
  output logic [3:0]                  arlen,
  output logic                        arvalid,
  input  logic                        arready,
  input  logic [63:0]                 rdata,
  input  logic                        rvalid,
  output logic                        rready,
  output logic [31:0]                 awaddr,
  output logic [3:0]                  awlen,
  output logic                        awvalid,
  input  logic                        awready,
  output logic [63:0]                 wdata,
  output logic [7:0]                  wstrb,
  output logic                        wlast,
  output logic                        wvalid,
  input  logic                        wready,
  input  logic                        bvalid,
  output logic                        bready
);

  feature_write_t write;
  feature_read_t read;
  transfer_t transfer;
  logic transfer_valid, transfer_ready;

  hyq_engine_feature #(
    .Pixels(Pixels),
    .Words (Words)
  ) u_feature (
    .clk_i,
    .rst_ni,
    .read_i  (read_i.valid ? read_i : read),
    .valid_o (window_valid_o),
    .window_o,
    .write_i (write)
  );
  hyq_engine_load #(
    .Pixels(Pixels)
  ) u_load (
    .clk_i,
    .rst_ni,
    .start_i         (load_i),
    .instruction_i,
    .base_i,
    .done_o          (load_done_o),
    .transfer_o      (transfer),
    .transfer_valid_o(transfer_valid),
    .transfer_ready_i(transfer_ready),
    .data_i          (rdata),
    .data_valid_i    (rvalid),
    .data_ready_o    (rready),
    .feature_o       (write),
    .weight_write_o,
    .weight_address_o,
    .weight_data_o,
    .parameter_write_o,
    .table_write_o,
    .exponential_write_o,
    .norm_write_o,
    .address_o,
    .data_o
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
  hyq_engine_store #(
    .Pixels(Pixels)
  ) u_store (
    .clk_i,
    .rst_ni,
    .start_i       (store_i),
    .instruction_i,
    .base_i,
    .done_o        (store_done_o),
    .read_o        (read),
    .words_valid_i (window_valid_o && !read_i.valid),
    .words_i       (window_o[63:0]),
    .burst_o       ({awaddr, awlen}),
    .burst_valid_o (awvalid),
    .burst_ready_i (awready),
    .data_o        (wdata),
    .strobe_o      (wstrb),
    .last_o        (wlast),
    .data_valid_o  (wvalid),
    .data_ready_i  (wready),
    .answer_valid_i(bvalid),
    .answer_ready_o(bready)
  );

endmodule
