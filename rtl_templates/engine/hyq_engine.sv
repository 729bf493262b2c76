// SPDX-License-Identifier: Apache-2.0
// The engine runs a program from DRAM, one instruction after the other. Reference: docs/engine.md.
//
// It has an AXI4-Lite port for its registers and one AXI4 port for DRAM, whose bursts an AXI3 port
// of a Zynq-7000 takes as they are. One unit works at a time, so the units share the ports of the
// memories without waiting for each other.
module hyq_engine
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels,           // 2, 4 or 8
  parameter int unsigned FeatureWords,     // of a bank
  parameter int unsigned WeightWords,
  parameter int unsigned ParameterGroups,
  parameter int unsigned NormChannels,     // a power of two
  parameter int unsigned NormLanes,        // 1, 2 or 4
  parameter int unsigned SoftmaxLength,    // codes of the longest row
  parameter int unsigned SoftmaxLanes,     // 1, 2 or 4
  parameter bit          Multiply,         // the output stage has multipliers
  parameter bit          Primitive = 1'b0  // instances of DSP48E1
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  output logic        interrupt_o,
  input  logic [7:0]  s_axi_awaddr,
  input  logic        s_axi_awvalid,
  output logic        s_axi_awready,
  input  logic [31:0] s_axi_wdata,
  input  logic        s_axi_wvalid,
  output logic        s_axi_wready,
  output logic [1:0]  s_axi_bresp,
  output logic        s_axi_bvalid,
  input  logic        s_axi_bready,
  input  logic [7:0]  s_axi_araddr,
  input  logic        s_axi_arvalid,
  output logic        s_axi_arready,
  output logic [31:0] s_axi_rdata,
  output logic [1:0]  s_axi_rresp,
  output logic        s_axi_rvalid,
  input  logic        s_axi_rready,
  output logic [31:0] m_axi_araddr,
  output logic [7:0]  m_axi_arlen,
  output logic [2:0]  m_axi_arsize,
  output logic [1:0]  m_axi_arburst,
  output logic        m_axi_arvalid,
  input  logic        m_axi_arready,
  input  logic [63:0] m_axi_rdata,
  input  logic [1:0]  m_axi_rresp,
  input  logic        m_axi_rlast,
  input  logic        m_axi_rvalid,
  output logic        m_axi_rready,
  output logic [31:0] m_axi_awaddr,
  output logic [7:0]  m_axi_awlen,
  output logic [2:0]  m_axi_awsize,
  output logic [1:0]  m_axi_awburst,
  output logic        m_axi_awvalid,
  input  logic        m_axi_awready,
  output logic [63:0] m_axi_wdata,
  output logic [7:0]  m_axi_wstrb,
  output logic        m_axi_wlast,
  output logic        m_axi_wvalid,
  input  logic        m_axi_wready,
  input  logic [1:0]  m_axi_bresp,
  input  logic        m_axi_bvalid,
  output logic        m_axi_bready
);

  localparam int unsigned ReadLatency = 5;    // of the feature memory
  localparam int unsigned RecordLatency = 3;  // of the parameter memory
  localparam int unsigned Lanes = Outputs * Inputs;
  localparam int unsigned WordBits = $clog2(WeightWords);
  localparam int unsigned RecordBits = $clog2(ParameterGroups * Outputs);
  localparam int unsigned Load = 0;
  localparam int unsigned Store = 1;
  localparam int unsigned Array = 2;
  localparam int unsigned Move = 3;
  localparam int unsigned Softmax = 4;
  localparam int unsigned Norm = 5;

  // Program.
  logic start, stop, ended, instruction_ended;
  logic [31:0] length, program_address, base;
  logic [3:0][31:0] bases;
  logic [7:0] error;
  logic [23:0] index;
  logic [5:0] unit_start, unit_running, unit_done;
  logic [InstructionBits-1:0] instruction;
  transfer_instruction_t transfer_instruction;
  transfer_t fetch_transfer, load_transfer;
  logic fetch_valid, load_valid, transfer_ready, fetch_data_ready, load_data_ready;

  assign transfer_instruction = instruction;
  assign base = bases[transfer_instruction.base];

  hyq_engine_registers #(
    .Pixels(Pixels)
  ) u_registers (
    .clk_i,
    .rst_ni,
    .s_axi_awaddr,
    .s_axi_awvalid,
    .s_axi_awready,
    .s_axi_wdata,
    .s_axi_wvalid,
    .s_axi_wready,
    .s_axi_bresp,
    .s_axi_bvalid,
    .s_axi_bready,
    .s_axi_araddr,
    .s_axi_arvalid,
    .s_axi_arready,
    .s_axi_rdata,
    .s_axi_rresp,
    .s_axi_rvalid,
    .s_axi_rready,
    .interrupt_o,
    .start_o            (start),
    .stop_o             (stop),
    .length_o           (length),
    .program_o          (program_address),
    .bases_o            (bases),
    .ended_i            (ended),
    .error_i            (error),
    .index_i            (index),
    .running_i          (unit_running),
    .instruction_ended_i(instruction_ended),
    .beat_read_i        (m_axi_rvalid && m_axi_rready),
    .beat_written_i     (m_axi_wvalid && m_axi_wready)
  );
  hyq_engine_control u_control (
    .clk_i,
    .rst_ni,
    .start_i            (start),
    .stop_i             (stop),
    .length_i           (length),
    .program_i          (program_address),
    .ended_o            (ended),
    .error_o            (error),
    .index_o            (index),
    .instruction_ended_o(instruction_ended),
    .instruction_o      (instruction),
    .unit_start_o       (unit_start),
    .unit_running_o     (unit_running),
    .unit_done_i        (unit_done),
    .transfer_o         (fetch_transfer),
    .transfer_valid_o   (fetch_valid),
    .transfer_ready_i   (transfer_ready && !unit_running[Load]),
    .data_i             (m_axi_rdata),
    .data_valid_i       (m_axi_rvalid && !unit_running[Load]),
    .data_ready_o       (fetch_data_ready),
    .read_error_i       (m_axi_rvalid && m_axi_rready && m_axi_rresp != '0),
    .write_error_i      (m_axi_bvalid && m_axi_bready && m_axi_bresp != '0)
  );

  // Reads of DRAM belong to the load unit while it runs, else to the control.
  burst_t read_burst;

  hyq_engine_bursts u_read_bursts (
    .clk_i,
    .rst_ni,
    .transfer_i      (unit_running[Load] ? load_transfer : fetch_transfer),
    .transfer_valid_i(unit_running[Load] ? load_valid : fetch_valid),
    .transfer_ready_o(transfer_ready),
    .burst_o         (read_burst),
    .burst_valid_o   (m_axi_arvalid),
    .burst_ready_i   (m_axi_arready)
  );

  assign m_axi_araddr  = read_burst.address;
  assign m_axi_arlen   = 8'(read_burst.length);
  assign m_axi_arsize  = 3'b011;  // 8 bytes
  assign m_axi_arburst = 2'b01;   // at rising addresses
  assign m_axi_rready  = unit_running[Load] ? load_data_ready : fetch_data_ready;

  // Memories: the unit that runs has their ports.
  feature_read_t read, reads[6];
  feature_write_t write, writes[6];
  logic window_valid;
  logic [Pixels*Outputs*8-1:0] window;
  logic [Lanes-1:0] load_weight_write, move_weight_write;
  logic [15:0] load_weight_address, move_weight_address, load_address;
  logic [Lanes*WeightBits-1:0] load_weights, move_weights;
  logic parameter_write, table_write, exponential_write, norm_write;
  logic [63:0] load_data;
  logic [11:0] record;
  logic [AccBits-1:0] bias;

  assign reads[Load] = '0;
  assign writes[Store] = '0;
  assign writes[Move] = '0;

  always_comb begin : share
    read  = '0;
    write = '0;
    for (int unsigned unit = 0; unit < 6; unit++) begin
      if (unit_running[unit]) begin
        read  = reads[unit];
        write = writes[unit];
      end
    end
  end

  hyq_engine_feature #(
    .Pixels(Pixels),
    .Words (FeatureWords)
  ) u_feature (
    .clk_i,
    .rst_ni,
    .read_i  (read),
    .valid_o (window_valid),
    .window_o(window),
    .write_i (write)
  );

  // Units.
  hyq_engine_load #(
    .Pixels(Pixels)
  ) u_load (
    .clk_i,
    .rst_ni,
    .start_i            (unit_start[Load]),
    .instruction_i      (transfer_instruction),
    .base_i             (base),
    .done_o             (unit_done[Load]),
    .transfer_o         (load_transfer),
    .transfer_valid_o   (load_valid),
    .transfer_ready_i   (transfer_ready && unit_running[Load]),
    .data_i             (m_axi_rdata),
    .data_valid_i       (m_axi_rvalid && unit_running[Load]),
    .data_ready_o       (load_data_ready),
    .feature_o          (writes[Load]),
    .weight_write_o     (load_weight_write),
    .weight_address_o   (load_weight_address),
    .weight_data_o      (load_weights),
    .parameter_write_o  (parameter_write),
    .table_write_o      (table_write),
    .exponential_write_o(exponential_write),
    .norm_write_o       (norm_write),
    .address_o          (load_address),
    .data_o             (load_data)
  );

  burst_t write_burst;

  hyq_engine_store #(
    .Pixels(Pixels)
  ) u_store (
    .clk_i,
    .rst_ni,
    .start_i       (unit_start[Store]),
    .instruction_i (transfer_instruction),
    .base_i        (base),
    .done_o        (unit_done[Store]),
    .read_o        (reads[Store]),
    .words_valid_i (window_valid && unit_running[Store]),
    .words_i       (window[63:0]),
    .burst_o       (write_burst),
    .burst_valid_o (m_axi_awvalid),
    .burst_ready_i (m_axi_awready),
    .data_o        (m_axi_wdata),
    .strobe_o      (m_axi_wstrb),
    .last_o        (m_axi_wlast),
    .data_valid_o  (m_axi_wvalid),
    .data_ready_i  (m_axi_wready),
    .answer_valid_i(m_axi_bvalid),
    .answer_ready_o(m_axi_bready)
  );

  assign m_axi_awaddr  = write_burst.address;
  assign m_axi_awlen   = 8'(write_burst.length);
  assign m_axi_awsize  = 3'b011;
  assign m_axi_awburst = 2'b01;

  hyq_engine_array_unit #(
    .Pixels         (Pixels),
    .WeightWords    (WeightWords),
    .ParameterGroups(ParameterGroups),
    .Multiply       (Multiply),
    .Primitive      (Primitive)
  ) u_array (
    .clk_i,
    .rst_ni,
    .start_i            (unit_start[Array]),
    .instruction_i      (instruction),
    .done_o             (unit_done[Array]),
    .read_o             (reads[Array]),
    .window_i           (window),
    .write_o            (writes[Array]),
    .weight_write_i     (unit_running[Move] ? move_weight_write : load_weight_write),
    .weight_address_i   (WordBits'(unit_running[Move] ? move_weight_address
                                                      : load_weight_address)),
    .weight_data_i      (unit_running[Move] ? move_weights : load_weights),
    .parameter_write_i  (parameter_write),
    .parameter_address_i((RecordBits + 1)'(load_address)),
    .parameter_data_i   (load_data),
    .table_write_i      (table_write),
    .table_address_i    ((TableBits + 1)'(load_address)),
    .table_data_i       (load_data[7:0]),
    .record_i           (RecordBits'(record)),
    .bias_o             (bias)
  );
  hyq_engine_move #(
    .Pixels       (Pixels),
    .ReadLatency  (ReadLatency),
    .RecordLatency(RecordLatency)
  ) u_move (
    .clk_i,
    .rst_ni,
    .start_i         (unit_start[Move]),
    .instruction_i   (instruction),
    .done_o          (unit_done[Move]),
    .read_o          (reads[Move]),
    .bytes_i         (window[Outputs*8-1:0]),
    .record_o        (record),
    .bias_i          (bias[WeightBits-1:0]),
    .weight_write_o  (move_weight_write),
    .weight_address_o(move_weight_address),
    .weight_data_o   (move_weights)
  );
  hyq_engine_softmax #(
    .Pixels     (Pixels),
    .ReadLatency(ReadLatency),
    .Length     (SoftmaxLength),
    .Lanes      (SoftmaxLanes)
  ) u_softmax (
    .clk_i,
    .rst_ni,
    .start_i        (unit_start[Softmax]),
    .instruction_i  (instruction),
    .done_o         (unit_done[Softmax]),
    .read_o         (reads[Softmax]),
    .bytes_i        (window[Outputs*8-1:0]),
    .write_o        (writes[Softmax]),
    .table_write_i  (exponential_write),
    .table_address_i(load_address[6:0]),
    .table_data_i   (load_data)
  );
  hyq_engine_norm #(
    .Pixels     (Pixels),
    .ReadLatency(ReadLatency),
    .Channels   (NormChannels),
    .Lanes      (NormLanes)
  ) u_norm (
    .clk_i,
    .rst_ni,
    .start_i       (unit_start[Norm]),
    .instruction_i (instruction),
    .done_o        (unit_done[Norm]),
    .read_o        (reads[Norm]),
    .word_i        (window[31:0]),
    .write_o       (writes[Norm]),
    .load_write_i  (norm_write),
    .load_address_i(load_address),
    .load_data_i   (load_data)
  );

  logic unused;
  assign unused = ^{m_axi_rlast, transfer_instruction, bias, record, load_address};

endmodule
