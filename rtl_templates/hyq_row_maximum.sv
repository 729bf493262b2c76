// SPDX-License-Identifier: Apache-2.0
// The module finds the largest of the unsigned codes of every row, and gives one result per Beats
// beats.
//
// It has a tree over the lanes, with a register behind every comparison, then the running maximum.
// The tree has as many stages as levels, and one where there is a single lane.
module hyq_row_maximum #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,  // bits of a code
  parameter int unsigned Beats  // beats of a row
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic [Lanes*Bits-1:0] in_data_i,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  output logic [Bits-1:0]       out_data_o,
  output logic                  out_valid_o,
  input  logic                  out_ready_i
);

  localparam int unsigned Levels = $clog2(Lanes);
  localparam int unsigned Stages = Levels > 0 ? Levels : 1;

  logic en;

  // Nodes are numbered as in a heap: node n has the children 2n and 2n + 1, and the last nodes are
  // the codes.
  for (genvar n = 2 * Lanes - 1; n > 0; n--) begin : gen_node
    localparam int unsigned Level = $clog2(n + 1) - 1;
    logic [Bits-1:0] larger, value;

    if (n >= Lanes) begin : gen_code
      assign larger = in_data_i[(n-Lanes)*Bits+:Bits];
    end else begin : gen_compare
      assign larger = gen_node[2*n].value > gen_node[2*n+1].value ? gen_node[2*n].value
                                                                  : gen_node[2*n+1].value;
    end

    // A code that lies above the lowest level waits: every path has the same delay.
    if (Level < Stages) begin : gen_register
      logic [Bits-1:0] larger_q;
      always_ff @(posedge clk_i) begin
        if (en) larger_q <= larger;
      end
      assign value = larger_q;
    end else begin : gen_wire
      assign value = larger;
    end
  end

  logic tree_valid, first_beat, result_load;

  hyq_valid_chain #(.Stages(Stages)) u_tree_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(tree_valid)
  );

  hyq_row_control #(
    .Beats(Beats)
  ) u_control (
    .clk_i,
    .rst_ni,
    .beat_valid_i  (tree_valid),
    .ready_o       (in_ready_o),
    .en_o          (en),
    .first_beat_o  (first_beat),
    .result_load_o (result_load),
    .result_valid_o(out_valid_o),
    .result_ready_i(out_ready_i)
  );

  logic [Bits-1:0] maximum_d, maximum_q, result_q;

  assign maximum_d = first_beat || gen_node[1].value > maximum_q ? gen_node[1].value : maximum_q;

  always_ff @(posedge clk_i) begin : maximum
    if (en && tree_valid) maximum_q <= maximum_d;
    if (result_load) result_q <= maximum_d;
  end

  assign out_data_o = result_q;

endmodule
