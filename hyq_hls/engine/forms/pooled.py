"""Sums of sums: a large window in two steps, so that its lines need not be there together."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.engine.forms.sums import Sums
from hyq_hls.graph.operation import Codes


@dataclass(frozen=True, eq=False)
class PooledSums:
    """Two sums, between which lies a tensor of exact sums.

    Attributes:
        lines: sums of parts of a row.
        whole: the sum of these.
    """

    lines: Sums
    whole: Sums

    def execute(self, codes: Codes) -> Codes:
        """Return the stored output codes (B, rows, pixels, O) of the node's stored input."""
        return self.whole.execute(self.lines.execute(codes))
