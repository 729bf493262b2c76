"""The logic of the HLS C++: its loops as Verilog, whose LUTs and flip-flops Yosys counts."""
