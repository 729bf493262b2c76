"""hyq_engine_softmax: probabilities of all kinds, as docs/engine.md says."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.tools.verilator import Simulator
from tests.engine.rtl.bench import Ints, read_feature, simulator, write_feature
from tests.engine.rtl.model import Fields, encoded

pytestmark = pytest.mark.slow

WORDS, LENGTH = 256, 72
UNIFORM, LOG2, LOG2_ROUNDED = range(3)
FIELDS = {
    "queue": (0, 2, 0),
    "version": (0, 15, 8),
    "kind": (0, 17, 16),
    **{
        f"{view}_{name}": (word + k // 2, 31 if k % 2 else 15, 16 if k % 2 else 0)
        for view, word in (("src", 4), ("dst", 6))
        for k, name in enumerate(("base", "row", "group", "x0"))
    },
    "rows": (8, 15, 0),
    "pixels": (8, 31, 16),
    "length": (9, 15, 0),
    "bits": (9, 20, 16),
    "high": (10, 15, 0),
}


def probabilities(f: Fields, codes: Ints, table: Ints) -> list[int]:
    """Return the codes of a row."""
    e: list[int] = table[codes.max() - codes].tolist()
    total, top = sum(e), (1 << f["bits"]) - 1
    if f["kind"] == UNIFORM:
        return [min(top, ((v << f["bits"]) + (total >> 1)) // total) for v in e]
    rounded = f["kind"] == LOG2_ROUNDED

    def counts(v: int, n: int) -> bool:
        if rounded and n == 1:
            return 2 * total > 5 * v
        if rounded and n >= 2:
            return 2 * total >= ((3 << n) - 1) * v
        return 2 * total >= (3 << n) * v

    return [min(top, sum(counts(v, n) for n in range(60))) if v else top for v in e]


def places(f: Fields, view: str, banks: int) -> list[tuple[int, int]]:
    """Return bank and address of every pixel of a view."""
    found = []
    for r in range(f["rows"]):
        for x in range(f["pixels"]):
            q = f[f"{view}_x0"] + x
            address = f[f"{view}_base"] + r * f[f"{view}_row"] + q // banks * f[f"{view}_group"]
            found.append((q % banks, address))
    return found


def expected(f: Fields, feature: Ints, table: Ints) -> Ints:
    """Return the feature memory after an instruction."""
    result: Ints = feature.copy()
    words = -(-f["length"] // 4)
    sources, targets = (places(f, view, len(feature)) for view in ("src", "dst"))
    for (bank, at), (to_bank, to) in zip(sources, targets, strict=True):
        row = np.zeros(4 * words, np.int64)
        codes = feature[bank, at : at + words].reshape(-1)[: f["length"]]
        row[: f["length"]] = probabilities(f, codes, table)
        result[to_bank, to : to + words] = (row & 255).reshape(-1, 4)
        if f["bits"] > 8:
            high = to + f["high"]
            result[to_bank, high : high + words] = (row >> 8).reshape(-1, 4)
    return result


def random_table(rng: np.random.Generator) -> Ints:
    """Draw exponentials that fall with the distance, or any; the first is never 0."""
    kind = rng.integers(4)
    if kind == 0:
        table = rng.integers(0, 1 << 32, 256)
    elif kind == 1:
        table = np.full(256, (1 << 32) - 1)
    else:
        start, rate = rng.uniform(4, 32), rng.uniform(0.02, 1)
        table = np.exp2(start - rate * np.arange(256)).astype(np.int64).clip(0, (1 << 32) - 1)
    table[0] = max(table[0], 1)
    return table


class Bench:
    def __init__(self, sim: Simulator, pixels: int, lanes: int) -> None:
        self.sim, self.pixels, self.lanes = sim, pixels, lanes

    def fill(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        feature, table = rng.integers(0, 256, (self.pixels, WORDS, 4)), random_table(rng)
        feature >>= rng.integers(0, 8, (self.pixels, WORDS, 1))
        write_feature(self.sim, feature)
        self.sim.io.table_write_i = 1
        for address in range(128):
            data = int(table[2 * address]) | int(table[2 * address + 1]) << 32
            self.sim.io.table_address_i, self.sim.io.table_data_i = address, data
            self.sim.clock.tick()
        self.sim.io.table_write_i = 0
        return feature, table

    def start(self, f: Fields) -> None:
        self.sim.io.instruction_i = encoded(f, FIELDS)
        self.sim.io.start_i = 1
        self.sim.clock.tick()
        self.sim.io.start_i = 0

    def check(self, f: Fields, feature: Ints, table: Ints) -> Ints:
        """Run an instruction and return the feature memory, which is as expected."""
        self.start(f)
        words = -(-f["length"] // 4)
        pass3 = (words + 1) * 4 // self.lanes + 1
        row = max(words + -(-words // 4) + 2, pass3, 30)
        limit = f["rows"] * f["pixels"] * row + 2 * words + 60
        for _ in range(limit):
            if self.sim.io.done_o:
                break
            self.sim.clock.tick()
        else:
            raise AssertionError(f"not done after {limit} cycles: {f}")
        self.sim.clock.tick(2)
        result = expected(f, feature, table)
        found = read_feature(self.sim, self.pixels, WORDS)
        np.testing.assert_array_equal(found, result, str(f))
        return result


@pytest.fixture(scope="module", params=[(2, 4), (4, 1), (8, 2)], ids=str)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    pixels, lanes = request.param
    folder = tmp_path_factory.mktemp("softmax")
    sim = simulator("softmax_bench", folder, Pixels=pixels, Words=WORDS, Length=LENGTH, Lanes=lanes)
    return Bench(sim, pixels, lanes)


def random_fields(rng: np.random.Generator, pixels: int) -> Fields:
    """Draw an instruction in place, or with a destination apart."""
    length = int(rng.integers(1, LENGTH + 1)) if rng.integers(2) else int(rng.integers(1, 12))
    words = -(-length // 4)
    view = {
        "base": int(rng.integers(4)),
        "group": words + int(rng.integers(2)),
        "x0": int(rng.integers(4)),
    }
    count = int(rng.integers(1, 6))
    view["row"] = (view["x0"] + count) // pixels * view["group"] + words
    rows = 2 if 2 * view["row"] < 60 else 1
    dst = (
        view if rng.integers(2) else view | {"base": 100 + view["base"], "x0": int(rng.integers(2))}
    )
    return {
        "queue": 4,
        "version": 1,
        "kind": int(rng.integers(3)),
        **{f"src_{name}": value for name, value in view.items()},
        **{f"dst_{name}": value for name, value in dst.items()},
        "rows": rows,
        "pixels": count,
        "length": length,
        "bits": int(rng.integers(2, 13)),
        "high": 80 if dst["base"] >= 100 else 180,
    }


def test_rows_become_probabilities(bench: Bench) -> None:
    rng = np.random.default_rng(bench.pixels)
    for _ in range(8):
        feature, table = bench.fill(rng)
        for _ in range(6):
            feature = bench.check(random_fields(rng, bench.pixels), feature, table)


def test_a_reset_in_mid_instruction_leaves_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(5)
    for cycles in range(3, 90, 17):
        bench.start(random_fields(rng, bench.pixels))
        bench.sim.clock.tick(cycles)
        bench.sim.reset()
        feature, table = bench.fill(rng)
        bench.check(random_fields(rng, bench.pixels), feature, table)
