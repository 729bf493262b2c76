"""hyq_engine_array: sums of random tiles, dense and depthwise, against numpy."""

from __future__ import annotations

from dataclasses import dataclass

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
        operands: of a dense tile (steps, pixels, 3), of a depthwise one (steps, pixels, 16).
        weights: (steps, 16, 3).
        digit: step at which the next digit begins, or 0.
        load: whether parameters are taken over.
        to_bias: whether the sums become biases.
    """

    dense: bool
    operands: Ints
    weights: Ints
    digit: int
    load: bool
    to_bias: bool

    def sums(self) -> Ints:
        """Return the sums (pixels, 16) modulo 2**32, signed."""
        seen = self.operands[:, :, None] if self.dense else self.operands[..., None]
        sums = np.zeros((self.operands.shape[1], OUTPUTS), np.int64)
        for step, products in enumerate((seen * self.weights[:, None]).sum(axis=3)):
            sums = (sums << 8 if step and step == self.digit else sums) + products
            sums = ((sums + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
        return sums


def random_tile(rng: np.random.Generator, pixels: int) -> Tile:
    dense, steps = bool(rng.integers(3)), int(rng.integers(1, 9))
    low, high, weight_low, weight_high = FORMS[rng.choice(list(FORMS)) if dense else "u8"]
    operands = rng.integers(low, high + 1, (steps, pixels, INPUTS if dense else OUTPUTS))
    weights = rng.integers(weight_low, weight_high + 1, (steps, OUTPUTS, INPUTS))
    if rng.integers(4) == 0:
        operands = rng.choice([low, high], operands.shape)
        weights = rng.choice([weight_low, weight_high], weights.shape)
    load, to_bias = rng.integers(2, size=2).astype(bool)
    return Tile(dense, operands, weights, int(rng.integers(steps)), load, to_bias)


def ports_of(tile: Tile, rng: np.random.Generator) -> dict[str, list[int]]:
    """Return the values of the ports for every step; what a step does not read is random."""
    steps, pixels = tile.operands.shape[:2]
    step = np.arange(steps)
    constant = [np.full(steps, flag) for flag in (True, tile.dense, tile.load, tile.to_bias)]
    valid, dense, load, to_bias = constant
    digit = (step == tile.digit) & (step > 0)
    flags = np.stack([valid, dense, step == 0, digit, step == steps - 1, load, to_bias], axis=1)
    pairs = rng.integers(0, 1 << 25, (steps, pixels // 2, INPUTS))
    window = rng.integers(0, 256, (steps, pixels, OUTPUTS))
    if tile.dense:
        pairs = (tile.operands[:, 1::2] << 16) + tile.operands[:, ::2]
    else:
        window = tile.operands
    return {
        "step_i": pack(flags, 1),
        "pairs_i": pack(pairs, 25),
        "window_i": pack(window, 8),
        "weights_i": pack(tile.weights, 9),
    }


class Bench:
    """The array, and what left it."""

    def __init__(self, sim: Simulator, pixels: int, seed: int) -> None:
        self.sim, self.pixels = sim, pixels
        self.rng = np.random.default_rng(seed)
        self.words: list[int] = []
        self.biases: list[int] = []
        self.loads = 0

    def tick(self) -> None:
        self.sim.clock.tick()
        io = self.sim.io
        self.loads += io.load_o
        if io.valid_o:
            self.words.append(io.sums_o)
        if io.to_bias_o:
            self.biases.append(io.sums_o)

    def idle(self, cycles: int) -> None:
        for _ in range(cycles):
            self.sim.io.step_i = 2 * int(self.rng.integers(64))  # any flags, not valid
            self.sim.io.weights_i = int(self.rng.integers(1 << 62))
            self.tick()

    def run(self, tile: Tile, *, stalls: bool) -> None:
        """Offer the steps of a tile; with stalls a fourth of them come late."""
        ports, count = ports_of(tile, self.rng), len(tile.weights)
        self.idle(max(0, self.pixels - count))
        for step in range(count):
            while stalls and self.rng.integers(4) == 0:
                self.idle(1)
            for name, values in ports.items():
                self.sim.io[name] = values[step]
            self.tick()


def check(bench: Bench, tiles: int, *, stalls: bool) -> None:
    drawn = [random_tile(bench.rng, bench.pixels) for _ in range(tiles)]
    for tile in drawn:
        bench.run(tile, stalls=stalls)
    bench.idle(20)
    sums = [tile.sums() for tile in drawn if not tile.to_bias]
    biases = [tile.sums()[0] for tile in drawn if tile.to_bias]
    for words, expected in ((bench.words, sums), (bench.biases, biases)):
        if expected:
            left = unpack(words, OUTPUTS, 32, signed=True)
            np.testing.assert_array_equal(left, np.vstack(expected))
    assert bench.loads == sum(tile.load for tile in drawn)


#: Pixels of a tile, and whether its DSP slices are instances.
CASES = [(2, 0), (8, 1)]


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
    check(Bench(sim, pixels, seed=pixels + stalls), 120, stalls=stalls)


def test_a_reset_in_mid_tile_leaves_nothing(array: tuple[Simulator, int]) -> None:
    sim, pixels = array
    sim.reset()
    for cut in range(1, 12):
        broken = Bench(sim, pixels, seed=cut)
        broken.run(random_tile(broken.rng, pixels), stalls=False)
        broken.idle(cut)
        sim.reset()
        check(Bench(sim, pixels, seed=100 + cut), 2, stalls=False)


def test_tiles_that_come_too_early_are_seen(
    array: tuple[Simulator, int], capfd: pytest.CaptureFixture[str]
) -> None:
    sim, _ = array
    sim.reset()
    sim.io.step_i = 0b0010101  # valid, first and last
    with pytest.raises(SimulationError, match="hyq_engine_checker"):
        sim.clock.tick(10)
    assert "come before those of the last one have left" in capfd.readouterr().out
