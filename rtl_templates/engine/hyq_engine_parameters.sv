// SPDX-License-Identifier: Apache-2.0
// The parameter memory holds a record for every output channel, in groups of 16. On fetch_i it
// reads a group, one record per cycle, and keeps it on channels_o until taken_i. While nothing is
// fetched, bias_o is that of the record that was named three cycles before.
module hyq_engine_parameters
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Groups,
  localparam int unsigned RecordBits = $clog2(Groups * Outputs)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   write_i,          // half a record
  input  logic [RecordBits:0]    write_address_i,  // {record, half}
  input  logic [63:0]            write_data_i,
  input  logic                   fetch_i,
  input  logic [7:0]             group_i,
  input  logic                   taken_i,
  output logic                   ready_o,
  output channel_t [Outputs-1:0] channels_o,
  input  logic [RecordBits-1:0]  record_i,
  output logic [AccBits-1:0]     bias_o
);

  localparam int unsigned Records = Groups * Outputs;
  localparam int unsigned IndexBits = $clog2(Outputs);

  (* ram_style = "block" *) logic [63:0] front[Records];
  (* ram_style = "block" *) logic [ShiftBits-1:0] back[Records];
  logic [RecordBits-1:0] address_q;
  logic [63:0] front_q1, front_q2;
  logic [ShiftBits-1:0] back_q1, back_q2;
  channel_t [Outputs-1:0] channels_q;

  // Records are asked for while reading_q, and come three cycles later.
  logic reading_q, arrives, ready_q;
  logic [IndexBits-1:0] asked_q, arrived_q;
  logic [7:0] group_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      reading_q <= 1'b0;
      ready_q   <= 1'b0;
      asked_q   <= '0;
      arrived_q <= '0;
    end else begin
      if (fetch_i) reading_q <= 1'b1;
      else if (asked_q == IndexBits'(Outputs - 1)) reading_q <= 1'b0;
      if (reading_q) asked_q <= asked_q + 1'b1;
      if (arrives) arrived_q <= arrived_q + 1'b1;
      if (taken_i) ready_q <= 1'b0;
      else if (arrives && arrived_q == IndexBits'(Outputs - 1)) ready_q <= 1'b1;
    end
  end

  hyq_valid_chain #(
    .Stages(3)
  ) u_arrives (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(reading_q), .valid_o(arrives)
  );

  always_ff @(posedge clk_i) begin : write
    if (write_i && !write_address_i[0]) front[write_address_i[RecordBits:1]] <= write_data_i;
    if (write_i && write_address_i[0]) begin
      back[write_address_i[RecordBits:1]] <= write_data_i[ShiftBits-1:0];
    end
  end

  always_ff @(posedge clk_i) begin : read
    if (fetch_i) group_q <= group_i;
    address_q <= reading_q ? RecordBits'({group_q, asked_q}) : record_i;
    front_q1  <= front[address_q];
    back_q1   <= back[address_q];
    front_q2  <= front_q1;
    back_q2   <= back_q1;
    if (arrives) begin
      channels_q <= {channel_t'{shift: back_q2, multiplier: front_q2[63:48],
                                zero_point: front_q2[47:32], bias: front_q2[31:0]},
                     channels_q[Outputs-1:1]};
    end
  end

  assign ready_o    = ready_q;
  assign channels_o = channels_q;
  assign bias_o     = front_q2[31:0];

  hyq_engine_checker #(
    .Message("parameters are fetched before those of the last channels are taken")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i(!fetch_i || !(reading_q || arrives || ready_q))
  );

endmodule
