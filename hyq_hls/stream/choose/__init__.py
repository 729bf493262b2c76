"""A designer chooses how much of every operation is built in parallel."""

from hyq_hls.stream.choose.balance import balance, fastest
from hyq_hls.stream.choose.widths import PartCosts

__all__ = ["PartCosts", "balance", "fastest"]
