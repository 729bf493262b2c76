// SPDX-License-Identifier: Apache-2.0
// Model of a DRAM behind an AXI4 slave of 64 bits, and of the DMA by which a host fills it. Every
// channel stalls at random. It checks the rules of the page: bursts with rising addresses of 1 to
// 16 beats that cross no border of 4 KB, words that wait do not change, and writes go nowhere but
// to the output and the scratch memory.
module dram #(
  parameter int unsigned Base,      // address of the first byte
  parameter int unsigned Beats,     // words of 8 bytes
  parameter int unsigned Writable,  // address from which on the block may write
  parameter int unsigned Latency,   // cycles to the first beat of a read, or to the answer of a write
  parameter              File       // contents, for $readmemh
) (
  input logic clk_i,
  input logic rst_ni,

  // Percent of the cycles in which a channel stalls.
  input logic [6:0] stall_i,

  // Host.
  input logic        write_i,
  input logic [31:0] address_i,
  input logic [63:0] data_i,

  input  logic [31:0] araddr_i,
  input  logic [7:0]  arlen_i,
  input  logic [2:0]  arsize_i,
  input  logic [1:0]  arburst_i,
  input  logic        arvalid_i,
  output logic        arready_o,
  output logic [63:0] rdata_o,
  output logic [1:0]  rresp_o,
  output logic        rlast_o,
  output logic        rvalid_o,
  input  logic        rready_i,
  input  logic [31:0] awaddr_i,
  input  logic [7:0]  awlen_i,
  input  logic [2:0]  awsize_i,
  input  logic [1:0]  awburst_i,
  input  logic        awvalid_i,
  output logic        awready_o,
  input  logic [63:0] wdata_i,
  input  logic [7:0]  wstrb_i,
  input  logic        wlast_i,
  input  logic        wvalid_i,
  output logic        wready_o,
  output logic [1:0]  bresp_o,
  output logic        bvalid_o,
  input  logic        bready_i
);

  // Bursts that were accepted and are not finished.
  localparam int unsigned Open = 16;

  logic [63:0] memory[Beats];
  initial $readmemh(File, memory);

  logic [31:0] read_address[Open], write_address[Open], read_at[Open], answer_at[Open], cycle_q;
  logic [7:0] read_length[Open], write_length[Open];
  logic [4:0] reads_in_q, reads_out_q, writes_in_q, writes_out_q, answers_q;
  logic [7:0] read_beat_q, write_beat_q;
  logic ar_open_q, r_open_q, aw_open_q, w_open_q, b_open_q;
  logic read_ends, write_ends;

  function automatic logic opens();
    return $urandom_range(99) >= 32'(stall_i);
  endfunction

  function automatic logic [$clog2(Beats)-1:0] beat_at(input logic [31:0] address);
    return $bits(beat_at)'((address - Base) >> 3);
  endfunction

  // --- reads ---

  assign arready_o = ar_open_q && reads_in_q - reads_out_q != 5'(Open);
  assign rvalid_o  = r_open_q && reads_in_q != reads_out_q && cycle_q >= read_at[reads_out_q[3:0]];
  assign rdata_o   = memory[beat_at(read_address[reads_out_q[3:0]] + {21'd0, read_beat_q, 3'd0})];
  assign rlast_o   = read_beat_q == read_length[reads_out_q[3:0]];
  assign rresp_o   = 2'b00;
  assign read_ends = rvalid_o && rready_i && rlast_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin : read
    if (!rst_ni) begin
      reads_in_q  <= '0;
      reads_out_q <= '0;
      read_beat_q <= '0;
      ar_open_q   <= 1'b0;
      r_open_q    <= 1'b0;
      cycle_q     <= '0;
    end else begin
      cycle_q   <= cycle_q + 1;
      ar_open_q <= opens();
      // A word that was offered stays.
      if (!rvalid_o || rready_i) r_open_q <= opens();
      if (arvalid_i && arready_o) reads_in_q <= reads_in_q + 1;
      if (rvalid_o && rready_i) read_beat_q <= rlast_o ? '0 : read_beat_q + 1;
      if (read_ends) reads_out_q <= reads_out_q + 1;
    end
  end

  always_ff @(posedge clk_i) begin : read_bursts
    if (arvalid_i && arready_o) begin
      read_address[reads_in_q[3:0]] <= araddr_i;
      read_length[reads_in_q[3:0]]  <= arlen_i;
      read_at[reads_in_q[3:0]]      <= cycle_q + Latency;
    end
  end

  // --- writes ---

  assign awready_o  = aw_open_q && writes_in_q - writes_out_q != 5'(Open);
  assign wready_o   = w_open_q && writes_in_q != writes_out_q
                      && writes_out_q - answers_q != 5'(Open);
  assign bvalid_o   = b_open_q && answers_q != writes_out_q && cycle_q >= answer_at[answers_q[3:0]];
  assign bresp_o    = 2'b00;
  assign write_ends = wvalid_i && wready_o && wlast_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin : write
    if (!rst_ni) begin
      writes_in_q  <= '0;
      writes_out_q <= '0;
      write_beat_q <= '0;
      answers_q    <= '0;
      aw_open_q    <= 1'b0;
      w_open_q     <= 1'b0;
      b_open_q     <= 1'b0;
    end else begin
      aw_open_q <= opens();
      w_open_q  <= opens();
      if (!bvalid_o || bready_i) b_open_q <= opens();
      if (awvalid_i && awready_o) writes_in_q <= writes_in_q + 1;
      if (wvalid_i && wready_o) write_beat_q <= wlast_i ? '0 : write_beat_q + 1;
      if (write_ends) writes_out_q <= writes_out_q + 1;
      if (bvalid_o && bready_i) answers_q <= answers_q + 1;
    end
  end

  logic [31:0] written_address;
  assign written_address = write_address[writes_out_q[3:0]] + {21'd0, write_beat_q, 3'd0};

  always_ff @(posedge clk_i) begin : store
    if (awvalid_i && awready_o) begin
      write_address[writes_in_q[3:0]] <= awaddr_i;
      write_length[writes_in_q[3:0]]  <= awlen_i;
    end
    if (write_ends) answer_at[writes_out_q[3:0]] <= cycle_q + Latency;
    if (wvalid_i && wready_o) begin
      for (int i = 0; i < 8; i++)
        if (wstrb_i[i]) memory[beat_at(written_address)][8*i+:8] <= wdata_i[8*i+:8];
    end
    if (write_i) memory[beat_at(address_i)] <= data_i;
  end

  // --- rules of AXI4, and of the page ---

  task automatic check_burst(
    input string name, input logic [31:0] address, input logic [7:0] length,
    input logic [2:0] size, input logic [1:0] burst, input logic [31:0] lowest
  );
    logic [31:0] last = address + {21'd0, length, 3'd0};
    if (size != 3'd3 || burst != 2'b01 || length > 8'd15 || address[2:0] != 0)
      $fatal(1, "%s of 0x%08h: size %0d, burst %0d, length %0d", name, address, size, burst, length);
    if (address[31:12] != last[31:12]) $fatal(1, "%s of 0x%08h crosses 4 KB", name, address);
    if (address < lowest || last >= Base + 8 * Beats)
      $fatal(1, "%s of 0x%08h to 0x%08h leaves its buffers", name, address, last);
  endtask

  logic [44:0] ar_q, aw_q, ar, aw;
  logic [72:0] w_q, w;
  logic ar_waits_q, aw_waits_q, w_waits_q;

  assign ar = {araddr_i, arlen_i, arsize_i, arburst_i};
  assign aw = {awaddr_i, awlen_i, awsize_i, awburst_i};
  assign w  = {wdata_i, wstrb_i, wlast_i};

  always_ff @(posedge clk_i or negedge rst_ni) begin : rules
    if (!rst_ni) begin
      {ar_waits_q, aw_waits_q, w_waits_q} <= '0;
      {ar_q, aw_q, w_q}                   <= '0;
    end else begin
      ar_waits_q <= arvalid_i && !arready_o;
      aw_waits_q <= awvalid_i && !awready_o;
      w_waits_q  <= wvalid_i && !wready_o;
      ar_q       <= ar;
      aw_q       <= aw;
      w_q        <= w;
      if ((ar_waits_q && !(arvalid_i && ar == ar_q)) || (aw_waits_q && !(awvalid_i && aw == aw_q))
          || (w_waits_q && !(wvalid_i && w == w_q)))
        $fatal(1, "the block withdrew or changed what was waiting");
      if (arvalid_i) check_burst("a read", araddr_i, arlen_i, arsize_i, arburst_i, Base);
      if (awvalid_i) check_burst("a write", awaddr_i, awlen_i, awsize_i, awburst_i, Writable);
      if (wvalid_i && wready_o && wlast_i != (write_beat_q == write_length[writes_out_q[3:0]]))
        $fatal(1, "WLAST comes with beat %0d", write_beat_q);
    end
  end

endmodule
