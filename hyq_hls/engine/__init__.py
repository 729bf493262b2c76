"""The time-multiplexed engine: a program for one array of multipliers, see ``docs/engine.md``."""

from hyq_hls.engine.machine_sizes import Sizes

__all__ = ["Sizes"]
