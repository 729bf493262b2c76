// SPDX-License-Identifier: Apache-2.0
// The registers of the engine, as an AXI4-Lite port of 32 bits. Reference: "Registers" in
// docs/engine.md.
//
// A write waits until address and data are there; its strobes are ignored, since every register is
// a word. An address that is no register reads as zero.
//
// A soft reset waits until the machine has stopped behind the instruction that runs, since AXI
// forbids to withdraw a transfer. Then it does what rst_ni does to the registers.
module hyq_engine_registers
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic [7:0]        s_axi_awaddr,
  input  logic              s_axi_awvalid,
  output logic              s_axi_awready,
  input  logic [31:0]       s_axi_wdata,
  input  logic              s_axi_wvalid,
  output logic              s_axi_wready,
  output logic [1:0]        s_axi_bresp,
  output logic              s_axi_bvalid,
  input  logic              s_axi_bready,
  input  logic [7:0]        s_axi_araddr,
  input  logic              s_axi_arvalid,
  output logic              s_axi_arready,
  output logic [31:0]       s_axi_rdata,
  output logic [1:0]        s_axi_rresp,
  output logic              s_axi_rvalid,
  input  logic              s_axi_rready,
  output logic              interrupt_o,
  output logic              start_o,
  output logic              stop_o,     // until ended_i
  output logic [31:0]       length_o,   // instructions of the program
  output logic [31:0]       program_o,  // its address
  output logic [3:0][31:0]  bases_o,
  input  logic              ended_i,    // the program has ended, or the machine has stopped
  input  logic [7:0]        error_i,    // with ended_i: why it has stopped, or 0
  input  logic [23:0]       index_i,    // with ended_i: of the instruction
  input  logic [5:0]        running_i,  // a bit per unit
  input  logic              instruction_ended_i,
  input  logic              beat_read_i,
  input  logic              beat_written_i
);

  localparam int unsigned Counters = 10;  // cycles, six units, beats read, beats written, ended

  localparam logic [31:0] Identity = 32'h4859_5145;  // "HYQE"

  logic busy_q, done_q, enable_q, stop_q, write, read, control_write, soft_reset, clear;
  logic [7:0] error_q;
  logic [23:0] index_q;
  logic [31:0] read_data;
  logic [Counters-1:0][31:0] counters_q;
  logic [Counters-1:0] counts;
  logic [31:0] frames_q;
  logic [15:0] errors_q;

  assign write         = s_axi_awvalid && s_axi_wvalid && !s_axi_bvalid;
  assign read          = s_axi_arvalid && !s_axi_rvalid;
  assign s_axi_awready = write;
  assign s_axi_wready  = write;
  assign s_axi_arready = !s_axi_rvalid;
  assign s_axi_bresp   = 2'b00;
  assign s_axi_rresp   = 2'b00;
  assign interrupt_o   = done_q && enable_q;
  assign stop_o        = stop_q;
  assign control_write = write && s_axi_awaddr == 8'h00;
  assign soft_reset    = control_write && s_axi_wdata[1];
  assign clear         = (soft_reset && !busy_q) || ((soft_reset || stop_q) && ended_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      s_axi_bvalid <= 1'b0;
      s_axi_rvalid <= 1'b0;
      start_o      <= 1'b0;
      busy_q       <= 1'b0;
      done_q       <= 1'b0;
      enable_q     <= 1'b0;
      stop_q       <= 1'b0;
      error_q      <= '0;
      index_q      <= '0;
      frames_q     <= '0;
      errors_q     <= '0;
    end else begin
      s_axi_bvalid <= write || (s_axi_bvalid && !s_axi_bready);
      s_axi_rvalid <= read || (s_axi_rvalid && !s_axi_rready);
      start_o      <= 1'b0;
      if (clear) begin
        busy_q   <= 1'b0;
        done_q   <= 1'b0;
        stop_q   <= 1'b0;
        error_q  <= '0;
        index_q  <= '0;
        frames_q <= '0;
        errors_q <= '0;
      end else if (ended_i) begin
        busy_q  <= 1'b0;
        done_q  <= 1'b1;
        error_q <= error_i;
        index_q <= error_i != '0 ? index_i : '0;
        if (error_i == '0) frames_q <= frames_q + 1'b1;
        else errors_q <= errors_q + 1'b1;
      end else if (soft_reset) begin
        stop_q <= 1'b1;
      end else if (control_write && !busy_q) begin
        // A write of anything else than a start only takes the interrupt away.
        done_q <= 1'b0;
        if (s_axi_wdata[0]) begin
          start_o <= 1'b1;
          busy_q  <= 1'b1;
          error_q <= '0;
          index_q <= '0;
        end
      end
      if (clear) enable_q <= 1'b0;
      else if (write && s_axi_awaddr == 8'h24) enable_q <= s_axi_wdata[0];
    end
  end

  always_ff @(posedge clk_i) begin : values
    if (write) begin
      unique case (s_axi_awaddr)
        8'h0C:   length_o <= s_axi_wdata;
        8'h10:   program_o <= s_axi_wdata;
        8'h14:   bases_o[0] <= s_axi_wdata;
        8'h18:   bases_o[1] <= s_axi_wdata;
        8'h1C:   bases_o[2] <= s_axi_wdata;
        8'h20:   bases_o[3] <= s_axi_wdata;
        default: ;
      endcase
    end
    if (read) s_axi_rdata <= read_data;
  end

  assign counts = {instruction_ended_i, beat_written_i, beat_read_i, running_i, busy_q};

  for (genvar c = 0; c < Counters; c++) begin : gen_counter
    always_ff @(posedge clk_i or negedge rst_ni) begin : count
      if (!rst_ni) counters_q[c] <= '0;
      else if (start_o || clear) counters_q[c] <= '0;
      else if (counts[c]) counters_q[c] <= counters_q[c] + 1'b1;
    end
  end

  always_comb begin : select
    unique case (s_axi_araddr)
      8'h00:   read_data = {28'b0, stop_q, error_q != '0, done_q, busy_q};
      8'h04:   read_data = {index_q, error_q};
      8'h08:   read_data = {4'b0, 8'(Pixels), 4'(Inputs), 8'(Outputs), 8'(Version)};
      8'h0C:   read_data = length_o;
      8'h10:   read_data = program_o;
      8'h14:   read_data = bases_o[0];
      8'h18:   read_data = bases_o[1];
      8'h1C:   read_data = bases_o[2];
      8'h20:   read_data = bases_o[3];
      8'h24:   read_data = 32'(enable_q);
      8'h28:   read_data = Identity;
      8'h2C:   read_data = frames_q;
      8'h30:   read_data = 32'(errors_q);
      default: begin
        read_data = '0;
        for (int unsigned c = 0; c < Counters; c++) begin
          if (s_axi_araddr == 8'h40 + 8'(4 * c)) read_data = counters_q[c];
        end
      end
    endcase
  end

endmodule
