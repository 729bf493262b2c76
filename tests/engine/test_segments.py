"""Chains of layers that run band by band: rows that stay, planes of columns, cuts, tiles."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.engine import isa
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program
from hyq_hls.engine.simulate import Simulator
from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from tests.engine.graphs import (
    check_graph,
    random_codes,
    random_requantize,
    random_weights,
)

Rng = np.random.Generator


class Chain:
    """A graph that grows layer by layer, all of whose codes have 8 bits or the given number."""

    def __init__(self, rng: Rng, shape: tuple[int, int, int]) -> None:
        self.rng = rng
        self.graph = Graph("x", TensorType(shape, self._quantization(8)))
        self.last = "x"

    def _quantization(self, bits: int) -> Quantization:
        return Quantization(bits, True, zero_point=(int(self.rng.integers(-8, 8)),))

    def _add(self, operation: Operation, *inputs: str) -> str:
        self.last = f"n{len(self.graph.nodes)}"
        self.graph.add(self.last, operation, *inputs)
        return self.last

    def dense(self, channels: int, bits: int = 8) -> str:
        x = self.graph.type(self.last)
        weight = random_weights(self.rng, channels, x.channels)
        to = random_requantize(
            self.rng, channels, Bounds(-(1 << 18), 1 << 18), self._quantization(bits)
        )
        return self._add(ops.Dense(weight, 8, np.zeros(channels, np.int64), to), self.last)

    def depthwise(self, stride: int = 1, kernel: int = 3) -> str:
        x = self.graph.type(self.last)
        weight = random_weights(self.rng, x.channels, kernel, kernel)
        bound = Bounds(-(1 << 16), 1 << 16)
        to = random_requantize(self.rng, x.channels, bound, self._quantization(8))
        pad = kernel // 2
        bias = self.rng.integers(-999, 999, x.channels)
        zero = x.quantization.zero_point
        return self._add(
            ops.DepthwiseConv2d(weight, 8, bias, (stride, stride), (pad, pad), zero, to), self.last
        )

    def conv(self, channels: int) -> str:
        x = self.graph.type(self.last)
        weight = random_weights(self.rng, channels, 3, 3, x.channels)
        bound = Bounds(-(1 << 19), 1 << 19)
        to = random_requantize(self.rng, channels, bound, self._quantization(8))
        zero, bias = x.quantization.zero_point, np.zeros(channels, np.int64)
        return self._add(ops.Conv2d(weight, 8, bias, (1, 1), (1, 1), zero, to), self.last)

    def add(self, other: str) -> str:
        channels = self.graph.type(other).channels
        zeros = tuple(self.graph.type(n).quantization.zero_point for n in (other, self.last))
        factors = np.array([3]), np.array([5])
        to = random_requantize(self.rng, channels, Bounds(-2048, 2048), self._quantization(8))
        return self._add(ops.Add(factors, (zeros[0], zeros[1]), to), other, self.last)

    def swish(self) -> str:
        """Add a function with an output scale for each channel."""
        x = self.graph.type(self.last)
        q, channels = x.quantization, x.channels
        multiplier = self.rng.integers(1 << 14, 1 << 16, channels)
        shift = 27 + q.bits - 8 - self.rng.integers(0, 3, channels)
        to = Requantize(self._quantization(8), shift, multiplier)
        return self._add(ops.ShiftSwish(4, q.zero_point[0], 12, to), self.last)

    def bottleneck(self, channels: int, stride: int = 1) -> str:
        before = self.last
        self.dense(2 * channels, int(self.rng.choice([8, 8, 10])))
        if stride == 1:
            self.depthwise()
        else:
            self.depthwise(stride, int(self.rng.choice([1, 3, 5])))
        self.dense(channels)
        same = self.graph.type(before).shape == self.graph.type(self.last).shape
        return self.add(before) if same else self.last

    def check(self, sizes: Sizes) -> Program:
        """Compare every node with its reference; return the program."""
        check_graph(self.graph, random_codes(self.rng, self.graph.input_type), sizes)
        return compile_graph(self.graph, sizes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_random_chains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = Chain(rng, (int(rng.integers(8, 24)), int(rng.integers(8, 24)), 5))
    skip = chain.bottleneck(6, int(rng.choice([1, 2])))
    for _ in range(int(rng.integers(1, 4))):
        chain.bottleneck(6, int(rng.choice([1, 1, 2, 3])))
    if chain.graph.type(skip).shape == chain.graph.type(chain.last).shape:
        chain.add(skip)
    chain.conv(9)
    pixels = int(rng.choice([2, 4, 8]))
    words = int(rng.choice([1024, 2048, 8192])) // pixels
    chain.check(Sizes(pixels=pixels, feature_words=words, weight_words=128, parameter_groups=8))


def test_bands_keep_rows_and_nothing_is_done_twice() -> None:
    """The rows that a window shares with the next band are copied, not computed again."""
    chain = Chain(np.random.default_rng(0), (24, 16, 8))
    chain.dense(16)
    chain.depthwise()
    chain.dense(8)
    program = chain.check(Sizes(pixels=2, feature_words=1024))
    runs = Counter(program.nodes.values())
    assert runs["n1"] > 1, "one band"
    assert len(program.stored) == 1, "a map between two layers went to DRAM"
    made = Counter[str]()
    for index, tag in program.tags.items():
        if isinstance(program.instructions[index], isa.Array):
            rows, columns, channels = (s for s in tag.index if isinstance(s, slice))
            made[tag.node] += (rows.stop - rows.start) * len(range(*columns.indices(999)))
            assert channels.stop > channels.start
    assert made == {"n0": 24 * 16, "n1": 24 * 16, "n2": 24 * 16}
    loads = [i for i in program.instructions if isinstance(i, isa.LoadMap)]
    assert sum(load.rows for load in loads) == 24
    blocks = [i for i in program.instructions if isinstance(i, isa.LoadBlock)]
    assert len({(b.target, b.offset) for b in blocks}) == len(blocks), "a constant came twice"


def test_what_nobody_needs_counts_as_unwritten() -> None:
    """At the last store its rows are alive, and those from which they were computed."""
    chain = Chain(np.random.default_rng(0), (24, 16, 8))
    chain.dense(16)
    chain.depthwise()
    chain.dense(8)
    program = compile_graph(chain.graph, Sizes(pixels=2, feature_words=1024))
    simulator = Simulator(program, chain.graph)
    *_, (_, store) = simulator.steps(random_codes(chain.rng, chain.graph.input_type))
    assert isinstance(store, isa.Store)
    alive = int(simulator.memories.features.written.sum())
    assert alive == store.rows * store.pixels * (4 * store.words + 16)


def test_a_band_may_be_a_row() -> None:
    """Words for two rows more of the widest map than a window needs: so there is no cut."""
    # Bands of two rows are 7, fewer than the 8 that are tried; bands of one row come after them.
    chain = Chain(np.random.default_rng(0), (13, 16, 8))
    chain.dense(32)
    chain.depthwise()
    chain.dense(8)
    # Three rows of 9 pairs of pixels with 8 words; a row of each other map.
    program = chain.check(Sizes(pixels=2, feature_words=3 * 9 * 8 + 8 * 8))
    assert list(program.stored.values()) == ["n2"]
    assert Counter(program.nodes.values())["n1"] == 13


def test_words_behind_the_kept_rows_are_free_until_the_next_band() -> None:
    """The result takes words of the map from which its input was computed."""
    chain = Chain(np.random.default_rng(0), (24, 16, 8))
    chain.dense(32)
    chain.depthwise()
    chain.dense(8)
    program = chain.check(Sizes(pixels=2, feature_words=1024))
    places = {
        name: min(lying.view.base for found in program.lying.values() for lying in found
                  if lying.tensor == name)
        for name in ("n0", "n1", "n2")
    }  # fmt: skip
    ends = max(
        lying.view.base + 8 * lying.view.row
        for found in program.lying.values()
        for lying in found
        if lying.tensor == "n0"
    )
    assert places["n0"] < places["n2"] < ends


def test_a_step_of_columns_is_split_before_the_pointwise_layer() -> None:
    chain = Chain(np.random.default_rng(1), (16, 16, 4))
    chain.dense(8)
    chain.depthwise(2)
    program = chain.check(Sizes(pixels=4))
    (load,) = (i for i in program.instructions if isinstance(i, isa.LoadMap))
    assert load.planes == 2
    assert list(program.stored.values()) == ["n1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "rows", "columns"), [(4096, 6, 37), (600, 3, 37), (120, 1, 37), (80, 1, 12)]
)
def test_codes_between_two_sums_take_what_is_free(words: int, rows: int, columns: int) -> None:
    """The words that are left hold them as a whole, some rows of them, or parts of a row."""
    chain = Chain(np.random.default_rng(6), (6, 37, 6))
    chain.dense(8, bits=10)
    chain.swish()
    chain.depthwise(2)
    program = chain.check(Sizes(pixels=4, feature_words=words))
    # With room enough the columns are split for the step of the last layer, without a cut.
    assert (list(program.stored.values()) == ["n2"]) == (words >= 600)
    lookups = [i for i in program.instructions if isinstance(i, isa.Array) and i.table]
    assert len({i.bank for i in lookups}) == 2, "tables of three bytes"
    assert max(i.rows for i in lookups) == rows
    assert max(i.pixels for i in lookups) == (-(-columns // 2) if words >= 600 else columns)


def test_where_planes_disagree_the_map_goes_through_dram() -> None:
    chain = Chain(np.random.default_rng(2), (16, 16, 4))
    chain.depthwise(1)
    chain.depthwise(2)
    program = chain.check(Sizes(pixels=4))
    assert list(program.stored.values()) == ["n0", "n1"]


def test_a_row_that_does_not_fit_is_split() -> None:
    chain = Chain(np.random.default_rng(3), (6, 40, 16))
    chain.bottleneck(16)
    program = chain.check(Sizes(pixels=2, feature_words=128))
    stores = [i for i in program.instructions if isinstance(i, isa.Store)]
    assert any(store.pixels < 40 for store in stores)
    assert len(program.stored) == len(set(program.nodes.values()))


def test_a_table_that_returns_is_loaded_once() -> None:
    """Two layers of three bands with a table each: both tables lie beside each other."""
    chain = Chain(np.random.default_rng(4), (24, 16, 8))
    for seed in range(2):
        before = chain.dense(16)
        q = chain.graph.type(before).quantization
        values = np.random.default_rng(seed).permutation(256)[: 1 << q.bits] - 128
        chain._add(ops.Table(values, Quantization(8, True, zero_point=(0,)), q.qmin), before)
    program = chain.check(Sizes(pixels=2, feature_words=512))
    assert len(program.nodes) > 2
    tables = [i for i in program.instructions if getattr(i, "target", None) == isa.TABLES]
    assert [i.dest for i in tables if isinstance(i, isa.LoadBlock)] == [0, 1024]


def test_an_observed_program_leaves_every_tensor_in_dram() -> None:
    chain = Chain(np.random.default_rng(5), (16, 12, 4))
    for _ in range(2):
        chain.bottleneck(8)
    program = compile_graph(chain.graph, Sizes(pixels=2, feature_words=256), observed=True)
    codes = random_codes(chain.rng, chain.graph.input_type)
    simulator = Simulator(program, chain.graph)
    simulator.run(codes)
    for name, expected in chain.graph.reference(codes[None]):
        if name != "x":
            place = program.places[name]
            data = simulator.memories.dram[place.base].data[place.offset :]
            found = place.layout.unpack(data).reshape(expected[0].shape)
            assert np.array_equal(found, expected[0]), name
