"""Positions that go to other places as instructions: from DRAM to DRAM, rectangle by rectangle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.compiler.unit import TileWork, Unit
from hyq_hls.engine.forms import Moves
from hyq_hls.engine.layout import BEAT, Place, TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes


@dataclass(frozen=True)
class _Block:
    """Rows of neighbouring positions that lie equally far apart in DRAM, in both tensors.

    Attributes:
        rows: number of rows.
        pixels: positions of a row.
        source, target: bytes of the first position, behind the begin of a plane.
        read, written: bytes from row to row.
    """

    rows: int
    pixels: int
    source: int
    target: int
    read: int
    written: int


class MovesUnit(Unit):
    """Positions that go to other places; its inputs and its output lie in DRAM."""

    def __init__(
        self, node: str, inputs: tuple[str, ...], layout: TensorLayout, form: Moves
    ) -> None:
        super().__init__(node, inputs, node, layout)
        self.form = form
        self._sums: list[SumsUnit | None] = []

    @property
    def keeps_columns(self) -> bool:
        """Columns go to other places."""
        return False

    def prepare(self, sizes: Sizes) -> None:
        """Prepare what is computed on the way."""
        nobody = Tag("", (), (0, 0))
        self._sums = []
        for part in self.form.parts:
            unit = None
            if part.sums is not None:
                source, own = self.inputs[:1], (part.sums,)
                unit = SumsUnit(self.node, source, self.node, self.layout, own, nobody)
                unit.prepare(sizes)
            self._sums.append(unit)

    def emit_in_dram(self, emitter: Emitter, sources: Sequence[Place], output: Place) -> None:
        """Emit loads and stores, and what is computed in between."""
        inputs = list(sources)
        for part, unit in zip(self.form.parts, self._sums, strict=True):
            source = inputs[-1] if part.which is None else inputs[part.which]
            bytes_ = source.layout.planes + (output.layout.planes if unit is not None else 0)
            group = bytes_ * output.layout.words
            most = emitter.sizes.feature_words // group * emitter.sizes.pixels
            if most < 1:
                raise ConversionError(
                    f"{emitter.sizes.pixels} positions need {group} words of every bank of the "
                    f"feature memory, which has {emitter.sizes.feature_words}; take an engine "
                    "with a larger one"
                )
            for block in _blocks(part.source, part.target, source.layout, output.layout, most):
                self._emit(emitter, unit, (source, output), block, most)

    def _emit(
        self,
        emitter: Emitter,
        unit: SumsUnit | None,
        places: tuple[Place, Place],
        block: _Block,
        most: int,
    ) -> None:
        """Emit a block, as many rows at a time as fit."""
        pixels = emitter.sizes.pixels
        rows = max(1, most // (ceil_div(block.pixels, pixels) * pixels))
        for start in range(0, block.rows, rows):
            count = min(rows, block.rows - start)
            emitter.forget("features", 0, emitter.sizes.feature_words)
            before, behind = (
                replace(place.layout, rows=count, pixels=block.pixels) for place in places
            )
            tile = Tile(0, count, 0, block.pixels)
            read = Buffer(before, 0, 0, count, 0, block.pixels, pixels)
            written = read
            if unit is not None:
                written = Buffer(behind, read.all_words, 0, count, 0, block.pixels, pixels)
            for fields in _transfers(places[0], read, block.source + start * block.read):
                emitter.emit(isa.LoadMap(pitch=block.read, **fields))
            if unit is not None:
                unit.emit(emitter, TileWork(tile, [read], written))
            for fields in _transfers(places[1], written, block.target + start * block.written):
                tag = Tag(self.output, (), (0, 0))
                emitter.emit(isa.Store(pitch=block.written, **fields), tag)


def _transfers(place: Place, buffer: Buffer, offset: int) -> Iterator[dict[str, Any]]:
    """Yield the fields of the transfer of every byte of the codes."""
    layout = buffer.layout
    for plane in range(layout.planes):
        yield {
            "base": place.base,
            "offset": place.at(plane, 0, 0) + offset,
            "rows": layout.rows,
            "pixels": layout.pixels,
            "words": layout.words,
            "view": buffer.at(0, 0, plane),
        }


def _blocks(
    source: Codes, target: Codes, before: TensorLayout, behind: TensorLayout, most: int
) -> Iterator[_Block]:
    """Yield blocks of positions, the largest that lie regularly.

    Raises:
        ConversionError: a block begins inside of a beat.
    """
    runs = list(_runs(source, target, before, behind, most))
    while runs:
        pixels, first, goal = runs[0]
        count, steps = 1, (0, 0)
        while count < len(runs):
            length, begin, end = runs[count]
            step = begin - runs[count - 1][1], end - runs[count - 1][2]
            if length != pixels or min(step) < 0 or (count > 1 and step != steps):
                break
            count, steps = count + 1, step
        if any(offset % BEAT for offset in (first, goal, *steps)):
            raise ConversionError(
                f"positions of {before.channels} channels begin inside of the {BEAT} bytes of a "
                "beat; use more than four channels, or an even number of positions"
            )
        yield _Block(count, pixels, first, goal, *steps)
        runs = runs[count:]


def _runs(
    source: Codes, target: Codes, before: TensorLayout, behind: TensorLayout, most: int
) -> Iterator[tuple[int, int, int]]:
    """Yield length, and first bytes in both tensors, of positions that are neighbours in both."""
    apart = (np.diff(source) != 1) | (np.diff(target) != 1)
    apart |= source[1:] % before.pixels == 0
    apart |= target[1:] % behind.pixels == 0
    ends = [0, *(np.flatnonzero(apart) + 1).tolist(), source.size]
    for start, stop in pairwise(ends):
        for first in range(start, stop, most):
            begin, goal = int(source[first]), int(target[first])
            yield min(most, stop - first), _offset(before, begin), _offset(behind, goal)


def _offset(layout: TensorLayout, position: int) -> int:
    return Place(0, 0, layout).at(0, *divmod(position, layout.pixels))
