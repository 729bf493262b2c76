"""The functional simulator of the engine."""

from hyq_hls.engine.simulate.simulator import Simulator

__all__ = ["Simulator"]
