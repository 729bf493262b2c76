"""The largest of several codes as instructions: some rows at a time, three sums for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms import Largest, Sliding
from hyq_hls.engine.layout import TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes

#: Columns of a border, on both sides together, that the place of the output may have.
_MARGIN = 16


class LargestUnit(TiledUnit):
    """The largest of several codes; the largest so far waits in the place of the output."""

    def __init__(
        self, node: str, inputs: tuple[str, ...], layout: TensorLayout, form: Largest, tag: Tag
    ) -> None:
        super().__init__(node, inputs, node, layout)
        self.form = form
        nobody = replace(tag, node="")
        one, two = (node,), (node, node)
        found = {id(c.sums): c.sums for c in form.candidates}
        self._candidates = {
            key: SumsUnit(node, one, node, layout, (sums,), nobody) for key, sums in found.items()
        }
        self._excess = SumsUnit(node, two, node, layout, (form.excess,), nobody)
        self._both = SumsUnit(node, two, node, layout, (form.both,), tag)

    def prepare(self, sizes: Sizes) -> None:
        """Prepare all sums."""
        units = [*self._candidates.values(), self._excess, self._both]
        for unit in units:
            unit.prepare(sizes)
        self.weight_bytes = sum(unit.weight_bytes for unit in units)
        self.parameter_bytes = sum(unit.parameter_bytes for unit in units)
        self.instructions = 3 * len(self.form.candidates) * self._both.instructions

    def sliding(self, which: int) -> Sliding:
        """Return the window of an input."""
        del which
        return self.form.sliding

    def border(self, which: int) -> Codes | None:
        """Return the smallest code around an input, or None where no window leaves it."""
        del which
        return np.zeros(1, np.int64) if max(self.form.sliding.padding) > 0 else None

    @property
    def keeps_columns(self) -> bool:
        """Whether column x of the output needs column x of the inputs alone."""
        return self.form.sliding == Sliding()

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of other codes and of what is added, of a row and of all rows."""
        positions = ceil_div(self.layout.pixels + _MARGIN, step)
        row = 2 * step * ceil_div(positions, pixels) * self.layout.words
        return row, self.layout.rows * row

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the sums of a tile.

        Raises:
            ConversionError: a border is too wide.
        """
        (base, words), tile, output = work.room, work.tile, work.output
        rows = words // (2 * output.row_words)
        if rows < 1:
            raise ConversionError(
                f"a largest code in front of a window with a border of more than {_MARGIN} "
                "columns; use a smaller window, or the streaming architecture"
            )
        for y in range(tile.y0, tile.y1, rows):
            part = Tile(y, min(y + rows, tile.y1), tile.x0, tile.x1)
            self._emit(emitter, replace(work, tile=part))
            emitter.forget("features", base, base + words)

    def _emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the sums of some rows."""
        part, output = work.tile, work.output
        # Columns lie there as those of the output do.
        other = replace(output, base=work.room[0], y0=part.y0, y1=part.y1)
        excess = replace(other, base=other.base + other.all_words)
        for k, (unit, source) in enumerate(self._sources(work)):
            unit.emit(emitter, TileWork(part, [source], other if k else output))
            if k:
                self._excess.emit(emitter, TileWork(part, [output, other], excess))
                self._both.emit(emitter, TileWork(part, [excess, other], output))

    def _sources(self, work: TileWork) -> Iterator[tuple[SumsUnit, Buffer]]:
        """Yield the sum of every candidate, and its input with the tap in the first position."""
        above, left = self.form.sliding.padding
        for candidate in self.form.candidates:
            source, (y, x) = work.sources[candidate.which], candidate.tap
            down, right = y - above, x - left
            moved = replace(
                source,
                y0=source.y0 - down,
                y1=source.y1 - down,
                x0=source.x0 - right,
                x1=source.x1 - right,
            )
            yield self._candidates[id(candidate.sums)], moved
