// SPDX-License-Identifier: Apache-2.0
// The module controls a rigid pipeline between two streams: all of its Stages stages move, or none
// does.
//
// They move when the output is free, so that a stall costs no word and a bubble stays where it is.
// en_o is the enable of every register of the datapath. in_ready_o has the same value and few loads.
module hyq_stream_pipeline #(
  parameter int unsigned Stages
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic in_valid_i,
  output logic in_ready_o,
  output logic en_o,
  output logic out_valid_o,
  input  logic out_ready_i
);

  assign in_ready_o = !out_valid_o || out_ready_i;

  hyq_enable u_enable (.full_i(out_valid_o), .ready_i(out_ready_i), .en_o);

  hyq_valid_chain #(.Stages(Stages)) u_valid (
    .clk_i, .rst_ni, .en_i(en_o), .valid_i(in_valid_i), .valid_o(out_valid_o)
  );

endmodule
