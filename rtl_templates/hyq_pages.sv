// SPDX-License-Identifier: Apache-2.0
// The module says which page of a buffer is written and which one is read. The buffer has two pages
// that take turns: a page is written only while it is not full, and read only while it is.
module hyq_pages (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic write_last_i,   // the last word of a page is written
  output logic write_page_o,
  output logic write_ready_o,  // that page is not full
  input  logic read_last_i,    // the last word of a page is read
  output logic read_page_o,
  output logic read_ready_o    // that page is full
);

  logic [1:0] full_q;  // per page
  logic write_page_q, read_page_q;

  assign write_page_o  = write_page_q;
  assign write_ready_o = !full_q[write_page_q];
  assign read_page_o   = read_page_q;
  assign read_ready_o  = full_q[read_page_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin : pages
    if (!rst_ni) begin
      full_q       <= '0;
      write_page_q <= 1'b0;
      read_page_q  <= 1'b0;
    end else begin
      write_page_q <= write_page_q ^ write_last_i;
      read_page_q  <= read_page_q ^ read_last_i;
      if (write_last_i) begin
        full_q[write_page_q] <= 1'b1;
      end
      if (read_last_i) begin
        full_q[read_page_q] <= 1'b0;
      end
    end
  end

endmodule
