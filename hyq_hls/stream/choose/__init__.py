"""A designer chooses how much of every operation is built in parallel."""

from hyq_hls.stream.choose.balance import balance, fastest

__all__ = ["balance", "fastest"]
