// SPDX-License-Identifier: Apache-2.0
// The module stands around a network: it has its registers, its counters, its interrupt and its
// soft reset. Reference: docs/block.md, where the registers are listed.
//
// A soft reset breaks no stream. It begins when no word waits at the output; then the rest of the
// frame that is being sent to the network is dropped, and the frame that the network has begun to
// send is completed by zeros. With the bit FORCE it waits for nobody: that is for a source and a
// sink that are reset as well.
module hyq_block_control #(
  parameter logic [31:0] Version,      // of hyq_hls and of this register map
  parameter logic [31:0] Design,       // tells designs apart
  parameter int unsigned InputBeats,   // of a frame
  parameter int unsigned OutputBeats,  // of a frame
  parameter int unsigned Cycles        // of a frame, by formula
) (
  input  logic        clk_i,
  input  logic        rst_ni,

  // Registers.
  input  logic        write_i,
  input  logic [7:0]  write_address_i,
  input  logic [31:0] write_data_i,
  input  logic [3:0]  write_strobe_i,
  input  logic [7:0]  read_address_i,
  output logic [31:0] read_data_o,
  output logic        interrupt_o,

  // The stream into the network: outside (s) and inside (core_s).
  input  logic        s_valid_i,
  output logic        s_ready_o,
  input  logic        s_last_i,
  output logic        core_s_valid_o,
  input  logic        core_s_ready_i,

  // The stream out of the network: inside (core_m) and outside (m). With m_zero_o the data outside
  // are zero.
  input  logic        core_m_valid_i,
  output logic        core_m_ready_o,
  input  logic        core_m_last_i,
  output logic        m_valid_o,
  input  logic        m_ready_i,
  output logic        m_last_o,
  output logic        m_zero_o,

  output logic        core_rst_no,
  input  logic [15:0] frame_errors_i  // of the network, since its reset
);

  localparam logic [31:0] Identity = 32'h4859_5131;  // "HYQ1"
  localparam int unsigned ResetCycles = 4;
  localparam int unsigned ResetBits = $clog2(ResetCycles + 1);
  localparam int unsigned BeatBits = (OutputBeats > 1) ? $clog2(OutputBeats) : 1;

  typedef enum logic [1:0] {
    Run,
    Wait,  // for the sink, which has been offered a word
    Reset
  } state_e;

  state_e state_q;
  logic [ResetBits-1:0] left_q;
  logic core_rst_nq;
  // The source is inside a frame; the place of the next output word in its frame.
  logic inside_q;
  logic [BeatBits-1:0] beat_q;
  logic [31:0] frames_in_q, frames_out_q;
  logic [15:0] frame_errors_q;
  logic [1:0] enable_q, pending_q;

  logic write, control, soft_reset, force_reset;
  logic resetting, s_step, m_step, beat_last, frame_out, enter_reset, leave_reset;
  logic busy;
  logic [1:0] event_seen, cleared;

  // All bits that can be written lie in the lowest byte.
  assign write       = write_i && write_strobe_i[0];
  assign control     = write && write_address_i == 8'h0C;
  assign soft_reset  = control && write_data_i[0];
  assign force_reset = soft_reset && write_data_i[1];

  assign resetting   = state_q == Reset;
  assign core_rst_no = core_rst_nq;

  // In a soft reset the source gets rid of its frame, and the sink gets all of the one it has begun.
  assign core_s_valid_o = s_valid_i && !resetting;
  assign s_ready_o      = resetting ? inside_q : core_s_ready_i;
  assign core_m_ready_o = m_ready_i && !resetting;
  assign m_valid_o      = resetting ? beat_q != '0 : core_m_valid_i;
  assign m_last_o       = resetting ? beat_last : core_m_last_i;
  assign m_zero_o       = resetting;

  assign s_step      = s_valid_i && s_ready_o;
  assign m_step      = m_valid_o && m_ready_i;
  assign beat_last   = beat_q == BeatBits'(OutputBeats - 1);
  assign frame_out   = m_step && m_last_o && !resetting;
  assign enter_reset = force_reset
      || ((state_q == Wait || (soft_reset && !resetting)) && !(m_valid_o && !m_ready_i));
  assign leave_reset = left_q == '0 && !inside_q && beat_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin : phases
    if (!rst_ni) begin
      state_q     <= Reset;
      left_q      <= '0;
      core_rst_nq <= 1'b0;
      inside_q    <= 1'b0;
      beat_q      <= '0;
    end else begin
      if (enter_reset) begin
        state_q     <= Reset;
        core_rst_nq <= 1'b0;
        left_q      <= ResetBits'(ResetCycles);
      end else if (resetting) begin
        state_q     <= leave_reset ? Run : Reset;
        core_rst_nq <= leave_reset;
        left_q      <= left_q - ResetBits'(left_q != '0);
      end else begin
        state_q     <= soft_reset ? Wait : state_q;
        core_rst_nq <= 1'b1;
      end
      if (force_reset) begin
        inside_q <= 1'b0;
        beat_q   <= '0;
      end else begin
        if (s_step) inside_q <= !s_last_i;
        if (m_step) beat_q <= beat_last ? '0 : beat_q + 1'b1;
      end
    end
  end

  assign event_seen  = {frame_errors_i != frame_errors_q && !resetting, frame_out};
  assign cleared     = (write && write_address_i == 8'h24) ? write_data_i[1:0] : '0;
  assign busy        = inside_q || beat_q != '0 || frames_in_q != frames_out_q;
  assign interrupt_o = |(pending_q & enable_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin : count
    if (!rst_ni) begin
      frames_in_q    <= '0;
      frames_out_q   <= '0;
      frame_errors_q <= '0;
      enable_q       <= '0;
      pending_q      <= '0;
    end else begin
      if (resetting) begin
        frames_in_q    <= '0;
        frames_out_q   <= '0;
        frame_errors_q <= '0;
      end else begin
        frames_in_q    <= frames_in_q + 32'(s_step && s_last_i);
        frames_out_q   <= frames_out_q + 32'(frame_out);
        frame_errors_q <= frame_errors_i;
      end
      if (write && write_address_i == 8'h20) enable_q <= write_data_i[1:0];
      // An event that comes with its own clearing is not lost.
      pending_q <= (pending_q & ~cleared) | event_seen;
    end
  end

  always_comb begin : select
    unique case (read_address_i)
      8'h00:   read_data_o = Identity;
      8'h04:   read_data_o = Version;
      8'h08:   read_data_o = Design;
      8'h10:   read_data_o = {30'b0, busy, state_q != Run};
      8'h14:   read_data_o = frames_out_q;
      8'h18:   read_data_o = frames_in_q;
      8'h1C:   read_data_o = 32'(frame_errors_q);
      8'h20:   read_data_o = 32'(enable_q);
      8'h24:   read_data_o = 32'(pending_q);
      8'h28:   read_data_o = 32'(InputBeats);
      8'h2C:   read_data_o = 32'(OutputBeats);
      8'h30:   read_data_o = 32'(Cycles);
      default: read_data_o = '0;
    endcase
  end

  logic unused;
  assign unused = ^{write_data_i, write_strobe_i};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin : check
    if (!resetting) begin
      assert (!(core_m_valid_i && m_ready_i) || core_m_last_i == beat_last)
      else $error("the network ends a frame after other than %0d words", OutputBeats);
    end
  end
`endif

endmodule
