"""A sum behind a sum: the codes in between have up to four bytes and belong to no node."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.engine.forms.sums import Sums
from hyq_hls.graph.operation import Codes


@dataclass(frozen=True, eq=False)
class StagedSums:
    """Two sums of single positions, the second of which reads what the first writes.

    Attributes:
        first: from the node's input to the codes in between, which its table gives.
        second: from these to the node's output; its ``planes`` are their bytes.
    """

    first: Sums
    second: Sums

    def execute(self, codes: Codes) -> Codes:
        """Return the stored output codes (B, rows, pixels, O) of the node's stored input."""
        return self.second.execute(self.first.execute(codes))
