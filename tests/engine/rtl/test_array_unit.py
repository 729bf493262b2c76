"""hyq_engine_array_unit: random instructions of the array, against the specification in numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls.tools.verilator import Simulator
from tests.engine.rtl import model
from tests.engine.rtl.bench import pack, read_feature, simulator, write_feature
from tests.engine.rtl.model import ARRAY_FIELDS, CONSTANT, MEMORY, ONE_HOT, Fields, Memories

pytestmark = pytest.mark.slow

WORDS, WEIGHT_WORDS, GROUPS = 256, 128, 4
RECORDS = 16 * GROUPS

#: Bytes by bank and address of their word.
Written = dict[tuple[int, int], dict[int, int]]


class Machine:
    """The unit with its memories, and the same contents in numpy."""

    def __init__(self, sim: Simulator, pixels: int, multiply: bool) -> None:
        self.sim, self.pixels, self.multiply = sim, pixels, multiply

    def fill(self, rng: np.random.Generator, wide_weights: bool) -> Memories:
        """Fill all memories with random numbers; every second time many are extremes."""
        low, high = (-255, 255) if wide_weights else (-128, 127)
        weights = rng.integers(low, high + 1, (WEIGHT_WORDS, 16, 3))
        if rng.integers(2):
            weights = rng.choice([low, high, 0], weights.shape)
        shift = rng.integers(0, 64 if self.multiply else 32, RECORDS)
        multiplier = rng.integers(0, 1 << 16, RECORDS) if self.multiply else np.zeros(RECORDS)
        m = Memories(
            rng.integers(0, 256, (self.pixels, WORDS, 4)),
            weights,
            rng.integers(-(1 << 29), 1 << 29, RECORDS) >> rng.integers(0, 29, RECORDS),
            rng.integers(0, 1 << 16, RECORDS) >> rng.integers(0, 16, RECORDS),
            multiplier.astype(np.int64),
            shift,
            rng.integers(0, 256, (2, 1024)),
        )
        self.put(m)
        return m

    def put(self, m: Memories) -> None:
        sim = self.sim
        write_feature(sim, m.feature)
        sim.io.weight_write_i = (1 << 48) - 1
        for address, word in enumerate(pack(m.weights, 9)):
            sim.io.weight_address_i, sim.io.weight_data_i = address, word
            sim.clock.tick()
        sim.io.weight_write_i = 0
        sim.io.parameter_write_i = 1
        front = (m.bias & 0xFFFFFFFF) | m.zero << 32 | m.multiplier << 48
        for record in range(RECORDS):
            for half, data in enumerate((int(front[record]), int(m.shift[record]))):
                sim.io.parameter_address_i = 2 * record + half
                sim.io.parameter_data_i = data & ((1 << 64) - 1)
                sim.clock.tick()
        sim.io.parameter_write_i = 0
        sim.io.table_write_i = 1
        for address, data in enumerate(m.tables.ravel().tolist()):
            sim.io.table_address_i, sim.io.table_data_i = address, data
            sim.clock.tick()
        sim.io.table_write_i = 0

    def start(self, f: Fields) -> None:
        self.sim.io.instruction_i = model.encoded(f, ARRAY_FIELDS)
        self.sim.io.start_i = 1
        self.sim.clock.tick()
        self.sim.io.start_i = 0

    def run(self, f: Fields) -> int:
        """Run an instruction and return its cycles."""
        self.start(f)
        for cycle in range(20_000):
            if self.sim.io.done_o:
                self.sim.clock.tick(3)
                return cycle
            self.sim.clock.tick()
        raise AssertionError(f"the instruction does not end: {f}")


def random_fields(rng: np.random.Generator, source: int, signed: bool) -> Fields:
    """Draw an instruction; its addresses may lie anywhere."""
    depthwise = source != ONE_HOT and not signed and bool(rng.integers(2))
    passes = int(rng.integers(1, 4)) if rng.integers(2) else 1
    planes = int(rng.integers(1, 4))
    groups = int(rng.integers(1, 4))
    table = bool(rng.integers(2))
    repeat = passes > 1 and bool(rng.integers(2))
    return {
        "queue": 2,
        "version": 1,
        "src_base": int(rng.integers(WORDS // 2)),
        "src_row": int(rng.integers(40)),
        "src_group": int(rng.integers(1, 12)),
        "src_x0": int(rng.integers(20)),
        "dst_base": int(rng.integers(WORDS)),
        "dst_row": int(rng.integers(10, 40)),
        "dst_group": int(rng.integers(4 * groups, 16)),
        "dst_x0": int(rng.integers(12)),
        "rows": int(rng.integers(1, 4)),
        "pixels": int(rng.integers(1, 20)),
        "ky_stride": int(rng.integers(30)),
        "pass_stride": int(rng.integers(30)),
        "kx_words": int(rng.integers(10)),
        "wrap_words": int(rng.integers(10)),
        "kx_shift": int(rng.integers(3)),
        "kx_plane": int(rng.integers(planes)),
        "planes": planes,
        "c0": 4 * int(rng.integers(6)) if depthwise else int(rng.integers(24)),
        "steps": 1 if depthwise else int(rng.integers(1, 7)),
        "kernel_y": int(rng.integers(1, 4)),
        "kernel_x": int(rng.integers(1, 4)),
        "groups": groups,
        "depthwise": int(depthwise),
        "source": source,
        "signed": int(signed),
        "prologue": int((passes == 1 or repeat) and not depthwise and bool(rng.integers(2))),
        "repeat": int(repeat),
        "passes": passes,
        "hold": int(rng.integers(4) == 0),
        "bits": int(rng.integers(2, 11)) if table else int(rng.integers(2, 17)),
        "table": int(table),
        "bank": int(rng.integers(2)),
        "high": int(not table and bool(rng.integers(3) == 0)),
        "one_hot": int(rng.integers(1, 24)),
        "digits": int(passes > 1 and bool(rng.integers(2))),
        "weights": int(rng.integers(30)),
        "weight_group": int(rng.integers(30)),
        "param": int(rng.integers(GROUPS - groups + 1)),
        # Wide weights take constants of the form U7 only.
        "constant": int(rng.integers(-127, 129 if signed or source == ONE_HOT else 256)),
        "first": int(rng.integers(16)),
        "channels": int(rng.integers(1, 16 * groups + 1)),
    }


def drawn(
    rng: np.random.Generator, m: Memories, source: int, signed: bool
) -> tuple[Fields, Written]:
    """Draw an instruction whose addresses exist and whose destination is not its source."""
    while True:
        f = random_fields(rng, source, signed)
        case = replace(m, touched=set())
        try:
            written = model.run(case, f)
        except (IndexError, OverflowError):
            continue
        if not case.touched & written.keys():
            return f, written


@pytest.fixture(scope="module", params=[(2, True), (8, False)], ids=str)
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    pixels, multiply = request.param
    sim = simulator(
        "array_bench",
        tmp_path_factory.mktemp("array_unit"),
        Pixels=pixels,
        Words=WORDS,
        WeightWords=WEIGHT_WORDS,
        ParameterGroups=GROUPS,
        Multiply=int(multiply),
    )
    return Machine(sim, pixels, multiply)


SOURCES = [(MEMORY, False), (MEMORY, True), (CONSTANT, False), (ONE_HOT, False)]


def check(machine: Machine, m: Memories, f: Fields, written: Written) -> None:
    machine.run(f)
    for (bank, word), codes in written.items():
        for byte, code in codes.items():
            m.feature[bank, word, byte] = code
    found = read_feature(machine.sim, machine.pixels, WORDS)
    np.testing.assert_array_equal(found, m.feature, str(f))


@pytest.mark.parametrize(("source", "signed"), SOURCES)
def test_instructions_do_what_the_specification_says(
    machine: Machine, source: int, signed: bool
) -> None:
    rng = np.random.default_rng(10 * source + signed)
    # High bytes of signed operands have no sign, so that they take narrow weights only.
    for wide in (signed or source == ONE_HOT, False):
        m = machine.fill(rng, wide_weights=wide)
        for _ in range(8):
            check(machine, m, *drawn(rng, m, source, signed))


def test_a_reset_in_mid_instruction_leaves_nothing(machine: Machine) -> None:
    rng = np.random.default_rng(7)
    m = machine.fill(rng, wide_weights=False)
    for cycles in range(2, 60, 7):
        machine.start(drawn(rng, m, MEMORY, signed=False)[0])
        machine.sim.clock.tick(cycles)
        machine.sim.reset()
        machine.put(m)
        check(machine, m, *drawn(rng, m, MEMORY, signed=False))
