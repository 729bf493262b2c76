// SPDX-License-Identifier: Apache-2.0
// The module walks over the pixels of two views of the same size: the rows that a unit reads and
// the rows that it writes. Reference: "view" in docs/engine.md. Each view has steps of its own.
//
// The first pixel is there four cycles after start_i; valid_o says so. Its inputs are constant from
// start_i to the last pixel.
module hyq_engine_pixels
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   start_i,
  input  view_t                  source_i,
  input  view_t                  target_i,
  input  logic [15:0]            rows_i,
  input  logic [15:0]            pixels_i,
  input  logic                   source_step_i,  // to the next pixel
  output logic                   source_valid_o,
  output logic [2:0]             source_bank_o,
  output logic [AddressBits-1:0] source_address_o,
  input  logic                   target_step_i,
  output logic                   target_end_o,   // this is the last pixel
  output logic [2:0]             target_bank_o,
  output logic [AddressBits-1:0] target_address_o
);

  view_t [1:0] views;
  logic [1:0][2:0] banks;
  logic [1:0][AddressBits-1:0] addresses;
  logic [1:0] steps, valids, row_ends, ends;

  assign views = {target_i, source_i};
  assign steps = {target_step_i, source_step_i};

  for (genvar v = 0; v < 2; v++) begin : gen_views
    hyq_engine_walk #(
      .Pixels(Pixels)
    ) u_walk (
      .clk_i,
      .rst_ni,
      .start_i,
      .view_i   (views[v]),
      .rows_i,
      .pixels_i,
      .steps_i  (16'd1),
      .pairs_i  (1'b0),
      .planes_i (8'd1),
      .plane_i  (16'd0),
      .x_first_i(8'd0),
      .step_i   (steps[v]),
      .valid_o  (valids[v]),
      .bank_o   (banks[v]),
      .address_o(addresses[v]),
      .row_end_o(row_ends[v]),
      .end_o    (ends[v])
    );
  end

  assign source_valid_o   = valids[0];
  assign target_end_o     = ends[1];
  assign source_bank_o    = banks[0];
  assign source_address_o = addresses[0];
  assign target_bank_o    = banks[1];
  assign target_address_o = addresses[1];

  logic unused;
  assign unused = ^{valids[1], ends[0], row_ends};

endmodule
