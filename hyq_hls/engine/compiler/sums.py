"""Sums of codes and constants as instructions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms import OutputStage, Region, Sliding, Sums
from hyq_hls.engine.forms.sums import byte_planes
from hyq_hls.engine.layout import (
    TensorLayout,
    ceil_div,
    records,
    table_bytes,
    weight_bytes,
    weight_words,
)
from hyq_hls.engine.machine_sizes import INPUTS, MAX_WORDS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes

#: Largest shift of an output stage without multiplier.
MAX_SHIFT = 24
#: The region of a sum that makes all of its output.
_EVERYWHERE = Region(0, MAX_WORDS, 0, MAX_WORDS)


@dataclass(frozen=True, eq=False)
class Part:
    """One sum of a node with what every tile of it needs.

    Attributes:
        sums: the sum.
        first: lane of its first channel.
        lanes: channels that are written, those behind the last included.
        words: weight words (groups, words of a group, 48); of a group one with ``hold``.
        params: records (groups * 16,).
        hold: whether all steps have the same weights.
        repeat: whether all passes have the same weights.
        shared: whether all groups have the same weights, which ``words`` has once.
    """

    sums: Sums
    first: int
    lanes: int
    words: NDArray[np.int64]
    params: NDArray[np.void]
    hold: bool
    repeat: bool
    shared: bool


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Groups of a part, whose weights lie in the memory at a time.

    Attributes:
        part: the part.
        start, stop: first group, and the one behind the last.
        weights: bytes of its weights.
        params: bytes of its records.
    """

    part: Part
    start: int
    stop: int
    weights: bytes
    params: bytes


