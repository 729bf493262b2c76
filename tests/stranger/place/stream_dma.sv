// SPDX-License-Identifier: Apache-2.0
// Model of a DMA: one channel sends words of a memory as an AXI4-Stream with TLAST, the other one
// stores every word that it takes. Both stall at random. It checks that a word that waits is not
// withdrawn and does not change.
module stream_dma #(
  parameter int unsigned SendBits,
  parameter int unsigned SendDepth,     // words of the memory
  parameter              SendFile,      // of the memory, for $readmemh
  parameter int unsigned ReceiveBits,
  parameter int unsigned ReceiveDepth,  // words
  parameter int unsigned PacketDepth    // packets
) (
  input logic clk_i,
  input logic rst_ni,

  // A transfer: `words_i` words from `first_i` on. TLAST comes with every `packet_i`-th word and
  // with the last one.
  input  logic        start_i,
  input  logic [31:0] first_i,
  input  logic [31:0] words_i,
  input  logic [31:0] packet_i,
  output logic        sending_o,

  // Percent of the cycles in which a channel stalls.
  input logic [6:0] idle_i,
  input logic [6:0] stall_i,

  // What was received: words and packets, and the cycle in which every packet ended.
  output logic [31:0] words_o,
  output logic [31:0] packets_o,

  output logic [SendBits-1:0] send_tdata_o,
  output logic                send_tvalid_o,
  input  logic                send_tready_i,
  output logic                send_tlast_o,

  input  logic [ReceiveBits-1:0] receive_tdata_i,
  input  logic                   receive_tvalid_i,
  output logic                   receive_tready_o,
  input  logic                   receive_tlast_i
);

  logic [SendBits-1:0] memory[SendDepth];
  // TLAST stands above the word.
  logic [ReceiveBits:0] stored[ReceiveDepth];
  logic [31:0] ended_at[PacketDepth];

  logic [31:0] address_q, left_q, place_q, packet_q, words_q, packets_q, cycle_q;
  logic offered_q, ready_q, sent, taken;

  initial $readmemh(SendFile, memory);

  // --- memory to stream ---

  assign sending_o     = left_q != 0;
  assign send_tvalid_o = offered_q;
  assign send_tdata_o  = memory[address_q[$clog2(SendDepth)-1:0]];
  assign send_tlast_o  = left_q == 1 || place_q == packet_q - 1;
  assign sent          = send_tvalid_o && send_tready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin : send
    if (!rst_ni) begin
      address_q <= '0;
      left_q    <= '0;
      place_q   <= '0;
      packet_q  <= '0;
      offered_q <= 1'b0;
    end else if (start_i) begin
      address_q <= first_i;
      left_q    <= words_i;
      place_q   <= '0;
      packet_q  <= packet_i;
      offered_q <= words_i != 0;
    end else begin
      if (sent) begin
        address_q <= address_q + 1;
        left_q    <= left_q - 1;
        place_q   <= send_tlast_o ? '0 : place_q + 1;
      end
      // A word that was offered stays.
      if (sent || !offered_q) offered_q <= left_q > 32'(sent) && $urandom_range(99) >= 32'(idle_i);
    end
  end

  // --- stream to memory ---

  assign words_o          = words_q;
  assign packets_o        = packets_q;
  assign receive_tready_o = ready_q;
  assign taken            = receive_tvalid_i && receive_tready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin : receive
    if (!rst_ni) begin
      words_q   <= '0;
      packets_q <= '0;
      cycle_q   <= '0;
      ready_q   <= 1'b0;
    end else begin
      cycle_q <= cycle_q + 1;
      ready_q <= $urandom_range(99) >= 32'(stall_i);
      if (taken) begin
        words_q   <= words_q + 1;
        packets_q <= packets_q + 32'(receive_tlast_i);
      end
    end
  end

  always_ff @(posedge clk_i) begin : store
    if (taken) begin
      stored[words_q[$clog2(ReceiveDepth)-1:0]] <= {receive_tlast_i, receive_tdata_i};
      if (receive_tlast_i) ended_at[packets_q[$clog2(PacketDepth)-1:0]] <= cycle_q;
    end
  end

  // --- rules of AXI4-Stream ---

  logic waiting_q, last_q;
  logic [ReceiveBits-1:0] data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : rules
    if (!rst_ni) begin
      waiting_q <= 1'b0;
      last_q    <= 1'b0;
      data_q    <= '0;
    end else begin
      waiting_q <= receive_tvalid_i && !receive_tready_o;
      last_q    <= receive_tlast_i;
      data_q    <= receive_tdata_i;
      if (waiting_q && !(receive_tvalid_i && receive_tlast_i == last_q && receive_tdata_i == data_q))
        $fatal(1, "the block withdrew or changed a word that was waiting");
    end
  end

endmodule
