"""Sums of codes and constants as instructions, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.tiles import Input, Tile, border_records, tiles
from hyq_hls.engine.forms import OutputStage, Sums
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import (
    Place,
    TensorLayout,
    ceil_div,
    records,
    table_bytes,
    weight_bytes,
    weight_words,
)
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError

#: Largest shift of an output stage without multiplier.
MAX_SHIFT = 24


@dataclass(frozen=True, eq=False)
class _Part:
    """One sum of a node with what every tile of it needs.

    Attributes:
        sums: the sum.
        places: the inputs in DRAM.
        first: lane of its first channel.
        lanes: channels that are written, those behind the last included.
        words: weight words (groups, words of a group, 48); of a group one with ``hold``.
        params: records (groups * 16,).
        hold: whether all steps have the same weights.
        repeat: whether all passes have the same weights.
    """

    sums: Sums
    places: tuple[Place, ...]
    first: int
    lanes: int
    words: NDArray[np.int64]
    params: NDArray[np.void]
    hold: bool
    repeat: bool

    @property
    def has_border(self) -> bool:
        return max(self.sums.sliding.padding) > 0

    def inputs(self, tile: Tile, pixels: int) -> list[Input]:
        return [Input(place, self.sums.sliding, tile, pixels) for place in self.places]

    def input_words(self, tile: Tile, pixels: int) -> int:
        return self.sums.planes * sum(i.words for i in self.inputs(tile, pixels))


@dataclass(frozen=True)
class _Chunk:
    """Groups of a part, whose weights lie in the memory at a time.

    Attributes:
        part: the part.
        start, stop: first group, and the one behind the last.
    """

    part: _Part
    start: int
    stop: int


def compile_sums(
    emitter: Emitter, parts: Sequence[Sums], places: Sequence[Place], output: Place, tag: Tag
) -> None:
    """Emit the sums of a node.

    Args:
        emitter: takes the instructions.
        parts: the sums; each writes channels of its own.
        places: the node's inputs in DRAM.
        output: the node's output in DRAM.
        tag: node and table of the codes; index and lanes are filled in.

    Raises:
        ConversionError: something does not fit the machine.
    """
    sizes, layout = emitter.sizes, output.layout
    for sums in parts:
        check_stage(sums.stage, sizes)
    prepared = [_prepare(sums, places, layout, last=sums is parts[-1]) for sums in parts]
    borders, next_group = [], sizes.parameter_groups
    for part in prepared:
        channels = part.places[0].layout.channels
        next_group -= ceil_div(channels, OUTPUTS) if part.has_border else 0
        borders.append(next_group)
    chunks = [c for part in prepared for c in _chunks(part, sizes, next_group)]
    for part, group in zip(prepared, borders, strict=True):
        if part.has_border:
            data = border_records(part.sums.border, part.places[0].layout.channels)
            emitter.load_block(isa.PARAMETERS, data, group)
    table = parts[0].stage.table
    if table is not None:
        emitter.load_block(isa.TABLES, table_bytes(table, "u1"))

    def words(tile: Tile) -> int:
        sources = sum(part.input_words(tile, sizes.pixels) for part in prepared)
        return sources + layout.planes * _output_words(tile, layout, sizes)

    loaded: _Chunk | None = None
    for tile in tiles(layout.rows, layout.pixels, sizes.pixels, words, sizes.feature_words):
        emitter.begin_tile()
        bases = [_load(emitter, part, tile, b) for part, b in zip(prepared, borders, strict=True)]
        start = emitter.reserve(layout.planes * _output_words(tile, layout, sizes))
        for chunk in chunks:
            if chunk is not loaded:
                _load_chunk(emitter, chunk)
                loaded = chunk
            base = bases[prepared.index(chunk.part)]
            for plane in range(layout.planes):
                dst = start + plane * _output_words(tile, layout, sizes)
                _emit(emitter, chunk, tile, base, dst, layout, plane, tag)
        store(emitter, output, tile, start)


def check_stage(stage: OutputStage, sizes: Sizes) -> None:
    """Raise ``ConversionError`` where an engine without multipliers would need one."""
    if sizes.multiplier:
        return
    if stage.multiplier.max() > 1 or stage.shift.max() > MAX_SHIFT:
        raise ConversionError(
            f"requantization by multipliers up to {stage.multiplier.max()} and shifts up to "
            f"{stage.shift.max()}; this engine has no multiplier there and shifts by {MAX_SHIFT}; "
            "take an engine with multiplier=True, or scales that are powers of two"
        )


def store(emitter: Emitter, output: Place, tile: Tile, start: int) -> None:
    """Emit the stores of a tile's byte planes, which lie one after the other from ``start`` on."""
    layout = output.layout
    view = output_view(tile, layout, emitter.sizes, start)
    for plane in range(layout.planes):
        offset = plane * _output_words(tile, layout, emitter.sizes)
        emitter.emit(
            isa.Store(
                base=output.base,
                offset=output.at(plane, tile.y0, tile.x0),
                rows=tile.rows,
                pixels=tile.pixels,
                words=layout.words,
                pitch=layout.pitch,
                view=replace(view, base=view.base + offset),
            )
        )


