// SPDX-License-Identifier: Apache-2.0
// Frames of a DMA transfer: outside, TLAST ends a transfer of many frames; inside, it ends a frame.
//
// It watches the handshakes of the core's two AXI4-Stream ports and gives them their TLAST. Python
// reference: Driver._transfer in driver.py, which sends and receives frames_i frames at a time.
//
// A transfer may be wrong: it has fewer or more words than frames_i frames, or bytes of a word are
// missing (TKEEP). Then the core makes its last frame whole, the output ends with that frame, and
// the next transfer starts anew; transfer_errors_o counts it.
module hyq_dma_frames #(
  // Words of a frame at the core's input.
  parameter int unsigned InputBeats
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Frames of the next transfer; constant while one is under way.
  input  logic [31:0] frames_i,

  // Input: TLAST of the DMA comes in, that of the core goes out.
  input  logic s_valid_i,
  input  logic s_ready_i,
  input  logic s_whole_i,  // all bytes of the word are there
  input  logic s_last_i,
  output logic s_last_o,

  // Output: TLAST of the core comes in, that of the DMA goes out.
  input  logic m_valid_i,
  input  logic m_ready_i,
  input  logic m_last_i,
  output logic m_last_o,

  // Wrong transfers to the core; it wraps around.
  output logic [31:0] transfer_errors_o
);

  localparam int unsigned BeatBits = (InputBeats > 1) ? $clog2(InputBeats) : 1;

  logic [BeatBits-1:0] beat_q;
  logic [31:0] sent_q, received_q, transfer_errors_q;
  // What the transfer will have at the output: frames_i frames, or fewer when it ended early.
  logic ended_q;
  // The output is complete, and words that are too much still come in.
  logic complete_q;
  logic [31:0] frames_q;
  logic s_step, m_step, frame_end, last_sent, last_received;
  logic wrong_q, wrong;

  assign s_step = s_valid_i && s_ready_i;
  assign m_step = m_valid_i && m_ready_i && m_last_i;
  assign frame_end = beat_q == BeatBits'(InputBeats - 1);
  assign last_sent = sent_q == frames_i - 1;
  assign last_received = received_q == (ended_q ? frames_q : frames_i) - 1;
  // The last frame ends where the transfer ends: the core fills it or drops what is too much.
  assign s_last_o = s_last_i || (frame_end && !last_sent);
  assign m_last_o = m_last_i && last_received;
  assign wrong = wrong_q || !s_whole_i || (s_last_i && !(frame_end && last_sent));
  assign transfer_errors_o = transfer_errors_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q <= '0;
      sent_q <= '0;
      received_q <= '0;
      ended_q <= 1'b0;
      complete_q <= 1'b0;
      frames_q <= '0;
      wrong_q <= 1'b0;
      transfer_errors_q <= '0;
    end else begin
      if (s_step) begin
        beat_q <= s_last_o ? '0 : beat_q + BeatBits'(!frame_end);
        sent_q <= s_last_i ? '0 : sent_q + 32'(frame_end && !last_sent);
        // More than the last frame has room for.
        wrong_q <= !s_last_i && (wrong || (frame_end && last_sent));
        if (s_last_i) begin
          transfer_errors_q <= transfer_errors_q + 32'(wrong);
        end
      end
      if (m_step) begin
        received_q <= last_received ? '0 : received_q + 1;
      end
      if (s_step && s_last_i) begin
        ended_q <= !complete_q && !(m_step && last_received);
        complete_q <= 1'b0;
        frames_q <= sent_q + 1;
      end else if (m_step && last_received) begin
        ended_q <= 1'b0;
        complete_q <= !ended_q;
      end
    end
  end

endmodule
