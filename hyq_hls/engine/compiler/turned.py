"""Tokens whose channels become pixels, as instructions: pixels become weights, which meet ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Buffer
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.layout import TensorLayout, ceil_div, empty_records
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag

#: Channels that become pixels at a time; they end with a word, and with a word of weights.
_CHANNELS = 48
#: Pixels that become channels at a time.
_PIXELS = 128


class TurnedUnit(TiledUnit):
    """A tensor whose pixels and channels change places, row by row."""

    def __init__(
        self, node: str, source: str, before: TensorLayout, layout: TensorLayout, tag: Tag
    ) -> None:
        super().__init__(node, (source,), node, layout)
        self.before, self.tag = before, tag

    @property
    def keeps_columns(self) -> bool:
        """Columns of the output are channels of the input."""
        return False

    def prepare(self, sizes: Sizes) -> None:
        """Count what a tile takes; whatever it needs fits every machine."""
        del sizes
        parts = ceil_div(self.layout.pixels, _CHANNELS) * ceil_div(self.before.pixels, _PIXELS)
        self.instructions = 2 * self.layout.rows * parts

    def columns_read(self, which: int, x0: int, x1: int) -> tuple[int, int]:
        """Return all columns of the input, which are channels of the output."""
        del which, x0, x1
        return 0, self.before.pixels

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of the ones."""
        del step
        words = self._ones(pixels, 0).all_words
        return words, words

    def _ones(self, pixels: int, base: int) -> Buffer:
        """Return the place of pixels, each of which has a one in a channel of its own."""
        layout = TensorLayout(1, _CHANNELS, _CHANNELS, 1, 0)
        return Buffer(layout, base, 0, 1, 0, _CHANNELS, pixels)

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the rows of a tile."""
        base, words = work.room
        ones, tile = self._ones(emitter.sizes.pixels, base), work.tile
        data = ones.layout.pack(np.eye(_CHANNELS, dtype=np.int64))
        emitter.emit(
            isa.LoadMap(
                base=isa.CONSTANTS,
                offset=emitter.constant(data.tobytes()),
                rows=1,
                pixels=_CHANNELS,
                words=ones.layout.words,
                pitch=ones.layout.pitch,
                view=ones.at(0, 0),
            )
        )
        for y in range(tile.y0, tile.y1):
            for x in range(tile.x0, tile.x1, _CHANNELS):
                for first in range(0, self.before.pixels, _PIXELS):
                    channels = min(_CHANNELS, tile.x1 - x)
                    self._emit(emitter, work, ones.at(0, 0), (y, x, channels, first))
        emitter.free_weight_room()
        emitter.forget("features", base, base + words)

    def _emit(
        self, emitter: Emitter, work: TileWork, ones: isa.View, part: tuple[int, int, int, int]
    ) -> None:
        """Emit some channels of some pixels: which row, first channel, how many, first pixel."""
        (source,), (y, x, channels, first) = work.sources, part
        tokens = min(_PIXELS, self.before.pixels - first)
        lanes = min(_PIXELS, WORD * self.layout.words - first)
        groups, steps = ceil_div(lanes, OUTPUTS), ceil_div(channels, INPUTS)
        weights = emitter.weight_room(groups * steps)
        emitter.forget("weights", weights, weights + groups * steps)
        emitter.emit(
            isa.Move(
                kind=isa.KEYS,
                src=replace(source.at(y, first), row=0),
                tokens=tokens,
                channels=channels,
                c0=x,
                param=emitter.parameters(_nothing(channels)),
                weights=weights,
            )
        )
        target = work.output.at(y, x)
        emitter.emit(
            isa.Array(
                src=ones,
                dst=replace(target, base=target.base + first // WORD, row=0),
                rows=1,
                pixels=channels,
                groups=groups,
                channels=lanes,
                bits=8,
                steps=steps,
                weights=weights,
                weight_group=steps,
                param=emitter.parameters(_nothing(OUTPUTS * groups)),
            ),
            replace(
                self.tag,
                index=(slice(y, y + 1), slice(x, x + channels), slice(first, first + tokens)),
                lanes=(0, tokens),
            ),
        )


def _nothing(channels: int) -> bytes:
    """Return channel records that change nothing."""
    return empty_records(ceil_div(channels, OUTPUTS) * OUTPUTS).tobytes()
