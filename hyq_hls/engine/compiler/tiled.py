"""A unit by itself: its inputs come from DRAM and its output goes there, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hyq_hls.engine.compiler.buffers import Buffer, Tile, window_buffer
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.moves import MovesUnit
from hyq_hls.engine.compiler.patches import PatchesUnit
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork, Unit
from hyq_hls.engine.layout import Place, ceil_div
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.errors import ConversionError


def emit_tiled(emitter: Emitter, unit: Unit, sources: Sequence[Place], output: Place) -> None:
    """Emit the tiles of a unit.

    Raises:
        ConversionError: the smallest tile does not fit.
    """
    sizes = emitter.sizes
    emitter.begin(unit.node)
    if isinstance(unit, PatchesUnit):
        unit.emit_in_dram(emitter, sources[0], output)
        emitter.note_stored(unit.output)
        return
    if isinstance(unit, MovesUnit):
        unit.emit_in_dram(emitter, sources, output)
        emitter.note_stored(unit.output)
        return
    assert isinstance(unit, TiledUnit)
    for tile in _tiles(unit, sources, sizes):
        emitter.forget("features", 0, sizes.feature_words)
        *buffers, result = _buffers(unit, sources, tile, sizes)
        for which, (place, buffer) in enumerate(zip(sources, buffers, strict=True)):
            buffer.load(emitter, place, buffer.y0, buffer.y1)
            border = unit.border(which)
            if border is not None:
                buffer.fill(emitter, border, buffer.y0, buffer.y1)
        start = result.base + result.all_words
        most = unit.room(sizes.pixels, 1)[1]
        room = start, min(most, sizes.feature_words - start)
        unit.emit(emitter, TileWork(tile, buffers, result, room))
        result.store(emitter, output, unit.output, tile)
    emitter.note_stored(unit.output)


def _buffers(unit: Unit, sources: Sequence[Place], tile: Tile, sizes: Sizes) -> list[Buffer]:
    """Return the buffers of inputs and output, one behind the other."""
    found, base = [], 0
    for which, place in enumerate(sources):
        # A token looks at all others, of which there may be more than there are results.
        columns = (0, place.layout.pixels)
        if not unit.whole_rows:
            columns = unit.columns_read(which, tile.x0, tile.x1)
        read = Tile(*unit.rows_read(which, tile.y0, tile.y1), *columns)
        step = unit.sliding(which).stride[1]
        found.append(window_buffer(place.layout, read, step, sizes.pixels, base))
        base += found[-1].all_words
    layout = unit.layout
    found.append(
        Buffer(layout, base, tile.y0, tile.y1, tile.x0, tile.x1, sizes.pixels, unit.output_step)
    )
    return found


def _tiles(unit: Unit, sources: Sequence[Place], sizes: Sizes) -> Iterator[Tile]:
    """Yield the tiles of an output in order: as many whole rows as fit, else parts of a row."""
    rows, pixels, room = unit.layout.rows, unit.layout.pixels, sizes.feature_words

    def needed(height: int, width: int) -> int:
        # A tile inside of a row may load a column more than one at its begin.
        inside = width << 8 if width < pixels else 0
        tiles = (Tile(0, height, x, x + width) for x in (0, inside))
        buffers = (_buffers(unit, sources, tile, sizes)[-1] for tile in tiles)
        return max(b.base + b.all_words for b in buffers) + unit.room(sizes.pixels, 1)[0]

    height, width = rows, pixels
    while height > 1 and needed(height, width) > room:
        height = ceil_div(height, 2)
    while needed(height, width) > room:
        if width <= sizes.pixels or unit.whole_rows:
            raise ConversionError(
                f"{width if unit.whole_rows else sizes.pixels} pixels need "
                f"{needed(height, width)} words of every bank of the feature memory, which has "
                f"{room}; take an engine with a larger one, or a smaller image"
            )
        width = ceil_div(ceil_div(width, 2), sizes.pixels) * sizes.pixels
    for y in range(0, rows, height):
        for x in range(0, pixels, width):
            yield Tile(y, min(y + height, rows), x, min(x + width, pixels))
