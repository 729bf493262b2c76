"""hyq_engine_array: sums of random tiles, dense and depthwise, against numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.errors import SimulationError
from hyq_hls.tools.verilator import Simulator
from hyq_hls.tools.yosys import yosys_share
from tests.engine.rtl.bench import Ints, pack, simulator, unpack

pytestmark = pytest.mark.slow

OUTPUTS, INPUTS = 16, 3
#: Operands and weights of the forms: lowest and highest of each.
FORMS = {"u8": (0, 255, -128, 128), "u7": (0, 128, -255, 255), "s8": (-128, 127, -255, 255)}
#: What Verilator says about Yosys' models of the cells is not ours to mend.
CELL_MODELS = ("-Wno-lint", "-Wno-SPECIFYIGN", "-Wno-INITIALDLY", "-Wno-COMBDLY")


@dataclass(frozen=True)
class Tile:
    """Operands of a tile.

    Attributes:
        operands: of a dense tile (steps, pixels, 3), of a depthwise one (steps, 16, pixels + 2).
        weights: (steps, 16, 3).
        digit: step at which the next digit begins, or 0.
        bias: (16,) to be loaded, or None: those of the tile before stay.
        to_bias: whether the sums become the next biases.
    """

    dense: bool
    operands: Ints
    weights: Ints
    digit: int
    bias: Ints | None
    to_bias: bool

    def sums(self, bias: Ints) -> Ints:
        """Return the sums (pixels, 16) in 32 bits."""
        windows = self.operands[:, None]  # of a dense tile, the channels share them
        if not self.dense:
            windows = np.lib.stride_tricks.sliding_window_view(self.operands, INPUTS, axis=2)
        products = (windows * self.weights[:, :, None, :]).sum(axis=3)  # (steps, 16, pixels)
        sums = np.repeat(bias[:, None], products.shape[2], axis=1)
        for step, product in enumerate(products):
            sums = (sums << 8 if step and step == self.digit else sums) + product
            sums = ((sums + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
        return sums.T


def random_tile(rng: np.random.Generator, pixels: int, *, first: bool) -> Tile:
    dense = bool(rng.integers(3))
    low, high, weight_low, weight_high = FORMS[rng.choice(list(FORMS)) if dense else "u8"]
    steps = int(rng.integers(1, 9))
    shape = (steps, pixels, INPUTS) if dense else (steps, OUTPUTS, pixels + INPUTS - 1)
    weights = rng.integers(weight_low, weight_high + 1, (steps, OUTPUTS, INPUTS))
    operands = rng.integers(low, high + 1, shape)
    if rng.integers(4) == 0:
        operands, weights = rng.choice([low, high], shape), rng.choice(
            [weight_low, weight_high], weights.shape
        )
    load = first or bool(rng.integers(2))
    bias = rng.integers(-(1 << 31), 1 << 31, OUTPUTS) if load else None
    return Tile(
        dense, operands, weights, int(rng.integers(steps)), bias, bool(rng.integers(5) == 0)
    )


def steps_of(tile: Tile, rng: np.random.Generator, pixels: int) -> dict[str, list[int]]:
    """Return the values of the ports for every step; what a step does not read is random."""
    steps = len(tile.weights)
    step = np.arange(steps)
    flags = [
        *(np.full(steps, tile.to_bias), np.full(steps, tile.bias is not None)),
        *(step == steps - 1, (step == tile.digit) & (step > 0), step == 0),
        *(np.full(steps, tile.dense), np.ones(steps)),
    ]
    pairs = rng.integers(0, 1 << 25, (steps, pixels // 2, INPUTS))
    window = rng.integers(0, 256, (steps, OUTPUTS, pixels + INPUTS - 1))
    if tile.dense:
        pairs = (tile.operands[:, 1::2] << 16) + tile.operands[:, ::2]
    else:
        window = tile.operands
    bias = tile.bias if tile.bias is not None else rng.integers(0, 1 << 32, OUTPUTS)
    return {
        "step_i": pack(np.stack(flags, axis=1), 1),
        "pair_i": pack(pairs, 25),
        "window_i": pack(window, 8),
        "weight_i": pack(tile.weights, 9),
        "bias_i": pack([bias] * steps, 32),
    }


class Bench:
    """The array, and what left it."""

    def __init__(self, sim: Simulator, pixels: int, seed: int) -> None:
        self.sim, self.pixels = sim, pixels
        self.rng = np.random.default_rng(seed)
        self.left_pixels: list[int] = []
        self.words: list[int] = []
        self.loads = 0
        self.held = 0  # cycles for which the biases must stay

    def tick(self) -> None:
        self.sim.clock.tick()
        self.held -= 1
        self.loads += self.sim.io.load_o
        if self.sim.io.valid_o:
            self.left_pixels.append(self.sim.io.pixel_o)
            self.words.append(self.sim.io.sums_o)

    def idle(self, cycles: int) -> None:
        for _ in range(cycles):
            self.sim.io.step_i = int(self.rng.integers(64))  # any flags, not valid
            self.sim.io.weight_i = int(self.rng.integers(1 << 62))
            self.tick()

    def run(self, tile: Tile, *, stalls: bool) -> None:
        """Offer the steps of a tile; with stalls a fourth of them come late."""
        ports = steps_of(tile, self.rng, self.pixels)
        count = len(tile.weights)
        self.idle(max(0, self.pixels - count, self.held))
        for step in range(count):
            while stalls and self.rng.integers(4) == 0:
                self.idle(1)
            for name, values in ports.items():
                self.sim.io[name] = values[step]
            self.tick()
            self.held = max(self.held, 4 if step == 0 else 0)

    def left(self) -> Ints:
        """Return the sums that left (pixels, 16)."""
        return unpack(self.words, OUTPUTS, 32, signed=True)


def check(bench: Bench, tiles: int, *, stalls: bool) -> None:
    bias = np.zeros(OUTPUTS, np.int64)
    expected, loads = [], 0
    for index in range(tiles):
        tile = random_tile(bench.rng, bench.pixels, first=index == 0)
        bias = bias if tile.bias is None else tile.bias
        sums = tile.sums(bias)
        bench.run(tile, stalls=stalls)
        if tile.to_bias:
            bias = sums[0]
        else:
            expected.append(sums)
            loads += tile.bias is not None
    bench.idle(12)
    np.testing.assert_array_equal(bench.left(), np.concatenate(expected))
    assert bench.left_pixels == [*range(bench.pixels)] * len(expected)
    assert bench.loads == loads


#: Pixels of a tile, and whether its DSP slices are instances.
CASES = [(2, 0), (4, 0), (8, 1)]


@pytest.fixture(scope="module", params=CASES, ids=str)
def array(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Simulator, int]:
    pixels, primitive = request.param
    cells = [yosys_share() / "xilinx" / "cells_sim.v"] if primitive else []
    sim = simulator(
        "hyq_engine_array",
        tmp_path_factory.mktemp("array"),
        *cells,
        flags=CELL_MODELS if primitive else (),
        Pixels=pixels,
        Primitive=primitive,
    )
    return sim, pixels


@pytest.mark.parametrize("stalls", [False, True])
def test_sums_are_exact(array: tuple[Simulator, int], stalls: bool) -> None:
    sim, pixels = array
    sim.reset()
    check(Bench(sim, pixels, seed=pixels + stalls), 150, stalls=stalls)


def test_a_reset_in_mid_tile_leaves_nothing(array: tuple[Simulator, int]) -> None:
    sim, pixels = array
    sim.reset()
    for cut in range(1, 12):
        broken = Bench(sim, pixels, seed=cut)
        tile = random_tile(broken.rng, pixels, first=True)
        broken.run(tile, stalls=False)
        broken.idle(cut)
        sim.reset()
        check(Bench(sim, pixels, seed=100 + cut), 2, stalls=False)


def test_tiles_that_come_too_early_are_seen(array: tuple[Simulator, int]) -> None:
    sim, _ = array
    sim.reset()
    sim.io.step_i = 0b0010101  # valid, first and last
    with pytest.raises(SimulationError, match="come before those of the last one have left"):
        sim.clock.tick(10)
