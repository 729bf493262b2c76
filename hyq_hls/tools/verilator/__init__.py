"""Co-simulation: generated SystemVerilog through Verilator, without a vendor's tools."""

from hyq_hls.tools.verilator.formats import StreamFormat, StreamInfo
from hyq_hls.tools.verilator.result import RunResult, StreamStatistics
from hyq_hls.tools.verilator.simulation import RtlSimulation, Waveform
from hyq_hls.tools.verilator.simulator import Simulator
from hyq_hls.tools.verilator.verilator import Waves, build_cosimulation, build_library

__all__ = [
    "RtlSimulation",
    "RunResult",
    "Simulator",
    "StreamFormat",
    "StreamInfo",
    "StreamStatistics",
    "Waveform",
    "Waves",
    "build_cosimulation",
    "build_library",
]
