// SPDX-License-Identifier: Apache-2.0
// A small design around the block: a DMA at its streams, a host outside at its registers.
module small_system
  import system_pkg::*;
(
  input logic clk_i,
  input logic rst_ni,

  // Host.
  input  logic [7:0]  awaddr_i,
  input  logic        awvalid_i,
  output logic        awready_o,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
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

  // DMA.
  input  logic        start_i,
  input  logic [31:0] first_i,
  input  logic [31:0] words_i,
  input  logic [31:0] packet_i,
  output logic        sending_o,
  input  logic [6:0]  idle_i,
  input  logic [6:0]  stall_i,
  output logic [31:0] words_o,
  output logic [31:0] packets_o
);

  logic [InputBits-1:0] image_tdata;
  logic [OutputBits-1:0] result_tdata;
  logic image_tvalid, image_tready, image_tlast, result_tvalid, result_tready, result_tlast;

  stream_dma #(
    .SendBits(InputBits),
    .SendDepth(Frames * InputWords),
    .SendFile("frames.hex"),
    .ReceiveBits(OutputBits),
    .ReceiveDepth(MostPackets * OutputWords),
    .PacketDepth(MostPackets)
  ) u_dma (
    .clk_i,
    .rst_ni,
    .start_i,
    .first_i,
    .words_i,
    .packet_i,
    .sending_o,
    .idle_i,
    .stall_i,
    .words_o,
    .packets_o,
    .send_tdata_o(image_tdata),
    .send_tvalid_o(image_tvalid),
    .send_tready_i(image_tready),
    .send_tlast_o(image_tlast),
    .receive_tdata_i(result_tdata),
    .receive_tvalid_i(result_tvalid),
    .receive_tready_o(result_tready),
    .receive_tlast_i(result_tlast)
  );

  net_axi #(.MemoryDir(MemoryDir)) u_net (
    .aclk(clk_i),
    .aresetn(rst_ni),
    .irq(irq_o),
    .s_axi_awaddr(awaddr_i),
    .s_axi_awvalid(awvalid_i),
    .s_axi_awready(awready_o),
    .s_axi_wdata(wdata_i),
    .s_axi_wstrb(wstrb_i),
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
    .s_axis_tdata(image_tdata),
    .s_axis_tvalid(image_tvalid),
    .s_axis_tready(image_tready),
    .s_axis_tlast(image_tlast),
    .m_axis_tdata(result_tdata),
    .m_axis_tvalid(result_tvalid),
    .m_axis_tready(result_tready),
    .m_axis_tlast(result_tlast)
  );

endmodule
