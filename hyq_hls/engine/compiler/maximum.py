"""The larger of two elements as instructions: some rows at a time, in four sums."""

from __future__ import annotations

from dataclasses import replace

from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms.maximum import Larger
from hyq_hls.engine.layout import TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError

#: Columns of a border, on both sides together, that the place of the output may have.
_MARGIN = 16


class MaximumUnit(TiledUnit):
    """The larger of two elements; codes of the first input wait in the place of the output."""

    def __init__(
        self, node: str, inputs: tuple[str, ...], layout: TensorLayout, form: Larger, tag: Tag
    ) -> None:
        super().__init__(node, inputs, node, layout)
        nobody = replace(tag, node="")
        one, two = (node,), (node, node)
        self._first = SumsUnit(node, one, node, layout, (form.first,), nobody)
        self._second = SumsUnit(node, one, node, layout, (form.second,), nobody)
        self._excess = SumsUnit(node, two, node, layout, (form.excess,), nobody)
        self._both = SumsUnit(node, two, node, layout, (form.both,), tag)

    @property
    def _units(self) -> tuple[SumsUnit, ...]:
        return self._first, self._second, self._excess, self._both

    def prepare(self, sizes: Sizes) -> None:
        """Prepare all sums."""
        for unit in self._units:
            unit.prepare(sizes)
        self.weight_bytes = sum(unit.weight_bytes for unit in self._units)
        self.parameter_bytes = sum(unit.parameter_bytes for unit in self._units)
        self.instructions = sum(unit.instructions for unit in self._units)

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of the second codes and of what is added, of a row and of all rows."""
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
                f"a maximum in front of a window with a border of more than {_MARGIN} columns; "
                "use a smaller window, or the streaming architecture"
            )
        for y in range(tile.y0, tile.y1, rows):
            part = Tile(y, min(y + rows, tile.y1), tile.x0, tile.x1)
            second = self._like(output, base, part)
            excess = self._like(output, base + second.all_words, part)
            self._first.emit(emitter, TileWork(part, work.sources[:1], output))
            self._second.emit(emitter, TileWork(part, work.sources[1:], second))
            self._excess.emit(emitter, TileWork(part, [output, second], excess))
            self._both.emit(emitter, TileWork(part, [excess, second], output))
            emitter.forget("features", base, base + words)

    @staticmethod
    def _like(output: Buffer, base: int, part: Tile) -> Buffer:
        """Return a place for rows whose columns lie as those of the output do."""
        return replace(output, base=base, y0=part.y0, y1=part.y1)
