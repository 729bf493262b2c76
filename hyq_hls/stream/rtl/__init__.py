"""The SystemVerilog back end: dataflow in, readable RTL with its memory files out."""

from hyq_hls.stream.rtl.project import write_rtl

__all__ = ["write_rtl"]
