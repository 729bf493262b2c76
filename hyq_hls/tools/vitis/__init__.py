"""Vitis HLS: it runs where it is installed, and its reports are read."""

from hyq_hls.tools.vitis.csynth import (
    CsynthLoop,
    CsynthReport,
    CsynthRow,
    CsynthStage,
    read_csynth,
    report_file,
)
from hyq_hls.tools.vitis.messages import LongPath, SlowLoop, long_paths, slow_loops
from hyq_hls.tools.vitis.run import Steps, require_vitis, run_vitis, write_test_data

__all__ = [
    "CsynthLoop",
    "CsynthReport",
    "CsynthRow",
    "CsynthStage",
    "LongPath",
    "SlowLoop",
    "Steps",
    "long_paths",
    "read_csynth",
    "report_file",
    "require_vitis",
    "run_vitis",
    "slow_loops",
    "write_test_data",
]
