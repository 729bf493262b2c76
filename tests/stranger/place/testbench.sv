// SPDX-License-Identifier: Apache-2.0
// A host program that uses the block as its integration.md describes it: whole frames with and
// without stalls, frames with a wrong TLAST, a soft reset, interrupts. It leaves all words that came
// out in received.hex, and in meant.txt which frame every packet must be the result of.
module testbench;
  import system_pkg::*;

  // Addresses and values of integration.md, "Registers behind s_axi".
  localparam logic [7:0] Identity        = 8'h00;
  localparam logic [7:0] Version         = 8'h04;
  localparam logic [7:0] Control         = 8'h0C;
  localparam logic [7:0] Status          = 8'h10;
  localparam logic [7:0] FramesOut       = 8'h14;
  localparam logic [7:0] FramesIn        = 8'h18;
  localparam logic [7:0] FrameErrors     = 8'h1C;
  localparam logic [7:0] InterruptEnable = 8'h20;
  localparam logic [7:0] InterruptStatus = 8'h24;
  localparam logic [7:0] InputBeats      = 8'h28;
  localparam logic [7:0] OutputBeats     = 8'h2C;
  localparam logic [7:0] Cycles          = 8'h30;
  localparam logic [31:0] FrameLeft  = 32'h1;
  localparam logic [31:0] FrameWrong = 32'h2;
  // The packet means nothing, as the result of half a frame.
  localparam int Nothing = -1;

  logic clk, rst_n;
  logic [7:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic [3:0] wstrb;
  logic awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready, irq;
  logic [1:0] bresp, rresp;
  logic start, sending;
  logic [31:0] first, words, packet, words_received, packets;
  logic [6:0] idle, stall;
  int unsigned cycles_per_frame, meant_packets;
  int meant;

  small_system u_system (
    .clk_i(clk),
    .rst_ni(rst_n),
    .awaddr_i(awaddr),
    .awvalid_i(awvalid),
    .awready_o(awready),
    .wdata_i(wdata),
    .wstrb_i(wstrb),
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
    .start_i(start),
    .first_i(first),
    .words_i(words),
    .packet_i(packet),
    .sending_o(sending),
    .idle_i(idle),
    .stall_i(stall),
    .words_o(words_received),
    .packets_o(packets)
  );

  initial begin
    clk = 1'b0;
    forever #5 clk = !clk;
  end

  `include "host_tasks.svh"

  // --- DMA ---

  task automatic send(
    input int unsigned from_word, input int unsigned count, input int unsigned packet_words
  );
    first  = from_word;
    words  = count;
    packet = packet_words;
    start  = 1'b1;
    @(negedge clk) start = 1'b0;
  endtask

  task automatic mean(input int frame);
    $fdisplay(meant, "%0d", frame);
    meant_packets++;
  endtask

  // Wait for all packets that were meant.
  task automatic receive();
    int unsigned patience = 20 * cycles_per_frame * (Frames + 2);
    while (packets < meant_packets) begin
      @(negedge clk);
      patience--;
      if (patience == 0) $fatal(1, "%0d packets came, %0d are wanted", packets, meant_packets);
    end
  endtask

  // --- what the host does ---

  task automatic identify();
    register_must_be("IDENTITY", Identity, 32'h4859_5131);
    register_must_be("VERSION", Version, {8'd1, GeneratorVersion});
    register_must_be("INPUT_BEATS", InputBeats, InputWords);
    register_must_be("OUTPUT_BEATS", OutputBeats, OutputWords);
    register_must_be("STATUS", Status, 0);
    read(Cycles, cycles_per_frame);
    must_be("CYCLES", cycles_per_frame, PageCycles);
    $display("identity, version, frame sizes and cycles are those of the page");
  endtask

  task automatic whole_frames();
    logic [31:0] ended, next_ended;
    for (int i = 0; i < Frames; i++) mean(i);
    send(0, Frames * InputWords, InputWords);
    receive();
    ended = u_system.u_dma.ended_at[Frames-2];
    next_ended = u_system.u_dma.ended_at[Frames-1];
    must_be("cycles from frame to frame", next_ended - ended, cycles_per_frame);
    register_must_be("FRAMES_IN", FramesIn, Frames);
    register_must_be("FRAMES_OUT", FramesOut, Frames);
    register_must_be("FRAME_ERRORS", FrameErrors, 0);
    register_must_be("STATUS", Status, 0);
    $display("%0d frames without stalls, %0d cycles from frame to frame", Frames, cycles_per_frame);
  endtask

  task automatic stalled_frames();
    write(InterruptStatus, FrameLeft);
    must_be("irq before it is enabled", 32'(irq), 0);
    write(InterruptEnable, FrameLeft);
    idle  = 7'd30;
    stall = 7'd40;
    for (int i = 0; i < Frames; i++) begin
      mean(Frames - 1 - i);
      send((Frames - 1 - i) * InputWords, InputWords, InputWords);
      receive();
      @(negedge clk);
      must_be("irq after a frame", 32'(irq), 1);
      register_must_be("INTERRUPT_STATUS", InterruptStatus, FrameLeft);
      write(InterruptStatus, FrameLeft);
      must_be("irq after it was cleared", 32'(irq), 0);
    end
    register_must_be("FRAMES_OUT", FramesOut, 2 * Frames);
    $display("%0d frames with stalls, each announced by the interrupt", Frames);
  endtask

  task automatic wrong_frames();
    write(InterruptEnable, FrameLeft | FrameWrong);
    mean(Nothing);
    send(0, InputWords / 2, InputWords);
    receive();
    register_must_be("FRAME_ERRORS after a short frame", FrameErrors, 1);
    register_must_be("INTERRUPT_STATUS", InterruptStatus, FrameLeft | FrameWrong);
    must_be("irq after a wrong frame", 32'(irq), 1);
    mean(Nothing);
    send(0, InputWords + 3, 2 * InputWords);
    receive();
    mean(1);
    send(InputWords, InputWords, InputWords);
    receive();
    register_must_be("FRAME_ERRORS after a long frame", FrameErrors, 2);
    write(InterruptStatus, FrameLeft | FrameWrong);
    $display("a short frame and a long one are counted, and the frame after them is right");
  endtask

  task automatic soft_reset();
    logic [31:0] value;
    int unsigned dropped = packets;
    send(0, Frames * InputWords, InputWords);
    while (packets == dropped) @(negedge clk);
    write(Control, 32'h1);
    do read(Status, value); while (value[0]);
    register_must_be("FRAME_ERRORS after a soft reset", FrameErrors, 0);
    // The DMA goes on with the frames that it had not begun, and they come out.
    while (sending) @(negedge clk);
    do read(Status, value); while (value != 0);
    read(FramesIn, value);
    register_must_be("FRAMES_OUT", FramesOut, value);
    if (value == 0 || value >= Frames)
      $fatal(1, "%0d frames came in after a soft reset in the middle of %0d", value, Frames);
    while (meant_packets < packets - value) mean(Nothing);
    for (int i = int'(value); i > 0; i--) mean(Frames - i);
    mean(2);
    send(2 * InputWords, InputWords, InputWords);
    receive();
    $display("a soft reset in the middle of frames; %0d frames after it are right", value + 1);
  endtask

  initial begin
    meant         = $fopen("meant.txt", "w");
    meant_packets = 0;
    {awaddr, awvalid, wdata, wvalid, bready, araddr, arvalid, rready} = '0;
    {start, first, words, packet, idle, stall} = '0;
    wstrb = '1;
    rst_n = 1'b0;
    repeat (16) @(negedge clk);
    rst_n = 1'b1;
    @(negedge clk);
    identify();
    whole_frames();
    stalled_frames();
    wrong_frames();
    soft_reset();
    // Nothing more may come.
    repeat (int'(cycles_per_frame)) @(negedge clk);
    must_be("packets", packets, meant_packets);
    $fclose(meant);
    $writememh("received.hex", u_system.u_dma.stored, 0, int'(words_received) - 1);
    $finish;
  end

endmodule
