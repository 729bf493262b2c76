// SPDX-License-Identifier: Apache-2.0
// The control fetches the instructions of a program and hands them to the units, one after the
// other. Reference: "Program" in docs/engine.md; a machine that runs in the order of the list may
// ignore the waits.
//
// The next instruction is fetched while one runs, unless that one is a load: fetches and loads
// share the read channels, and a beat belongs to the load while one runs, else to the fetch. A unit
// gets a start for a cycle, with an instruction that stays until the unit is done.
module hyq_engine_control
  import hyq_engine_pkg::*;
(
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       start_i,
  input  logic                       stop_i,     // behind the instruction that runs
  input  logic [31:0]                length_i,   // instructions; constant while it runs
  input  logic [31:0]                program_i,  // address, a multiple of 64
  output logic                       ended_o,
  output logic [7:0]                 error_o,
  output logic [23:0]                index_o,
  output logic                       instruction_ended_o,
  // units, by queue
  output logic [InstructionBits-1:0] instruction_o,
  output logic [5:0]                 unit_start_o,
  output logic [5:0]                 unit_running_o,
  input  logic [5:0]                 unit_done_i,
  // read channels
  output transfer_t                  transfer_o,
  output logic                       transfer_valid_o,
  input  logic                       transfer_ready_i,
  input  logic [63:0]                data_i,
  input  logic                       data_valid_i,
  output logic                       data_ready_o,
  // answers of AXI, of any unit
  input  logic                       read_error_i,
  input  logic                       write_error_i
);

  typedef enum logic [7:0] {
    ErrorNone    = 8'd0,
    ErrorVersion = 8'd1,
    ErrorQueue   = 8'd2,
    ErrorRead    = 8'd3,
    ErrorWrite   = 8'd4,
    ErrorTarget  = 8'd5,
    ErrorStopped = 8'd6   // by stop_i
  } error_e;

  localparam int unsigned Beats = InstructionBits / 64;

  // Fetch: an instruction is asked for, comes in eight beats, and waits.
  logic running_q, asking_q, coming_q, here_q, starting_q;
  logic [31:0] address_q, left_q;  // of the instruction that is fetched next, and how many are left
  logic [2:0] beat_q;
  logic [InstructionBits-1:0] next_q, current_q;
  logic ask, beat, last_beat, dispatch;

  assign ask       = running_q && !asking_q && !coming_q && !here_q && left_q != '0
                     && !starting_q && !unit_running_o[0];
  assign beat      = coming_q && data_valid_i;
  assign last_beat = beat && beat_q == 3'(Beats - 1);
  assign dispatch  = here_q && unit_running_o == '0;

  // What is wrong with an instruction, or with a transfer.
  logic [2:0] queue;
  error_e fault, broken_q;
  logic [23:0] index_q;
  logic unit_done, stop;

  assign queue     = current_q[2:0];
  assign unit_done = (unit_done_i & unit_running_o) != '0;

  always_comb begin : check
    fault = ErrorNone;
    if (current_q[15:8] != 8'(Version)) fault = ErrorVersion;
    else if (queue > 3'd5) fault = ErrorQueue;
    else if (queue == 3'd0 && current_q[18:16] > 3'd5) fault = ErrorTarget;
    else if (queue == 3'd1 && current_q[18:16] != 3'd0) fault = ErrorTarget;
  end

  // The machine stops when the unit is done, so that no transfer is left open, and no fetch is.
  logic finished;
  assign stop     = starting_q && fault != ErrorNone;
  assign finished = running_q && !starting_q && unit_running_o == '0 && !asking_q && !coming_q
                    && (broken_q != ErrorNone || (!here_q && left_q == '0));

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      running_q           <= 1'b0;
      asking_q            <= 1'b0;
      coming_q            <= 1'b0;
      here_q              <= 1'b0;
      starting_q          <= 1'b0;
      beat_q              <= '0;
      unit_running_o      <= '0;
      unit_start_o        <= '0;
      ended_o             <= 1'b0;
      instruction_ended_o <= 1'b0;
      broken_q            <= ErrorNone;
      index_q             <= '0;
    end else begin
      if (start_i) running_q <= 1'b1;
      else if (finished) running_q <= 1'b0;
      ended_o <= finished;

      if (ask && broken_q == ErrorNone) asking_q <= 1'b1;
      else if (transfer_ready_i) asking_q <= 1'b0;
      if (asking_q && transfer_ready_i) coming_q <= 1'b1;
      else if (last_beat) coming_q <= 1'b0;
      if (beat) beat_q <= beat_q + 1'b1;
      if (last_beat) here_q <= 1'b1;
      else if (dispatch || finished) here_q <= 1'b0;

      // An instruction is looked at for a cycle before its unit starts.
      starting_q          <= dispatch && broken_q == ErrorNone && !starting_q;
      unit_start_o        <= starting_q && !stop ? 6'b1 << queue : '0;
      instruction_ended_o <= unit_done;
      if (starting_q && !stop) unit_running_o <= 6'b1 << queue;
      else if (unit_done) unit_running_o <= '0;

      if (start_i) begin
        broken_q <= ErrorNone;
        index_q  <= '0;
      end else if (broken_q == ErrorNone) begin
        if (stop) broken_q <= fault;
        else if (read_error_i) broken_q <= ErrorRead;
        else if (write_error_i) broken_q <= ErrorWrite;
        else if (stop_i) broken_q <= ErrorStopped;
        else if (unit_done) index_q <= index_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin : data
    if (start_i) begin
      address_q <= program_i;
      left_q    <= length_i;
    end else if (asking_q && transfer_ready_i) begin
      address_q <= address_q + 32'(InstructionBits / 8);
      left_q    <= left_q - 1'b1;
    end
    if (beat) next_q <= {data_i, next_q[InstructionBits-1:64]};
    if (dispatch) current_q <= next_q;
  end

  assign transfer_o       = '{address: address_q, beats: 29'(Beats)};
  assign transfer_valid_o = asking_q;
  assign data_ready_o     = coming_q;
  assign instruction_o    = current_q;
  assign error_o          = broken_q;
  assign index_o          = index_q;

endmodule
