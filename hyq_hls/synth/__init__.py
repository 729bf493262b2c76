"""Logic synthesis of generated RTL with Yosys."""

from hyq_hls.synth.design import DesignUtilization, synthesize_design, template_job
from hyq_hls.synth.mapping import Job, synthesize_module, synthesize_modules
from hyq_hls.synth.utilization import Utilization, count_cells
from hyq_hls.synth.yosys import read_rtl, run_yosys, yosys_share, yosys_version

__all__ = [
    "DesignUtilization",
    "Job",
    "Utilization",
    "count_cells",
    "read_rtl",
    "run_yosys",
    "synthesize_design",
    "synthesize_module",
    "synthesize_modules",
    "template_job",
    "yosys_share",
    "yosys_version",
]
