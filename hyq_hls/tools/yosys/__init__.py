"""Logic synthesis of generated RTL with Yosys."""

from hyq_hls.tools.yosys.block_rams import block_rams
from hyq_hls.tools.yosys.mapping import Job, slowest_paths, synthesize_module, synthesize_modules
from hyq_hls.tools.yosys.points import points_of
from hyq_hls.tools.yosys.run import read_rtl, run_yosys, yosys_share, yosys_version
from hyq_hls.tools.yosys.timing import TimedPath
from hyq_hls.tools.yosys.utilization import Utilization, count_cells

__all__ = [
    "Job",
    "TimedPath",
    "Utilization",
    "block_rams",
    "count_cells",
    "points_of",
    "read_rtl",
    "run_yosys",
    "slowest_paths",
    "synthesize_module",
    "synthesize_modules",
    "yosys_share",
    "yosys_version",
]
