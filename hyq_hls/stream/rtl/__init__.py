"""The SystemVerilog back end. It turns a dataflow into readable RTL with memory files."""

from hyq_hls.stream.rtl.project import write_rtl

__all__ = ["write_rtl"]
