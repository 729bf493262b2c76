"""Tiles fit the feature memory and cover an output; tensors in DRAM never share a byte."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.engine.compiler.storage import Scratch
from hyq_hls.engine.compiler.tiles import Input, Tile, tiles
from hyq_hls.engine.forms import Sliding
from hyq_hls.engine.isa import SCRATCH
from hyq_hls.engine.layout import Place, TensorLayout
from hyq_hls.errors import ConversionError

ROOM = 40


@pytest.mark.parametrize("pixels", [2, 4, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("padding", "channels"), [(0, 3), (1, 3), (1, 8)])
def test_every_tile_fits_and_every_pixel_has_one(
    pixels: int, stride: int, padding: int, channels: int
) -> None:
    sliding = Sliding((3, 3), (stride, stride), padding=(padding, padding))
    for columns in range(3, 100):
        layout = TensorLayout(columns % 7 + 3, columns, channels, 1, 0)
        place = Place(SCRATCH, 0, layout)

        def words(tile: Tile, place: Place = place) -> int:
            return Input(place, sliding, tile, pixels).words

        output = sliding.output(layout.rows, layout.pixels)
        count = np.zeros(output, np.int64)
        for tile in tiles(*output, pixels, words, ROOM):
            assert words(tile) <= ROOM
            count[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
        assert (count == 1).all()


def test_a_tile_that_cannot_fit_is_refused() -> None:
    with pytest.raises(ConversionError, match="2 pixels need 9 words of every bank of the"):
        list(tiles(1, 8, 2, lambda _: 9, 8))


@pytest.mark.parametrize("seed", range(5))
def test_living_tensors_lie_apart(seed: int) -> None:
    rng, scratch = np.random.default_rng(seed), Scratch()
    living: dict[int, int] = {}
    most = 0
    for _ in range(300):
        if living and rng.integers(2):
            start = int(rng.choice(list(living)))
            begin, end = scratch.give(start)
            assert begin == start
            assert end >= start + living.pop(start)
            continue
        size = int(rng.integers(1, 1000))
        start = scratch.take(size)
        assert start % 64 == 0
        assert all(start + size <= s or s + n <= start for s, n in living.items())
        living[start] = size
        most = max(most, start + size)
        assert scratch.size >= start + size
    assert 0 <= scratch.size - most < 64


def test_a_tensor_takes_the_first_gap_that_is_large_enough() -> None:
    scratch = Scratch()
    starts = [scratch.take(size) for size in (64, 128, 1, 200, 64)]
    assert starts == [0, 64, 192, 256, 512]
    for start in (192, 64, 256):
        scratch.give(start)
    assert [scratch.take(size) for size in (400, 449, 48)] == [64, 576, 1088]
