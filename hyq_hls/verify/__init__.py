"""The levels of the road, compared node by node."""

from hyq_hls.support import sqnr_db
from hyq_hls.verify.compare import Difference, first_difference
from hyq_hls.verify.levels import NodeLevels, VerifyReport, verify

__all__ = ["Difference", "NodeLevels", "VerifyReport", "first_difference", "sqnr_db", "verify"]
