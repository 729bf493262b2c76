// SPDX-License-Identifier: Apache-2.0
// A small design around the engine: a DRAM at its master, a host outside at its registers.
module engine_system
  import engine_system_pkg::*;
(
  input logic clk_i,
  input logic rst_ni,

  // Host at the registers.
  input  logic [7:0]  awaddr_i,
  input  logic        awvalid_i,
  output logic        awready_o,
  input  logic [31:0] wdata_i,
  input  logic        wvalid_i,
  output logic        wready_o,
  output logic [1:0]  bresp_o,
  output logic        bvalid_o,
  input  logic        bready_i,
  input  logic [7:0]  araddr_i,
  input  logic        arvalid_i,
  output logic        arready_o,
  output logic [31:0] rdata_o,
  output logic [1:0]  rresp_o,
  output logic        rvalid_o,
  input  logic        rready_i,
  output logic        irq_o,

  // Host at the DRAM.
  input logic [6:0]  stall_i,
  input logic        fill_i,
  input logic [31:0] fill_address_i,
  input logic [63:0] fill_data_i
);

  logic [31:0] araddr, awaddr;
  logic [7:0] arlen, awlen, wstrb;
  logic [2:0] arsize, awsize;
  logic [1:0] arburst, awburst, rresp, bresp;
  logic [63:0] rdata, wdata;
  logic arvalid, arready, rlast, rvalid, rready, awvalid, awready, wlast, wvalid, wready;
  logic bvalid, bready;

  dram #(
    .Base(Base),
    .Beats(Beats),
    .Writable(Output),
    .Latency(Latency),
    .File("dram.hex")
  ) u_dram (
    .clk_i,
    .rst_ni,
    .stall_i,
    .write_i(fill_i),
    .address_i(fill_address_i),
    .data_i(fill_data_i),
    .araddr_i(araddr),
    .arlen_i(arlen),
    .arsize_i(arsize),
    .arburst_i(arburst),
    .arvalid_i(arvalid),
    .arready_o(arready),
    .rdata_o(rdata),
    .rresp_o(rresp),
    .rlast_o(rlast),
    .rvalid_o(rvalid),
    .rready_i(rready),
    .awaddr_i(awaddr),
    .awlen_i(awlen),
    .awsize_i(awsize),
    .awburst_i(awburst),
    .awvalid_i(awvalid),
    .awready_o(awready),
    .wdata_i(wdata),
    .wstrb_i(wstrb),
    .wlast_i(wlast),
    .wvalid_i(wvalid),
    .wready_o(wready),
    .bresp_o(bresp),
    .bvalid_o(bvalid),
    .bready_i(bready)
  );

  net u_net (
    .clk_i,
    .rst_ni,
    .interrupt_o(irq_o),
    .s_axi_awaddr(awaddr_i),
    .s_axi_awvalid(awvalid_i),
    .s_axi_awready(awready_o),
    .s_axi_wdata(wdata_i),
    .s_axi_wvalid(wvalid_i),
    .s_axi_wready(wready_o),
    .s_axi_bresp(bresp_o),
    .s_axi_bvalid(bvalid_o),
    .s_axi_bready(bready_i),
    .s_axi_araddr(araddr_i),
    .s_axi_arvalid(arvalid_i),
    .s_axi_arready(arready_o),
    .s_axi_rdata(rdata_o),
    .s_axi_rresp(rresp_o),
    .s_axi_rvalid(rvalid_o),
    .s_axi_rready(rready_i),
    .m_axi_araddr(araddr),
    .m_axi_arlen(arlen),
    .m_axi_arsize(arsize),
    .m_axi_arburst(arburst),
    .m_axi_arvalid(arvalid),
    .m_axi_arready(arready),
    .m_axi_rdata(rdata),
    .m_axi_rresp(rresp),
    .m_axi_rlast(rlast),
    .m_axi_rvalid(rvalid),
    .m_axi_rready(rready),
    .m_axi_awaddr(awaddr),
    .m_axi_awlen(awlen),
    .m_axi_awsize(awsize),
    .m_axi_awburst(awburst),
    .m_axi_awvalid(awvalid),
    .m_axi_awready(awready),
    .m_axi_wdata(wdata),
    .m_axi_wstrb(wstrb),
    .m_axi_wlast(wlast),
    .m_axi_wvalid(wvalid),
    .m_axi_wready(wready),
    .m_axi_bresp(bresp),
    .m_axi_bvalid(bvalid),
    .m_axi_bready(bready)
  );

endmodule
