"""Products of two tensors as instructions: a position of the second one becomes weights.

A weight that meets any code of a byte lies between -128 and 128, and a factor ``b - zero`` may lie
outside. All three weights of a depthwise sum meet the same code, so that their sum is the factor:
the first is ``b - 128``, the others are constants. Where the first input has a zero point, a second
tap subtracts it: its weights sum up to ``zero - b``, and meet constant codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import check_stage
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms.multiply import Products
from hyq_hls.engine.forms.sums import LARGEST_CODE
from hyq_hls.engine.layout import TensorLayout, ceil_div, records, value_records
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.graph.operation import Codes

#: What a code that becomes a weight is reduced by.
_MIDDLE = 128
#: Groups of channels that are computed at a time.
_GROUPS = 16


class ProductsUnit(TiledUnit):
    """Products of two tensors."""

    def __init__(
        self,
        node: str,
        inputs: tuple[str, ...],
        layout: TensorLayout,
        factors: TensorLayout,
        form: Products,
        tag: Tag,
    ) -> None:
        super().__init__(node, inputs, node, layout)
        self.form, self.factors, self.tag = form, factors, tag

    @property
    def taps(self) -> int:
        """Weights of a channel that become one: a second tap subtracts a zero point."""
        return 2 if self.form.zeros[0].any() else 1

    @property
    def keeps_columns(self) -> bool:
        """Columns of the second input are others."""
        return False

    def prepare(self, sizes: Sizes) -> None:
        """Check that the output stage can do this."""
        check_stage(self.form.stage, sizes)
        groups = ceil_div(self.layout.channels, OUTPUTS)
        self.weight_bytes = self.taps * groups * OUTPUTS * INPUTS
        self.parameter_bytes = records(self.form.stage).nbytes
        self.instructions = 4 * self.factors.rows * self.factors.pixels

    def rows_read(self, which: int, y0: int, y1: int) -> tuple[int, int]:
        """Return the rows of an input that rows of the output need."""
        if which == 0:
            return y0, y1
        first = y0 * self.layout.pixels // self.form.run
        last = ceil_div(y1 * self.layout.pixels, self.form.run)
        # Rows that begin inside of a run need one run more.
        begun = self.layout.pixels < self.form.run < self.layout.pixels * self.layout.rows
        return first // self.factors.pixels, ceil_div(last, self.factors.pixels) + begun

    def columns_read(self, which: int, x0: int, x1: int) -> tuple[int, int]:
        """Return the columns of an input that columns of the output need."""
        return (x0, x1) if which == 0 else (0, self.factors.pixels)

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of what becomes weights, and of zero points for P or a row of pixels."""
        del step
        words = self._copies(pixels, 0).all_words
        if self.taps == 1:
            return words, words
        row = ceil_div(self.layout.pixels, pixels) + 1
        return words + 2 * self.layout.words, words + row * self.layout.words

    def _copies(self, pixels: int, base: int) -> Buffer:
        """Return the place of what becomes weights, three positions for each tap."""
        count = INPUTS * self.taps
        layout = replace(self.layout, rows=1, pixels=count, planes=1)
        return Buffer(layout, base, 0, 1, 0, count, pixels)

    def _zeros(self, pixels: int, base: int, words: int) -> Buffer:
        """Return the place of the zero points that a tap reads."""
        count = words // self.layout.words * pixels
        layout = replace(self.layout, rows=1, pixels=count, planes=1)
        return Buffer(layout, base, 0, 1, 0, count, pixels)

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the products of a tile."""
        pixels, (base, words) = emitter.sizes.pixels, work.room
        copies = self._copies(pixels, base)
        zeros = self._zeros(pixels, base + copies.all_words, words - copies.all_words)
        for position, codes in self._constants():
            copies.fill_region(emitter, codes, Tile(0, 1, position, position + 1))
        if self.taps == 2:
            zeros.fill_region(emitter, self.form.zeros[0], Tile(0, 1, 0, zeros.x1))
        for part in _parts(work.tile, self.form.run, self.layout.pixels):
            which = (part.y0 * self.layout.pixels + part.x0) // self.form.run
            self._copy(emitter, work.sources[1].at(*divmod(which, self.factors.pixels)), copies)
            for start in range(0, ceil_div(WORD * self.layout.words, OUTPUTS), _GROUPS):
                chunk = self._chunk(start)
                at = self._move(emitter, copies, chunk)
                if self.taps == 1:
                    self._emit(emitter, work, part, chunk, at)
                    continue
                for line in _lines(part, zeros.x1 - pixels + 1):
                    self._emit(emitter, work, line, chunk, at, zeros)
        emitter.free_weight_room()
        emitter.forget("features", base, base + words)

    def _constants(self) -> Iterator[tuple[int, Codes]]:
        """Yield positions and codes of what becomes the other weights."""
        rests = [_MIDDLE - self.form.zeros[1], self.form.zeros[1] - _MIDDLE + 1]
        for tap, rest in enumerate(rests[: self.taps]):
            most = np.minimum(rest, LARGEST_CODE - _MIDDLE)
            for k, weight in enumerate((most, rest - most), 1):
                yield INPUTS * tap + k, weight + _MIDDLE

    def _copy(self, emitter: Emitter, source: isa.View, copies: Buffer) -> None:
        """Emit what brings a position ``b`` beside the constants, and ``255 - b`` as well."""
        channels, lanes = self.layout.channels, WORD * self.layout.words
        groups = ceil_div(lanes, OUTPUTS)
        for tap, (factor, bias) in enumerate(((1, 0), (-1, LARGEST_CODE))[: self.taps]):
            weight = np.zeros((groups * OUTPUTS, INPUTS), np.int8)
            weight[:channels, 0] = factor
            weights = emitter.weights(weight.tobytes())
            param = emitter.parameters(value_records(np.full(channels, bias), "bias").tobytes())
            emitter.emit(
                isa.Array(
                    src=replace(source, row=0),
                    dst=copies.at(0, INPUTS * tap),
                    rows=1,
                    pixels=1,
                    groups=groups,
                    channels=lanes,
                    bits=8,
                    depthwise=int(not self.form.single),
                    weights=weights,
                    weight_group=1,
                    param=param,
                )
            )

    def _chunk(self, start: int) -> Tile:
        """Return the channels of some groups, as lanes that are written and that count."""
        lanes, channels = WORD * self.layout.words, self.layout.channels
        stop = min(OUTPUTS * (start + _GROUPS), lanes)
        return Tile(OUTPUTS * start, stop, OUTPUTS * start, min(stop, channels))

    def _move(self, emitter: Emitter, copies: Buffer, chunk: Tile) -> int:
        """Emit what makes weights of some channels; return the first word of these."""
        words = self.taps * ceil_div(chunk.rows, OUTPUTS)
        start = emitter.weight_room(words)
        emitter.forget("weights", start, start + words)
        middle = np.full(OUTPUTS * _GROUPS, _MIDDLE)
        emitter.emit(
            isa.Move(
                kind=isa.VALUES,
                src=replace(copies.at(0, 0), row=0),
                tokens=INPUTS * self.taps,
                channels=chunk.pixels,
                c0=chunk.x0,
                param=emitter.parameters(value_records(middle, "bias").tobytes()),
                weights=start,
            )
        )
        return start

    def _emit(
        self,
        emitter: Emitter,
        work: TileWork,
        part: Tile,
        chunk: Tile,
        weights: int,
        zeros: Buffer | None = None,
    ) -> None:
        """Emit the products of some positions and channels."""
        source, target = (b.at(part.y0, part.x0) for b in (work.sources[0], work.output))
        apart, pixels = 0, emitter.sizes.pixels
        if zeros is not None:  # it begins in the same bank
            apart = zeros.base - source.x0 // pixels * self.layout.words - source.base
        channels, lanes = slice(chunk.x0, chunk.x1), slice(chunk.y0, chunk.y1)
        params = records(self.form.stage, 0, WORD * self.layout.words)
        groups = ceil_div(chunk.rows, OUTPUTS)
        for plane in range(self.layout.planes):
            param = emitter.parameters(params[chunk.y0 : chunk.y0 + OUTPUTS * groups].tobytes())
            emitter.emit(
                isa.Array(
                    src=source,
                    dst=replace(
                        target,
                        base=target.base + plane * work.output.words + lanes.start // WORD,
                    ),
                    rows=part.rows,
                    pixels=part.pixels,
                    groups=groups,
                    channels=chunk.rows,
                    bits=self.form.stage.bits,
                    c0=chunk.y0,
                    depthwise=1,
                    kernel_y=self.taps,
                    ky_stride=apart & 0xFFFF,
                    high=int(plane < self.layout.planes - 1),
                    weights=weights,
                    weight_group=self.taps,
                    param=param,
                ),
                replace(
                    self.tag,
                    index=(slice(part.y0, part.y1), slice(part.x0, part.x1), channels),
                    lanes=(0, chunk.pixels),
                ),
            )


def _parts(tile: Tile, run: int, pixels: int) -> Iterator[Tile]:
    """Yield the parts of a tile whose positions meet the same position of the second input."""
    high, wide = (run // pixels, pixels) if run % pixels == 0 else (1, run)
    for y0, y1 in _pieces(tile.y0, tile.y1, high):
        for x0, x1 in _pieces(tile.x0, tile.x1, wide):
            yield Tile(y0, y1, x0, x1)


def _lines(part: Tile, most: int) -> Iterator[Tile]:
    """Yield parts of single rows, of ``most`` positions or fewer."""
    for y in range(part.y0, part.y1):
        for x in range(part.x0, part.x1, most):
            yield Tile(y, y + 1, x, min(x + most, part.x1))


def _pieces(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a range between multiples of a size."""
    while start < stop:
        end = min((start // size + 1) * size, stop)
        yield start, end
        start = end
