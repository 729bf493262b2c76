// The module is the enable of a rigid pipeline. The pipeline waits while all of full_i hold and its
// reader takes nothing.
//
// Synthesis would merge equal enables into one, whose many loads make it slow. It keeps the
// instances of this module apart, so that a ready for the writer has few loads.
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
