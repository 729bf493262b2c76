"""hyq_engine_move: keys and values become weights, as docs/engine.md says."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.tools.verilator import Simulator
from tests.engine.rtl.bench import Ints, simulator, unpack, write_feature
from tests.engine.rtl.model import Fields, encoded

pytestmark = pytest.mark.slow

WORDS, WEIGHTS, RECORDS, UNKNOWN = 256, 512, 64, 1 << 20
FIELDS = {
    "queue": (0, 2, 0),
    "version": (0, 15, 8),
    "kind": (0, 16, 16),
    "src_base": (4, 15, 0),
    "src_row": (4, 31, 16),
    "src_group": (5, 15, 0),
    "src_x0": (5, 31, 16),
    "tokens": (6, 15, 0),
    "channels": (6, 31, 16),
    "c0": (7, 15, 0),
    "first": (7, 19, 16),
    "param": (7, 31, 24),
    "weights": (8, 15, 0),
}
KEYS, VALUES = 0, 1


def expected(f: Fields, feature: Ints, bias: Ints) -> Ints:
    """Return the words that an instruction writes (words, 16, 3); what it does not is UNKNOWN."""
    weights = np.full((WEIGHTS, 16, 3), UNKNOWN)
    places = []
    for n in range(f["tokens"]):
        q = f["src_x0"] + n
        for c in range(f["channels"]):
            channel = f["c0"] + c
            address = f["src_base"] + q // len(feature) * f["src_group"] + channel // 4
            value = feature[q % len(feature), address, channel % 4] - bias[16 * f["param"] + c]
            o, i, word = n % 16, c % 3, n // 16 * -(-f["channels"] // 3) + c // 3
            if f["kind"] == VALUES:
                at = f["first"] + c
                o, i, word = at % 16, n % 3, at // 16 * -(-f["tokens"] // 3) + n // 3
            places.append((f["weights"] + word, o, i, value))
    for word, *_ in places:
        weights[word] = 0
    for word, o, i, value in places:
        weights[word, o, i] = value
    return weights


class Bench:
    def __init__(self, sim: Simulator, pixels: int) -> None:
        self.sim = sim
        rng = np.random.default_rng(0)
        self.feature = rng.integers(0, 256, (pixels, WORDS, 4))
        self.bias = rng.integers(0, 256, RECORDS)
        write_feature(sim, self.feature)
        sim.io.parameter_write_i = 1
        for record, bias in enumerate(self.bias):
            sim.io.parameter_address_i, sim.io.parameter_data_i = 2 * record, int(bias)
            sim.clock.tick()
        sim.io.parameter_write_i = 0

    def start(self, f: Fields) -> None:
        self.sim.io.instruction_i = encoded(f, FIELDS)
        self.sim.io.start_i = 1
        self.sim.clock.tick()
        self.sim.io.start_i = 0

    def run(self, f: Fields) -> tuple[Ints, int]:
        """Return the weights that were written (words, 16, 3), and the cycles."""
        writes = []
        self.start(f)
        io, tick = self.sim.io, self.sim.clock.tick
        start = self.sim.clock.cycles
        while self.sim.clock.cycles < start + 20_000:
            lanes = io.weight_write_o
            if lanes:
                writes.append((io.weight_address_o, lanes, io.weight_data_o))
            if io.done_o:
                break
            tick()
        else:
            raise AssertionError(f"the instruction does not end: {f}")
        tick()
        assert not io.weight_write_o
        addresses, enables, data = zip(*writes, strict=True)
        weights = np.full((WEIGHTS, 48), UNKNOWN)
        for address, enable, values in zip(
            addresses, unpack(enables, 48, 1), unpack(data, 48, 9, signed=True), strict=True
        ):
            weights[address] = np.where(enable, values, weights[address])
        return weights.reshape(WEIGHTS, 16, 3), self.sim.clock.cycles - start


@pytest.fixture(scope="module", params=[2, 8])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("move")
    pixels = request.param
    return Bench(simulator("move_bench", folder, Pixels=pixels, Words=WORDS), pixels)


def random_fields(rng: np.random.Generator) -> Fields:
    tokens, channels = int(rng.integers(1, 36)), int(rng.integers(1, 36))
    return {
        "queue": 3,
        "version": 1,
        "kind": int(rng.integers(2)),
        "src_base": int(rng.integers(20)),
        "src_row": int(rng.integers(1 << 16)),
        "src_group": int(rng.integers(1, 8)),
        "src_x0": int(rng.integers(10)),
        "tokens": tokens,
        "channels": channels,
        "c0": int(rng.integers(40)),
        "first": int(rng.integers(16)),
        "param": int(rng.integers((RECORDS - channels) // 16 + 1)),
        "weights": int(rng.integers(30)),
    }


def check(bench: Bench, f: Fields) -> None:
    weights, cycles = bench.run(f)
    np.testing.assert_array_equal(weights, expected(f, bench.feature, bench.bias), str(f))
    assert cycles <= f["tokens"] * f["channels"] + 12


def test_codes_become_weights(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    for _ in range(12):
        check(bench, random_fields(rng))


def test_a_reset_in_mid_instruction_leaves_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(2)
    for cycles in range(1, 20, 6):
        bench.start(random_fields(rng))
        bench.sim.clock.tick(cycles)
        bench.sim.reset()
        check(bench, random_fields(rng))
