// SPDX-License-Identifier: Apache-2.0
// The module is the enable of the registers of a rigid pipeline. The pipeline waits while all of
// full_i hold and its reader takes nothing.
//
// A neighbour needs the same value as its ready. Synthesis would merge both, so that all registers
// load the ready. It keeps the instances of this module apart.
(* keep_hierarchy = "yes" *)
module hyq_enable #(
  parameter int unsigned Width = 1
) (
  input  logic [Width-1:0] full_i,
  input  logic             ready_i,
  output logic             en_o
);

  assign en_o = !(&full_i) || ready_i;

endmodule
