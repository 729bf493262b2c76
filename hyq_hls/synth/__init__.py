"""Logic synthesis of generated RTL with Yosys."""

from hyq_hls.synth.yosys import read_rtl, run_yosys, yosys_share

__all__ = ["read_rtl", "run_yosys", "yosys_share"]
