// Frames of a DMA transfer: outside, TLAST ends a transfer of many frames; inside, it ends a frame.
//
// It watches the handshakes of the core's two AXI4-Stream ports and gives them their TLAST. Python
// reference: Driver._transfer in driver.py, which sends and receives frames_i frames at a time.
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
  input  logic s_last_i,
  output logic s_last_o,

  // Output: TLAST of the core comes in, that of the DMA goes out.
  input  logic m_valid_i,
  input  logic m_ready_i,
  input  logic m_last_i,
  output logic m_last_o,

  // Rises for good when a transfer to the core did not have frames_i whole frames.
  output logic frame_error_o
);

  localparam int unsigned BeatBits = (InputBeats > 1) ? $clog2(InputBeats) : 1;

  logic [BeatBits-1:0] beat_q;
  logic [31:0] sent_q, received_q;
  logic last_sent, last_received;
  logic frame_error_q;

  assign s_last_o = beat_q == BeatBits'(InputBeats - 1);
  assign last_sent = sent_q == frames_i - 1;
  assign last_received = received_q == frames_i - 1;
  assign m_last_o = m_last_i && last_received;
  assign frame_error_o = frame_error_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q <= '0;
      sent_q <= '0;
      received_q <= '0;
      frame_error_q <= 1'b0;
    end else begin
      if (s_valid_i && s_ready_i) begin
        beat_q <= s_last_o ? '0 : beat_q + 1'b1;
        if (s_last_o) begin
          sent_q <= last_sent ? '0 : sent_q + 1;
        end
        if (s_last_i != (s_last_o && last_sent)) begin
          frame_error_q <= 1'b1;
        end
      end
      if (m_valid_i && m_ready_i && m_last_i) begin
        received_q <= last_received ? '0 : received_q + 1;
      end
    end
  end

endmodule
