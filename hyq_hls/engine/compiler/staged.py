"""A sum behind a sum as instructions: what lies in between stays on the chip, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms import StagedSums
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Tag


class StagedUnit(TiledUnit):
    """Two sums, the codes between which are nobody else's."""

    def __init__(
        self, node: str, source: str, layout: TensorLayout, form: StagedSums, tag: Tag
    ) -> None:
        super().__init__(node, (source,), node, layout)
        between = replace(layout, planes=form.second.planes, qmin=0)
        nobody = replace(tag, node="")
        self._between = between
        self._first = SumsUnit(node, (source,), node, between, (form.first,), nobody)
        self._second = SumsUnit(node, (node,), node, layout, (form.second,), tag)

    def prepare(self, sizes: Sizes) -> None:
        """Prepare both sums."""
        both = self._first, self._second
        for unit in both:
            unit.prepare(sizes)
        self.weight_bytes = sum(unit.weight_bytes for unit in both)
        self.parameter_bytes = sum(unit.parameter_bytes for unit in both)
        self.instructions = sum(unit.instructions for unit in both)
        self.tables = self._first.tables

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of the codes in between, of one column and of all."""
        least = self._buffer(Tile(0, 1, 0, 1), pixels, step)
        most = self._buffer(Tile(0, self.layout.rows, 0, self.layout.pixels), pixels, step)
        return least.all_words, most.all_words

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the sums of a tile, in parts whose codes in between fit."""
        pixels, step, (base, words) = emitter.sizes.pixels, work.output.step, work.room
        for part in self._parts(work.tile, pixels, step, words):
            between = self._buffer(part, pixels, step, base)
            self._first.emit(emitter, TileWork(part, work.sources, between))
            self._second.emit(emitter, TileWork(part, [between], work.output))
            emitter.forget("features", between.base, between.base + between.all_words)

    def _buffer(self, part: Tile, pixels: int, step: int, base: int = 0) -> Buffer:
        return Buffer(self._between, base, part.y0, part.y1, part.x0, part.x1, pixels, step)

    def _parts(self, tile: Tile, pixels: int, step: int, words: int) -> Iterator[Tile]:
        """Yield parts of a tile: as many whole rows as fit, else as many columns of a row."""
        row = self._buffer(Tile(0, 1, tile.x0, tile.x1), pixels, step).all_words
        height, width = max(1, words // row), tile.pixels
        if words < row:
            group = self._buffer(Tile(0, 1, 0, 1), pixels, step).all_words
            width = words // group * pixels * step
        for y in range(tile.y0, tile.y1, height):
            for x in range(tile.x0, tile.x1, width):
                yield Tile(y, min(y + height, tile.y1), x, min(x + width, tile.x1))
