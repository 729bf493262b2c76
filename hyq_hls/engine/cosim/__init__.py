"""Co-simulation of the engine: its RTL in Verilator beside the functional simulator."""

from hyq_hls.engine.cosim.image import Image
from hyq_hls.engine.cosim.library import DramModel, build_engine
from hyq_hls.engine.cosim.report import cycle_lines
from hyq_hls.engine.cosim.run import EngineRun, cosimulate

__all__ = ["DramModel", "EngineRun", "Image", "build_engine", "cosimulate", "cycle_lines"]
