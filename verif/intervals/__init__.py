"""Initiation intervals of pipelined loops, from LLVM's form of the generated C++."""
