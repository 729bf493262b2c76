"""hyq_engine_load, hyq_engine_store: random instructions between DRAM and the memories."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.tools.verilator import Simulator
from tests.engine.rtl.axi import AxiMemory
from tests.engine.rtl.bench import read_feature, simulator, unpack
from tests.engine.rtl.model import TRANSFER_FIELDS, Fields, encoded, words_of

pytestmark = pytest.mark.slow

WORDS, BYTES, BASE = 256, 1 << 14, 1 << 10
LOAD, STORE = 0, 1


class Bench:
    def __init__(self, sim: Simulator, pixels: int) -> None:
        self.sim, self.pixels = sim, pixels

    def memory(self, rng: np.random.Generator, *, stalls: bool) -> AxiMemory:
        data = rng.integers(0, 256, BYTES).astype(np.uint8)
        return AxiMemory(self.sim, data, rng, 0.4 * stalls, int(rng.integers(1, 40)))

    def start(self, queue: int, fields: Fields, axi: AxiMemory) -> None:
        io = self.sim.io
        io.instruction_i, io.base_i = encoded(fields, TRANSFER_FIELDS), BASE
        name = "store_i" if queue == STORE else "load_i"
        io[name] = 1
        axi.tick()
        io[name] = 0

    def run(self, queue: int, fields: Fields, axi: AxiMemory) -> list[tuple[str, int, int]]:
        """Run an instruction; return what it wrote to memories other than the feature memory."""
        io, writes = self.sim.io, []
        self.start(queue, fields, axi)
        for _ in range(30_000):
            if io.weight_write_o:
                lanes = unpack([io.weight_data_o], 48, 9, signed=True)[0]
                for lane in range(48):
                    if io.weight_write_o >> lane & 1:
                        writes.append(("weight", 48 * io.weight_address_o + lane, int(lanes[lane])))
            for name in ("parameter", "table", "exponential", "norm"):
                if io[f"{name}_write_o"]:
                    writes.append((name, io.address_o, io.data_o))
            if io.store_done_o or io.load_done_o:
                axi.tick()
                axi.tick()
                assert axi.quiet
                return writes
            axi.tick()
        raise AssertionError(f"the instruction does not end: {fields}")


@pytest.fixture(scope="module", params=[2, 8])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("transfer")
    sim = simulator("transfer_bench", folder, Pixels=request.param, Words=WORDS)
    return Bench(sim, request.param)


def random_fields(rng: np.random.Generator, queue: int, pixels: int) -> Fields:
    """Draw an instruction of target 0 whose words lie in the memory, each at a place of its own."""
    while True:
        words = int(rng.choice([1, 2, 4, 6, 3]))
        planes = int(rng.integers(1, 4)) if rng.integers(2) else 1
        fields = {
            "queue": queue,
            "version": 1,
            "offset": 8 * int(rng.integers(700)),
            "rows": int(rng.integers(1, 5)),
            "pixels": int(rng.integers(1, 40)),
            "words": words,
            "planes": planes,
            "x_first": int(rng.integers(planes)),
            "pitch": 8 * int(rng.integers(60, 250)),
            "view_base": int(rng.integers(100)),
            "view_row": int(rng.integers(100)),
            "view_group": int(rng.integers(words, 12)),
            "view_x0": int(rng.integers(20)),
            "plane": int(rng.integers(100)),
        }
        places = list(words_of(fields, pixels))
        targets = {place for _, place in places}
        if all(word < WORDS for _, word in targets) and (
            len(targets) == len(places) or queue == STORE
        ):
            return fields


@pytest.mark.parametrize("stalls", [False, True])
def test_maps_are_copied_both_ways(bench: Bench, stalls: bool) -> None:
    rng = np.random.default_rng(stalls)
    feature = read_feature(bench.sim, bench.pixels, WORDS)
    for index in range(24):
        axi = bench.memory(rng, stalls=stalls)
        queue = int(rng.integers(2))
        fields = random_fields(rng, queue, bench.pixels)
        expected = axi.data.copy()
        for byte, (bank, word) in words_of(fields, bench.pixels):
            at = BASE + byte
            if queue == LOAD:
                feature[bank, word] = axi.data[at : at + 4]
            else:
                expected[at : at + 4] = feature[bank, word]
        bench.run(queue, fields, axi)
        np.testing.assert_array_equal(axi.data, expected, str(fields))
        if queue == LOAD or index % 8 == 0:
            np.testing.assert_array_equal(
                read_feature(bench.sim, bench.pixels, WORDS), feature, str(fields)
            )


@pytest.mark.parametrize(("words", "cycles"), [(2, 1), (1, 2)])
def test_beats_take_a_cycle_or_two(bench: Bench, words: int, cycles: int) -> None:
    """With an ideal memory, beats come without pauses, also across bursts and rows."""
    axi = AxiMemory(bench.sim, np.zeros(BYTES, np.uint8), np.random.default_rng(0), 0.0, 1)
    shape = {"rows": 4, "pixels": 32 // words, "words": words, "planes": 1, "pitch": 128}
    view = {"view_base": 0, "view_row": 60, "view_group": 4, "view_x0": 0, "plane": 0, "offset": 0}
    for queue in (LOAD, STORE):
        before = axi.cycle
        bench.run(queue, {"queue": queue, "version": 1, "x_first": 0, **shape, **view}, axi)
        assert axi.cycle - before <= 4 * 16 * cycles + 30


#: Name of the writes of a target, and their number of bytes.
TARGETS = {
    1: ("weight", 1),
    2: ("parameter", 8),
    3: ("table", 1),
    4: ("exponential", 8),
    5: ("norm", 8),
}


@pytest.mark.parametrize("target", TARGETS)
def test_other_memories_are_filled(bench: Bench, target: int) -> None:
    rng = np.random.default_rng(target)
    name, size = TARGETS[target]
    for stalls in (False, True):
        axi = bench.memory(rng, stalls=stalls)
        count = 48 * int(rng.integers(1, 9)) if target == 1 else 8 * int(rng.integers(1, 40))
        dest = 2 * int(rng.integers(100))
        fields = {"queue": LOAD, "version": 1, "target": target, "offset": 520, "view_base": dest}
        fields |= {"rows": count & 0xFFFF, "pixels": count >> 16}
        writes = bench.run(LOAD, fields, axi)
        data = axi.data[BASE + 520 : BASE + 520 + count]
        first = dest * {1: 48, 2: 32, 4: 0.5}.get(target, 1)
        for k, (found, address, value) in enumerate(writes):
            expected = int.from_bytes(data[size * k : size * (k + 1)].tobytes(), "little")
            if target == 1:
                expected = expected - 256 if expected > 127 else expected
            got = value & 0xFF if target == 3 else value
            assert (found, address, got) == (name, first + k, expected)
        assert size * len(writes) == count


def test_a_reset_in_mid_transfer_leaves_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(3)
    for cycles in range(3, 60, 8):
        queue = int(rng.integers(2))
        axi = bench.memory(rng, stalls=True)
        bench.start(queue, random_fields(rng, queue, bench.pixels), axi)
        for _ in range(cycles):
            axi.tick()
        axi = bench.memory(rng, stalls=False)  # forgets all that was under way
        bench.sim.reset()
        feature = read_feature(bench.sim, bench.pixels, WORDS)
        fields, expected = random_fields(rng, STORE, bench.pixels), axi.data.copy()
        for byte, (bank, word) in words_of(fields, bench.pixels):
            expected[BASE + byte : BASE + byte + 4] = feature[bank, word]
        bench.run(STORE, fields, axi)
        np.testing.assert_array_equal(axi.data, expected)