def output_view(tile: Tile, layout: TensorLayout, sizes: Sizes, start: int) -> View:
    """Return the view of a tile that lies row after row from ``start`` on."""
    row = ceil_div(tile.pixels, sizes.pixels) * layout.words
    return View(start, row, layout.words)


def _output_words(tile: Tile, layout: TensorLayout, sizes: Sizes) -> int:
    return tile.rows * ceil_div(tile.pixels, sizes.pixels) * layout.words


def _prepare(sums: Sums, places: Sequence[Place], layout: TensorLayout, last: bool) -> _Part:
    first = sums.channel % WORD
    # The last part also writes what lies behind the channels, so that a store finds it written.
    end = WORD * layout.words if last else sums.channel + sums.stage.channels
    lanes = end - sums.channel
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
    chosen = tuple(places[i] for i in sums.inputs)
    return _Part(sums, chosen, first, lanes, words, params, hold, repeat)


def _chunks(part: _Part, sizes: Sizes, groups: int) -> list[_Chunk]:
    size = part.words.shape[1]
    most = min(sizes.weight_words // size, groups)
    if most < 1:
        raise ConversionError(
            f"the weights of {OUTPUTS} channels take {size} words, and {groups} groups of channel "
            f"records are left; the engine has {sizes.weight_words} and needs one; take an engine "
            "with larger memories"
        )
    total = part.words.shape[0]
    return [_Chunk(part, g, min(g + most, total)) for g in range(0, total, most)]


def _load_chunk(emitter: Emitter, chunk: _Chunk) -> None:
    part, groups = chunk.part, slice(chunk.start, chunk.stop)
    emitter.forget("weights", 0, emitter.sizes.weight_words)
    emitter.load_block(isa.WEIGHTS, weight_bytes(part.words[groups]))
    lanes = slice(chunk.start * OUTPUTS, chunk.stop * OUTPUTS)
    emitter.load_block(isa.PARAMETERS, part.params[lanes].tobytes())


def _load(emitter: Emitter, part: _Part, tile: Tile, border: int) -> int:
    """Load the inputs of a tile; return the first word. Inputs and byte planes lie in a row."""
    inputs = part.inputs(tile, emitter.sizes.pixels)
    base = emitter.reserve(part.input_words(tile, emitter.sizes.pixels))
    start = base
    for source in inputs:
        for plane in range(part.sums.planes):
            source.load(emitter, start, plane, border)
            start += source.words
    return base


def _taps(sums: Sums, source: Input) -> dict[str, Any]:
    """Return the fields that lead from tap to tap, or from input to input."""
    (ky, kx), stride = sums.sliding.kernel, sums.sliding.stride[1]
    down, right = sums.sliding.dilation
    fields: dict[str, Any] = {}
    if len(sums.inputs) > 1:
        fields.update(kernel_y=len(sums.inputs), ky_stride=source.words)
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


def _emit(
    emitter: Emitter,
    chunk: _Chunk,
    tile: Tile,
    base: int,
    start: int,
    layout: TensorLayout,
    plane: int,
    tag: Tag,
) -> None:
    part, sums, sizes = chunk.part, chunk.part.sums, emitter.sizes
    source = part.inputs(tile, sizes.pixels)[0]
    passes, channels = sums.weight.shape[0], sums.weight.shape[4]
    first = part.first if chunk.start == 0 else 0
    begin = OUTPUTS * chunk.start + first  # among the lanes of the part
    end = min(part.first + part.lanes, OUTPUTS * chunk.stop)
    view = output_view(tile, layout, sizes, start)
    word = sums.channel // WORD + OUTPUTS // WORD * chunk.start
    channel = sums.channel + begin - part.first
    count = min(end - begin, sums.channel + sums.stage.channels - channel)
    emitter.emit(
        isa.Array(
            src=source.view(base),
            dst=replace(view, base=view.base + word),
            rows=tile.rows,
            pixels=tile.pixels,
            groups=chunk.stop - chunk.start,
            channels=end - begin,
            bits=sums.stage.bits,
            steps=1 if sums.depthwise else ceil_div(channels, INPUTS),
            passes=passes,
            pass_stride=source.words if sums.planes > 1 else 0,
            **_taps(sums, source),
            c0=sums.source_channel + (OUTPUTS * chunk.start if sums.depthwise else 0),
            depthwise=int(sums.depthwise),
            hold=int(part.hold),
            repeat=int(part.repeat),
            table=int(sums.stage.table is not None),
            high=int(plane < layout.planes - 1),
            digits=int(passes > 1),
            weight_group=part.words.shape[1],
            first=first,
        ),
        replace(
            tag,
            index=(
                slice(tile.y0, tile.y1),
                slice(tile.x0, tile.x1),
                slice(channel, channel + count),
            ),
            lanes=(0, count),
        )
        if count > 0
        else None,
    )
