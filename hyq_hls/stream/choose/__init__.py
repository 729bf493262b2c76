"""A designer chooses how much of every operation is built in parallel."""

from hyq_hls.stream.choose.balance import balance, fastest
from hyq_hls.stream.choose.circuits import circuit_utilization
from hyq_hls.stream.choose.fit import Fit, pareto
from hyq_hls.stream.choose.widths import PartCosts

__all__ = ["Fit", "PartCosts", "balance", "circuit_utilization", "fastest", "pareto"]
