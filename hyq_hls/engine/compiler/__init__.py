"""The compiler: a graph becomes a program, layer by layer, one instruction after the other.

All maps lie in DRAM between the nodes; within a node they come and go in tiles. Functions of one
code are moved behind the sum before them, and attention is one piece from scores to values.
"""

from hyq_hls.engine.compiler.compile import compile_graph

__all__ = ["compile_graph"]
