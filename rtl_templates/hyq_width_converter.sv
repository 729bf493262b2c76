// SPDX-License-Identifier: Apache-2.0
// The width converter joins successive words of a stream into one (OutLanes > InLanes) or cuts a
// word into several (OutLanes < InLanes). Lane 0 is in the lowest bits and comes first.
//
// It has no latency and passes one word per cycle on the narrow side. To join, it passes the last
// narrow word of a wide one through, beside the stored others. To cut, it selects from the wide
// word, which waits at the input until its last part leaves.
module hyq_width_converter #(
  parameter int unsigned Bits,     // bits of a lane
  parameter int unsigned InLanes,
  parameter int unsigned OutLanes  // one of both divides the other
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic [InLanes*Bits-1:0]  in_data_i,
  input  logic                     in_valid_i,
  output logic                     in_ready_o,
  output logic [OutLanes*Bits-1:0] out_data_o,
  output logic                     out_valid_o,
  input  logic                     out_ready_i
);

  localparam bit Join = OutLanes > InLanes;
  localparam int unsigned Narrow = (Join ? InLanes : OutLanes) * Bits;
  localparam int unsigned Ratio = Join ? OutLanes / InLanes : InLanes / OutLanes;

  if (InLanes % OutLanes != 0 && OutLanes % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_width_converter: InLanes divides OutLanes, or OutLanes divides InLanes");
  end

  if (Ratio == 1) begin : gen_wires
    assign out_data_o  = in_data_i;
    assign out_valid_o = in_valid_i;
    assign in_ready_o  = out_ready_i;

    logic unused_clock;
    assign unused_clock = clk_i ^ rst_ni;
  end else begin : gen_convert
    localparam int unsigned IndexBits = $clog2(Ratio);

    logic [IndexBits-1:0] index_q;  // index of the present narrow word in its wide word
    logic last, step;
    assign last = index_q == IndexBits'(Ratio - 1);

    always_ff @(posedge clk_i or negedge rst_ni) begin : control
      if (!rst_ni) begin
        index_q <= '0;
      end else if (step) begin
        index_q <= last ? '0 : index_q + 1'b1;
      end
    end

    if (Join) begin : gen_join
      logic [(Ratio-1)*Narrow-1:0] stored_q;

      assign in_ready_o  = !last || out_ready_i;
      assign out_data_o  = {in_data_i, stored_q};
      assign out_valid_o = in_valid_i && last;
      assign step        = in_valid_i && in_ready_o;

      always_ff @(posedge clk_i) begin : data
        if (step) begin
          stored_q <= out_data_o[Ratio*Narrow-1:Narrow];
        end
      end
    end else begin : gen_cut
      assign in_ready_o  = last && out_ready_i;
      assign out_data_o  = in_data_i[index_q*Narrow+:Narrow];
      assign out_valid_o = in_valid_i;
      assign step        = in_valid_i && out_ready_i;
    end
  end

  hyq_stream_checker #(.Width(OutLanes * Bits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