class SumsUnit(TiledUnit):
    """A node of sums, with the table behind it."""

    def __init__(
        self,
        node: str,
        inputs: Sequence[str],
        output: str,
        layout: TensorLayout,
        parts: Sequence[Sums],
        tag: Tag,
    ) -> None:
        super().__init__(node, tuple(inputs), output, layout)
        self.parts, self.tag = parts, tag
        self._chunks: list[_Chunk] = []

    def prepare(self, sizes: Sizes) -> None:
        """Split the weights into chunks that fit.

        Raises:
            ConversionError: they do not fit, or the output stage cannot do this.
        """
        for sums in self.parts:
            check_stage(sums.stage, sizes)
        prepared = [part_of(sums, *self._lanes(sums)) for sums in self.parts]
        self._chunks = [chunk for part in prepared for chunk in _chunks(part, sizes)]
        self.weight_bytes = sum(len(chunk.weights) for chunk in self._chunks)
        self.parameter_bytes = sum(len(chunk.params) for chunk in self._chunks)
        self.instructions = len(self._chunks) * self.layout.planes
        table = self.parts[0].stage.table
        if table is not None:
            planes = byte_planes(table, self.layout.planes)
            self.tables = tuple(table_bytes(plane, "u1") for plane in planes)

    def _lanes(self, sums: Sums) -> tuple[int, int]:
        """Return the lane of a part's first channel, and how many lanes it writes."""
        end = sums.channel + sums.stage.channels
        # The last part also writes what lies behind the channels, so that a store finds it written.
        if end == self.layout.channels:
            end = WORD * self.layout.words
        return sums.channel % WORD, end - sums.channel

    def sliding(self, which: int) -> Sliding:
        """Return the window of an input."""
        return next(s.sliding for s in self.parts if which in s.reads)

    def border(self, which: int) -> Codes | None:
        """Return the codes around an input, or None where no window leaves it."""
        sums = next(s for s in self.parts if which in s.reads)
        return sums.border if max(sums.sliding.padding) > 0 else None

    @property
    def twins(self) -> bool:
        """Whether one instruction reads several inputs, which must lie alike."""
        return any(len(s.reads) > 1 for s in self.parts)

    @property
    def keeps_columns(self) -> bool:
        """Whether column x of the output needs column x of the inputs alone."""
        return all(s.sliding == Sliding() for s in self.parts)

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the sums of a tile."""
        for chunk in self._chunks:
            region = chunk.part.sums.region or _EVERYWHERE
            tile = _inside(work.tile, region)
            if min(tile.rows, tile.pixels) < 1:
                continue
            # What a region spreads over every other column lies in one plane.
            planes = [(tile.x0, tile.pixels)]
            if region.step == 1:
                planes = list(work.output.columns(tile.x0, tile.x1))
            for plane in range(self.layout.planes):
                for x, pixels in planes:
                    columns = _Columns(tile, x, pixels, region)
                    self._emit(emitter, chunk, plane, columns, work.sources, work.output)

    def _emit(
        self,
        emitter: Emitter,
        chunk: _Chunk,
        plane: int,
        columns: _Columns,
        sources: Sequence[Buffer],
        output: Buffer,
    ) -> None:
        part, sums = chunk.part, chunk.part.sums
        read = [sources[i] for i in sums.reads]
        passes, channels = sums.weight.shape[0], sums.weight.shape[4]
        first = part.first if chunk.start == 0 else 0
        begin = OUTPUTS * chunk.start + first  # among the lanes of the part
        end = min(part.first + part.lanes, OUTPUTS * chunk.stop)
        word = sums.channel // WORD + OUTPUTS // WORD * chunk.start
        channel = sums.channel + begin - part.first
        count = min(end - begin, sums.channel + sums.stage.channels - channel)
        views = [columns.source(buffer, sums.sliding) for buffer in read]
        pass_stride = read[0].words if sums.planes > 1 else 0
        if sums.summand is not None:
            # The codes meet the last pass alone, and the first byte of the summand the first.
            pass_stride = read[1].words
            views[0] = stepped_back(views[0], (passes - 1) * pass_stride)
        dst = columns.target(output, plane)
        emitter.emit(
            isa.Array(
                src=views[0],
                dst=replace(dst, base=dst.base + word),
                rows=columns.tile.rows,
                pixels=columns.pixels,
                groups=chunk.stop - chunk.start,
                channels=end - begin,
                bits=sums.stage.bits,
                steps=1 if sums.depthwise else ceil_div(channels, INPUTS),
                passes=passes,
                pass_stride=pass_stride,
                **_taps(sums, read[0], views),
                c0=sums.source_channel + (OUTPUTS * chunk.start if sums.depthwise else 0),
                depthwise=int(sums.depthwise),
                hold=int(part.hold),
                repeat=int(part.repeat),
                table=int(bool(self.tables)),
                # Every byte of a wide code has a table of its own.
                bank=emitter.table(self.tables[plane]) if self.tables else 0,
                high=int(not self.tables and plane < self.layout.planes - 1),
                digits=int(passes > 1),
                weights=emitter.weights(chunk.weights),
                weight_group=0 if part.shared else part.words.shape[1],
                param=emitter.parameters(chunk.params),
                first=first,
            ),
            replace(
                self.tag,
                index=(*columns.index(output.step), slice(channel, channel + count)),
                lanes=(0, count),
                byte=self.layout.planes - 1 - plane if self.tables else 0,
            )
            if count > 0
            else None,
        )


@dataclass(frozen=True)
class _Columns:
    """Columns of a tile that lie in one plane.

    Attributes:
        tile: the tile.
        x: the first of them.
        pixels: their number.
        region: the region, whose positions these are.
    """

    tile: Tile
    x: int
    pixels: int
    region: Region

    def target(self, buffer: Buffer, plane: int) -> isa.View:
        """Return the view of the results."""
        step = self.region.step
        y, x = step * self.tile.y0 + self.region.y, step * self.x + self.region.x
        return buffer.at(y, x, plane, down=step)

    def source(self, buffer: Buffer, sliding: Sliding) -> isa.View:
        """Return the view of the first tap."""
        (down, right), (above, left) = sliding.stride, sliding.padding
        return buffer.at(self.tile.y0 * down - above, self.x * right - left, down=down)

    def index(self, step: int) -> tuple[slice, slice]:
        """Return rows and columns of the codes, of which every ``step``-th lies in the plane."""
        x = self.region.step * self.x + self.region.x
        rows = self.region.of(self.region.y, self.tile.y0, self.tile.y1)
        return rows, slice(x, x + (self.pixels - 1) * step + 1, step)


def _inside(tile: Tile, region: Region) -> Tile:
    """Return the positions of a region that lie in a tile, perhaps none."""
    y0, y1 = (ceil_div(line - region.y, region.step) for line in (tile.y0, tile.y1))
    x0, x1 = (ceil_div(line - region.x, region.step) for line in (tile.x0, tile.x1))
    return Tile(max(y0, region.y0), min(y1, region.y1), max(x0, region.x0), min(x1, region.x1))


def stepped_back(view: isa.View, words: int) -> isa.View:
    """Return a view that begins some words earlier."""
    return replace(view, base=(view.base - words) & 0xFFFF)


def needs_multiplier(stage: OutputStage) -> bool:
    """Return whether an output stage without multiplier cannot compute a stage."""
    return bool(stage.multiplier.max() > 1 or stage.shift.max() > MAX_SHIFT)


def check_stage(stage: OutputStage, sizes: Sizes) -> None:
    """Raise ``ConversionError`` where an engine without multipliers would need one."""
    if needs_multiplier(stage) and not sizes.multiplier:
        raise ConversionError(
            f"requantization by multipliers up to {stage.multiplier.max()} and shifts up to "
            f"{stage.shift.max()}; this engine has no multiplier there and shifts by {MAX_SHIFT}; "
            "take an engine with multiplier=True, or scales that are powers of two"
        )


def part_of(sums: Sums, first: int, lanes: int) -> Part:
    """Return a sum with its weights and records.

    Args:
        sums: the sum.
        first: lane of its first channel.
        lanes: lanes that are written from there on.
    """
    words = weight_words(sums, first)
    repeat = sums.planes > 1
    if repeat:
        words = words[:, : words.shape[1] // sums.planes]
    hold = words.shape[1] > 1 and bool((words == words[:, :1]).all())
    if hold:
        words = words[:, :1]
    params = records(sums.stage, first, lanes)
    missing = params.size // OUTPUTS - len(words)
    words = np.concatenate([words, np.zeros((missing, *words.shape[1:]), np.int64)])
    # Several regions have as many weights as there are, which would fill the memory.
    shared = sums.region is not None and bool((words == words[:1]).all())
    return Part(sums, first, lanes, words[:1] if shared else words, params, hold, repeat, shared)


def _chunks(part: Part, sizes: Sizes) -> Iterator[_Chunk]:
    size = part.words.shape[1]
    most = sizes.parameter_groups
    if not part.shared or size > sizes.weight_words:
        most = min(sizes.weight_words // size, most)
    if most < 1:
        raise ConversionError(
            f"the weights of {OUTPUTS} channels take {size} words; the engine has "
            f"{sizes.weight_words}; take an engine with larger memories"
        )
    total = part.params.size // OUTPUTS
    for start in range(0, total, most):
        stop = min(start + most, total)
        weights = weight_bytes(part.words if part.shared else part.words[start:stop])
        params = part.params[start * OUTPUTS : stop * OUTPUTS].tobytes()
        yield _Chunk(part, start, stop, weights, params)


def _taps(sums: Sums, source: Buffer, views: Sequence[isa.View]) -> dict[str, Any]:
    """Return the fields that lead from tap to tap, or from input to input."""
    (ky, kx), stride = sums.sliding.kernel, sums.sliding.stride[1]
    down, right = sums.sliding.dilation
    fields: dict[str, Any] = {}
    if len(views) > 1:
        apart = (views[1].base - views[0].base) & 0xFFFF
        fields.update(kernel_y=len(views), ky_stride=apart)
    elif ky > 1:
        fields.update(kernel_y=ky, ky_stride=down * source.row_words)
    if kx > 1:
        fields.update(
            kernel_x=kx,
            kx_shift=right // stride,
            kx_plane=right % stride,
            kx_words=right % stride * source.plane_words,
            planes=stride,
            wrap_words=source.row_words,
        )
    return fields
