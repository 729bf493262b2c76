"""An upsample as instructions: results in pairs of rows, and in two planes of columns."""

from __future__ import annotations

from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.forms import Sliding
from hyq_hls.graph.operation import Codes


class UpsampleUnit(SumsUnit):
    """Sums that write every other row and column, and read a row and a column on each side."""

    @property
    def keeps_columns(self) -> bool:
        """A column of the result is none of the input."""
        return False

    @property
    def output_step(self) -> int:
        """Every other column is a plane."""
        return 2

    def sliding(self, which: int) -> Sliding:
        """No window describes it."""
        del which
        return Sliding()

    def border(self, which: int) -> Codes | None:
        """The border repeats the codes, which a sum of its own does."""
        del which
        return None

    def rows_read(self, which: int, y0: int, y1: int) -> tuple[int, int]:
        """Return the rows around the pairs of rows ``y0`` to ``y1``."""
        del which
        return (y0 - 1) // 2, y1 // 2 + 1

    def columns_read(self, which: int, x0: int, x1: int) -> tuple[int, int]:
        """Return the columns around the pairs of columns ``x0`` to ``x1``."""
        del which
        return (x0 - 1) // 2, x1 // 2 + 1
