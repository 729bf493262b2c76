"""Vitis HLS: it runs where it is installed, and its reports are read."""

from hyq_hls.tools.vitis.csynth import CsynthReport, CsynthRow, read_csynth, report_file
from hyq_hls.tools.vitis.run import build, require_vitis, write_test_data

__all__ = [
    "CsynthReport",
    "CsynthRow",
    "build",
    "read_csynth",
    "report_file",
    "require_vitis",
    "write_test_data",
]
