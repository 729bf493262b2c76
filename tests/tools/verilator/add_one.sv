// Adds one to every code: two streams around one register, and faults on demand.
// Reference: codes + 1 (numpy). A beat that goes in with cycle t comes out with cycle t + 3.
// The file MemoryDir/fault.hex is read when a simulation starts and names the fault.

module hyq_test_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned DepthLog2 = 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);
  logic [DepthLog2:0] write_q, read_q;
  logic [Width-1:0] memory_q[1 << DepthLog2];

  assign in_ready_o = (write_q ^ read_q) != (1 << DepthLog2);
  assign out_valid_o = write_q != read_q;
  assign out_data_o = memory_q[read_q[DepthLog2-1:0]];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
    end else begin
      if (in_valid_i && in_ready_o) write_q <= write_q + 1'b1;
      if (out_valid_o && out_ready_i) read_q <= read_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_valid_i && in_ready_o) memory_q[write_q[DepthLog2-1:0]] <= in_data_i;
  end
endmodule

module add_one #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Bits = 8,
  parameter int unsigned Beats = 4,
  parameter MemoryDir = ""
) (
  input  logic                                aclk,
  input  logic                                aresetn,
  input  logic [Lanes*((Bits+7)/8)*8-1:0]     s_axis_tdata,
  input  logic                                s_axis_tvalid,
  output logic                                s_axis_tready,
  input  logic                                s_axis_tlast,
  output logic [Lanes*((Bits+8)/8)*8-1:0]     m_axis_tdata,
  output logic                                m_axis_tvalid,
  input  logic                                m_axis_tready,
  output logic                                m_axis_tlast,
  output logic [15:0]                         frame_errors
);
  // Values in the file.
  localparam logic [7:0] Swallow = 8'd1;
  localparam logic [7:0] Hang = 8'd2;
  localparam logic [7:0] Drop = 8'd3;
  localparam logic [7:0] Repeat = 8'd4;
  localparam logic [7:0] Fatal = 8'd5;
  localparam logic [7:0] Last = 8'd6;
  localparam logic [7:0] FrameError = 8'd7;

  logic [7:0] fault_kind;
  if (MemoryDir != "") begin : gen_fault
    logic [7:0] memory[1];
    initial $readmemh({MemoryDir, "/fault.hex"}, memory);
    assign fault_kind = memory[0];
  end else begin : gen_no_fault
    assign fault_kind = 8'd0;
  end

  localparam int unsigned InLane = (Bits + 7) / 8 * 8;
  localparam int unsigned OutLane = (Bits + 8) / 8 * 8;

  logic [Lanes*Bits-1:0] in_wr_data, in_rd_data;
  logic in_wr_valid, in_wr_ready, in_rd_valid, in_rd_ready;
  logic [Lanes*(Bits+1)-1:0] sum_wr_data, sum_rd_data;
  logic sum_wr_valid, sum_wr_ready, sum_rd_valid, sum_rd_ready;

  assign in_wr_valid = s_axis_tvalid;
  assign s_axis_tready = in_wr_ready;

  hyq_test_fifo #(
    .Width(Lanes * Bits)
  ) u_in_fifo (
    .clk_i(aclk),
    .rst_ni(aresetn),
    .in_data_i(in_wr_data),
    .in_valid_i(in_wr_valid),
    .in_ready_o(in_wr_ready),
    .out_data_o(in_rd_data),
    .out_valid_o(in_rd_valid),
    .out_ready_i(in_rd_ready)
  );

  // One register between the streams; the beats that passed it tell when a fault is due.
  logic [Lanes*(Bits+1)-1:0] sum_q;
  logic valid_q, stalled_q, fault;
  logic [15:0] passed_q;
  assign fault = passed_q == (fault_kind == Repeat ? 16'd12 : 16'd5);
  assign in_rd_ready = (!valid_q || sum_wr_ready) && !(fault_kind == Hang && fault);
  assign sum_wr_data = sum_q;
  assign sum_wr_valid = valid_q && !(fault_kind == Drop && stalled_q);

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lane
    assign in_wr_data[lane*Bits+:Bits] = s_axis_tdata[lane*InLane+:Bits];
    assign m_axis_tdata[lane*OutLane+:OutLane] =
        OutLane'(signed'(sum_rd_data[lane*(Bits+1)+:Bits+1]));
    always_ff @(posedge aclk) begin
      if (in_rd_valid && in_rd_ready) begin
        sum_q[lane*(Bits+1)+:Bits+1] <= (Bits + 1)'(signed'(in_rd_data[lane*Bits+:Bits])) + 1'b1;
      end
    end
  end

  always_ff @(posedge aclk or negedge aresetn) begin
    if (!aresetn) begin
      valid_q <= 1'b0;
      stalled_q <= 1'b0;
      passed_q <= '0;
    end else begin
      stalled_q <= sum_wr_valid && !sum_wr_ready;
      if (in_rd_valid && in_rd_ready) begin
        passed_q <= passed_q + 1'b1;
        valid_q <= !(fault_kind == Swallow && fault);
        if (fault_kind == Fatal && fault) $fatal(1, "beat 5 is not wanted");
      end else if (sum_wr_ready && !(fault_kind == Repeat && fault)) begin
        valid_q <= 1'b0;
      end
    end
  end

  hyq_test_fifo #(
    .Width(Lanes * (Bits + 1))
  ) u_sum_fifo (
    .clk_i(aclk),
    .rst_ni(aresetn),
    .in_data_i(sum_wr_data),
    .in_valid_i(sum_wr_valid),
    .in_ready_o(sum_wr_ready),
    .out_data_o(sum_rd_data),
    .out_valid_o(sum_rd_valid),
    .out_ready_i(sum_rd_ready)
  );

  logic [15:0] in_beat_q, out_beat_q;
  logic in_last, out_last;
  assign in_last = in_beat_q == 16'(Beats - 1);
  assign out_last = out_beat_q == 16'(Beats - 1);
  assign m_axis_tvalid = sum_rd_valid;
  assign sum_rd_ready = m_axis_tready;
  assign m_axis_tlast = fault_kind == Last ? out_beat_q == 16'd0 : out_last;

  always_ff @(posedge aclk or negedge aresetn) begin
    if (!aresetn) begin
      in_beat_q <= '0;
      out_beat_q <= '0;
      frame_errors <= '0;
    end else begin
      if (s_axis_tvalid && s_axis_tready) begin
        in_beat_q <= in_last ? '0 : in_beat_q + 1'b1;
        if (s_axis_tlast != in_last || fault_kind == FrameError) begin
          frame_errors <= frame_errors + 1'b1;
        end
      end
      if (m_axis_tvalid && m_axis_tready) out_beat_q <= out_last ? '0 : out_beat_q + 1'b1;
    end
  end
endmodule
