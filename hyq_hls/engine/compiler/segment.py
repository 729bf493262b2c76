"""A segment: units that are computed together, band of rows after band, without DRAM in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hyq_hls.engine.compiler.buffers import Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.held import Held, hold, plan_rows
from hyq_hls.engine.compiler.patches import PatchesUnit
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork, Unit
from hyq_hls.engine.layout import Place, TensorLayout
from hyq_hls.engine.machine_sizes import Sizes

#: Numbers of bands that are tried, the fewest first.
BANDS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)


@dataclass(frozen=True)
class _Box:
    """Words that a tensor takes: the first ones always, the others from one unit to another.

    Attributes:
        start: first word.
        always: how many are taken always.
        stop: word behind the last.
        born, dies: units with which the others come, and behind which they are free.
    """

    start: int
    always: int
    stop: int
    born: int
    dies: int

    def forbids(self, words: int, always: int, born: int, dies: int) -> Iterator[tuple[int, int]]:
        """Yield ranges in which another box must not begin, both ends not included.

        Args:
            words: words of the other box.
            always: how many of them it takes always.
            born: unit with which the others come.
            dies: unit behind which they are free.
        """
        if born <= self.dies and self.born <= dies:
            yield self.start - words, self.stop
            return
        if always:
            yield self.start - always, self.stop
        if self.always:
            yield self.start - words, self.start + self.always


@dataclass(eq=False)
class Segment:
    """A plan of a segment.

    Attributes:
        units: the units, in order.
        held: its tensors.
        bands: number of bands.
        rooms: for every unit first word and words of what is free beside its tensors.
        sizes: the machine.
    """

    units: Sequence[Unit]
    held: dict[str, Held]
    bands: int
    rooms: list[tuple[int, int]]
    sizes: Sizes

    @classmethod
    def plan(
        cls,
        units: Sequence[Unit],
        layouts: dict[str, TensorLayout],
        exported: set[str],
        sizes: Sizes,
    ) -> Segment | None:
        """Return the plan with the fewest bands, or None where none fits."""
        held = hold(units, layouts, exported)
        if held is None:
            return None
        tried = 0
        for most in BANDS:
            bands = plan_rows(units, held, most)
            if bands == tried:
                continue
            tried = bands
            rooms = _place(units, held, sizes)
            if rooms is not None:
                return cls(units, held, bands, rooms, sizes)
            if most >= held[units[-1].output].rows:
                return None
        return None

    def emit(self, emitter: Emitter, places: Mapping[str, Place]) -> None:
        """Emit all bands."""
        emitter.forget("features", 0, self.sizes.feature_words)
        for band in range(self.bands):
            for index, unit in enumerate(self.units):
                self._emit_unit(emitter, places, band, index, unit)

    def _emit_unit(
        self, emitter: Emitter, places: Mapping[str, Place], band: int, index: int, unit: Unit
    ) -> None:
        emitter.begin(unit.node)
        pixels = self.sizes.pixels
        for name in unit.inputs:
            tensor = self.held.get(name)
            if tensor is not None and tensor.producer is None and tensor.first == index:
                tensor.buffer(pixels, band).load(emitter, places[name], *tensor.new(band))
                _fill(emitter, tensor, band, pixels)
        output = self.held[unit.output]
        if output.virtual:
            self._fold(emitter, places, band, output)
        else:
            self._make(emitter, places, band, index)
            _fill(emitter, output, band, pixels)
        for tensor in self.held.values():
            if tensor.last == index and not tensor.virtual:
                self._end(emitter, tensor, band)

    def _fold(self, emitter: Emitter, places: Mapping[str, Place], band: int, output: Held) -> None:
        """Store the new rows of tokens into the map that they belong to."""
        unit, (start, stop) = self.units[output.first], output.made(band)
        assert isinstance(unit, PatchesUnit)
        if stop > start:
            source = self.held[unit.inputs[0]].buffer(self.sizes.pixels, band)
            unit.store(emitter, places[output.name], source, start, stop)
            if stop == output.rows:
                emitter.note_stored(output.name)

    def _make(self, emitter: Emitter, places: Mapping[str, Place], band: int, index: int) -> None:
        """Emit what brings the new rows of a tensor, and what stores them."""
        unit = self.units[index]
        output = self.held[unit.output]
        start, stop = output.made(band)
        if stop <= start:
            return
        pixels = self.sizes.pixels
        buffer = output.buffer(pixels, band)
        tile = Tile(start, stop, 0, output.layout.pixels)
        if isinstance(unit, TiledUnit):
            sources = [self.held[name].buffer(pixels, band) for name in unit.inputs]
            unit.emit(emitter, TileWork(tile, sources, buffer, self.rooms[index]))
        else:
            assert isinstance(unit, PatchesUnit)
            unit.load(emitter, places[unit.inputs[0]], buffer, start, stop)
        buffer.note(emitter, unit.output, tile)
        if output.exported:
            buffer.store(emitter, places[unit.output], unit.output, tile)
            if stop == output.rows:
                emitter.note_stored(unit.output)

    def _end(self, emitter: Emitter, tensor: Held, band: int) -> None:
        """Keep the rows that the next band needs, and forget the others."""
        buffer, kept = tensor.buffer(self.sizes.pixels, band), 0
        if band + 1 < self.bands:
            kept = max(0, tensor.high[band] - tensor.low[band + 1])
            down = tensor.low[band + 1] - tensor.low[band]
            if kept and down:
                buffer.move_rows(emitter, down, 0, kept, inside=tensor.border is None)
        for plane in range(tensor.layout.planes):
            start = buffer.base + plane * buffer.words
            emitter.forget("features", start + kept * buffer.row_words, start + buffer.words)


def _fill(emitter: Emitter, tensor: Held, band: int, pixels: int) -> None:
    if tensor.border is not None:
        tensor.buffer(pixels, band).fill(emitter, tensor.border, *tensor.new(band))


def _place(
    units: Sequence[Unit], held: dict[str, Held], sizes: Sizes
) -> list[tuple[int, int]] | None:
    """Give every tensor its words, the largest first; return what is free beside each unit.

    A tensor takes the first words that nobody else has at the same time. The rows that live from
    band to band lie at its begin, so that what is behind them is free while nobody needs it.
    """
    placed: list[_Box] = []
    boxes = []
    for tensor in held.values():
        if tensor.virtual:
            continue
        buffer = tensor.buffer(sizes.pixels)
        always = tensor.kept * buffer.row_words
        if tensor.layout.planes > 1 and always:
            always = buffer.all_words
        boxes.append((buffer.all_words, always, tensor))
    for words, always, tensor in sorted(boxes, key=lambda box: -box[0]):
        life = tensor.first, tensor.last
        start = 0
        for low, high in sorted(r for b in placed for r in b.forbids(words, always, *life)):
            if start <= low:
                break
            start = max(start, high)
        if start + words > sizes.feature_words:
            return None
        placed.append(_Box(start, always, start + words, *life))
        tensor.base = start
    rooms = []
    for index, unit in enumerate(units):
        least, most = unit.room(sizes.pixels, held[unit.output].step)
        start, words = _gap(placed, index, sizes.feature_words) if most else (0, 0)
        if words < least:
            return None
        rooms.append((start, min(words, most)))
    return rooms


def _gap(placed: Sequence[_Box], index: int, end: int) -> tuple[int, int]:
    """Return the largest part of the memory that is free while a unit runs."""
    taken = sorted(
        (b.start, b.stop if b.born <= index <= b.dies else b.start + b.always) for b in placed
    )
    best, reached = (0, 0), 0
    for start, stop in [*taken, (end, end)]:
        if start - reached > best[1]:
            best = reached, start - reached
        reached = max(reached, stop)
    return best
