// SPDX-License-Identifier: Apache-2.0
// A host program that uses the engine as its integration.md describes it: frames with and without
// stalls of the DRAM, the interrupt, counters, a soft reset in the middle of a frame. It leaves the
// words of every output in received.hex.
module engine_testbench;
  import engine_system_pkg::*;

  // Addresses and values of integration.md, "Registers behind s_axi".
  localparam logic [7:0] Control     = 8'h00;
  localparam logic [7:0] Status      = 8'h04;
  localparam logic [7:0] LengthAt    = 8'h0C;
  localparam logic [7:0] ProgramAt   = 8'h10;
  localparam logic [7:0] Base0       = 8'h14;
  localparam logic [7:0] Base1       = 8'h18;
  localparam logic [7:0] Base2       = 8'h1C;
  localparam logic [7:0] Base3       = 8'h20;
  localparam logic [7:0] Interrupt   = 8'h24;
  localparam logic [7:0] Identity    = 8'h28;
  localparam logic [7:0] FramesDone  = 8'h2C;
  localparam logic [7:0] FrameErrors = 8'h30;
  localparam logic [7:0] Cycles      = 8'h40;
  localparam logic [31:0] Start = 32'h1;
  localparam logic [31:0] Reset = 32'h2;
  localparam logic [31:0] Busy  = 32'h1;
  localparam logic [31:0] Done  = 32'h2;

  logic clk, rst_n;
  logic [7:0] awaddr, araddr;
  logic [31:0] wdata, rdata, fill_address;
  logic awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready, irq;
  logic [1:0] bresp, rresp;
  logic [6:0] stall;
  logic fill;
  logic [63:0] fill_data;
  logic [63:0] inputs[Frames*InputBeats];
  int received;

  engine_system u_system (
    .clk_i(clk),
    .rst_ni(rst_n),
    .awaddr_i(awaddr),
    .awvalid_i(awvalid),
    .awready_o(awready),
    .wdata_i(wdata),
    .wvalid_i(wvalid),
    .wready_o(wready),
    .bresp_o(bresp),
    .bvalid_o(bvalid),
    .bready_i(bready),
    .araddr_i(araddr),
    .arvalid_i(arvalid),
    .arready_o(arready),
    .rdata_o(rdata),
    .rresp_o(rresp),
    .rvalid_o(rvalid),
    .rready_i(rready),
    .irq_o(irq),
    .stall_i(stall),
    .fill_i(fill),
    .fill_address_i(fill_address),
    .fill_data_i(fill_data)
  );

  initial begin
    clk = 1'b0;
    forever #5 clk = !clk;
  end

  `include "host_tasks.svh"

  // Put the input of a frame into the DRAM, and spoil the output of the frame before it.
  task automatic fill_dram(input int frame);
    fill = 1'b1;
    for (int i = 0; i < InputBeats + OutputBeats; i++) begin
      fill_address = i < InputBeats ? Input + 8 * i : Output + 8 * (i - InputBeats);
      fill_data    = i < InputBeats ? inputs[frame*InputBeats+i] : '1;
      @(negedge clk);
    end
    fill = 1'b0;
  endtask

  task automatic run(input int frame);
    int unsigned patience = 20 * PageCycles;
    fill_dram(frame);
    write(Control, Start);
    while (!irq) begin
      @(negedge clk);
      patience--;
      if (patience == 0) $fatal(1, "frame %0d does not end", frame);
    end
    register_must_be("CONTROL", Control, Done);
    register_must_be("STATUS", Status, 0);
    for (int i = 0; i < OutputBeats; i++)
      $fdisplay(received, "%016h", u_system.u_dram.memory[(Output-Base)/8+i]);
  endtask

  initial begin
    logic [31:0] value;
    $readmemh("inputs.hex", inputs);
    received = $fopen("received.hex", "w");
    {awaddr, awvalid, wdata, wvalid, bready, araddr, arvalid, rready} = '0;
    {stall, fill, fill_address, fill_data} = '0;
    rst_n = 1'b0;
    repeat (16) @(negedge clk);
    rst_n = 1'b1;
    @(negedge clk);

    register_must_be("IDENTITY", Identity, 32'h4859_5145);
    write(LengthAt, Length);
    write(ProgramAt, Program);
    write(Base0, Constants);
    write(Base1, Input);
    write(Base2, Output);
    write(Base3, Scratch);
    write(Interrupt, 32'h1);

    run(0);
    register_must_be("CYCLES", Cycles, PageCycles);
    $display("a frame without stalls, in the %0d cycles of the page", PageCycles);

    stall = 7'd30;
    for (int i = 1; i < Frames; i++) run(i);
    read(Cycles, value);
    if (value <= PageCycles) $fatal(1, "a frame with stalls took %0d cycles", value);
    register_must_be("FRAMES", FramesDone, Frames);
    register_must_be("FRAME_ERRORS", FrameErrors, 0);
    $display("%0d frames with stalls, the last in %0d cycles", Frames - 1, value);

    fill_dram(0);
    write(Control, Start);
    repeat (PageCycles / 3) @(negedge clk);
    register_must_be("CONTROL in the middle of a frame", Control, Busy);
    write(Control, Reset);
    do read(Control, value); while (value != 0);
    must_be("irq after a soft reset", 32'(irq), 0);
    register_must_be("FRAMES after a soft reset", FramesDone, 0);
    register_must_be("LENGTH after a soft reset", LengthAt, Length);
    write(Interrupt, 32'h1);
    run(0);
    register_must_be("FRAMES", FramesDone, 1);
    $display("a soft reset in the middle of a frame; the frame after it is run");

    $fclose(received);
    $finish;
  end

endmodule
