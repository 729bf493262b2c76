// SPDX-License-Identifier: Apache-2.0
// A host at an AXI4-Lite slave. The module that includes it has clk and the signals of the channels,
// which change at falling edges and are taken at rising ones.

task automatic pause();
  repeat ($urandom_range(3)) @(negedge clk);
endtask

task automatic write(input logic [7:0] address, input logic [31:0] value);
  fork
    begin
      pause();
      awaddr  = address;
      awvalid = 1'b1;
      do @(posedge clk); while (!awready);
      @(negedge clk) awvalid = 1'b0;
    end
    begin
      pause();
      wdata  = value;
      wvalid = 1'b1;
      do @(posedge clk); while (!wready);
      @(negedge clk) wvalid = 1'b0;
    end
    begin
      pause();
      bready = 1'b1;
      do @(posedge clk); while (!bvalid);
      if (bresp != 2'b00) $fatal(1, "a write to 0x%02h is answered by %b", address, bresp);
      @(negedge clk) bready = 1'b0;
    end
  join
endtask

task automatic read(input logic [7:0] address, output logic [31:0] value);
  araddr  = address;
  arvalid = 1'b1;
  do @(posedge clk); while (!arready);
  @(negedge clk) arvalid = 1'b0;
  pause();
  rready = 1'b1;
  do @(posedge clk); while (!rvalid);
  value = rdata;
  if (rresp != 2'b00) $fatal(1, "a read of 0x%02h is answered by %b", address, rresp);
  @(negedge clk) rready = 1'b0;
endtask

task automatic must_be(input string name, input logic [31:0] found, input logic [31:0] wanted);
  if (found !== wanted) $fatal(1, "%s is 0x%0h, 0x%0h is wanted", name, found, wanted);
endtask

task automatic register_must_be(
  input string name, input logic [7:0] address, input logic [31:0] wanted
);
  logic [31:0] found;
  read(address, found);
  must_be(name, found, wanted);
endtask
