// SPDX-License-Identifier: Apache-2.0
// The module is an AXI4-Lite slave of 32 bits in front of a register file, to which it gives one
// write and one read at a time. Address and data of a write may come in any order. All outputs of
// the port come from registers, and all answers are OKAY.
module hyq_axi_lite #(
  parameter int unsigned AddressBits
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,

  input  logic [AddressBits-1:0] s_axi_awaddr,
  input  logic                   s_axi_awvalid,
  output logic                   s_axi_awready,
  input  logic [31:0]            s_axi_wdata,
  input  logic [3:0]             s_axi_wstrb,
  input  logic                   s_axi_wvalid,
  output logic                   s_axi_wready,
  output logic [1:0]             s_axi_bresp,
  output logic                   s_axi_bvalid,
  input  logic                   s_axi_bready,
  input  logic [AddressBits-1:0] s_axi_araddr,
  input  logic                   s_axi_arvalid,
  output logic                   s_axi_arready,
  output logic [31:0]            s_axi_rdata,
  output logic [1:0]             s_axi_rresp,
  output logic                   s_axi_rvalid,
  input  logic                   s_axi_rready,

  // A write lasts one cycle. The data of a read belong to the address of the same cycle.
  output logic                   write_o,
  output logic [AddressBits-1:0] write_address_o,
  output logic [31:0]            write_data_o,
  output logic [3:0]             write_strobe_o,
  output logic [AddressBits-1:0] read_address_o,
  input  logic [31:0]            read_data_i
);

  logic address_held_q, data_held_q, answer_q, read_q;
  logic [AddressBits-1:0] address_q;
  logic [31:0] data_q, read_data_q;
  logic [3:0] strobe_q;
  logic read;

  assign s_axi_awready   = !address_held_q;
  assign s_axi_wready    = !data_held_q;
  assign s_axi_bvalid    = answer_q;
  assign s_axi_bresp     = 2'b00;
  assign write_o         = address_held_q && data_held_q && !answer_q;
  assign write_address_o = address_q;
  assign write_data_o    = data_q;
  assign write_strobe_o  = strobe_q;

  assign s_axi_arready   = !read_q;
  assign s_axi_rvalid    = read_q;
  assign s_axi_rdata     = read_data_q;
  assign s_axi_rresp     = 2'b00;
  assign read            = s_axi_arvalid && s_axi_arready;
  assign read_address_o  = s_axi_araddr;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      address_held_q <= 1'b0;
      data_held_q    <= 1'b0;
      answer_q       <= 1'b0;
      read_q         <= 1'b0;
    end else begin
      address_held_q <= (address_held_q || s_axi_awvalid) && !write_o;
      data_held_q    <= (data_held_q || s_axi_wvalid) && !write_o;
      answer_q       <= write_o || (answer_q && !s_axi_bready);
      read_q         <= read || (read_q && !s_axi_rready);
    end
  end

  always_ff @(posedge clk_i) begin : values
    if (s_axi_awvalid && s_axi_awready) begin
      address_q <= s_axi_awaddr;
    end
    if (s_axi_wvalid && s_axi_wready) begin
      data_q   <= s_axi_wdata;
      strobe_q <= s_axi_wstrb;
    end
    if (read) begin
      read_data_q <= read_data_i;
    end
  end

  // What the master must keep, and what this slave must.
  hyq_stream_checker #(.Width(AddressBits)) u_aw_checker (
    .clk_i, .rst_ni, .data_i(s_axi_awaddr), .valid_i(s_axi_awvalid), .ready_i(s_axi_awready)
  );
  hyq_stream_checker #(.Width(36)) u_w_checker (
    .clk_i, .rst_ni, .data_i({s_axi_wstrb, s_axi_wdata}), .valid_i(s_axi_wvalid),
    .ready_i(s_axi_wready)
  );
  hyq_stream_checker #(.Width(2)) u_b_checker (
    .clk_i, .rst_ni, .data_i(s_axi_bresp), .valid_i(s_axi_bvalid), .ready_i(s_axi_bready)
  );
  hyq_stream_checker #(.Width(AddressBits)) u_ar_checker (
    .clk_i, .rst_ni, .data_i(s_axi_araddr), .valid_i(s_axi_arvalid), .ready_i(s_axi_arready)
  );
  hyq_stream_checker #(.Width(34)) u_r_checker (
    .clk_i, .rst_ni, .data_i({s_axi_rresp, s_axi_rdata}), .valid_i(s_axi_rvalid),
    .ready_i(s_axi_rready)
  );

endmodule
