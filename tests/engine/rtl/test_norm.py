"""hyq_engine_norm: LayerNorms with loaded parameters equal the reference of the operation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.layer_norm import LayerNorm, layer_norm_precision
from hyq_hls.tools.verilator import Simulator
from tests.engine.rtl.bench import Ints, read_feature, simulator, write_feature
from tests.engine.rtl.model import Fields, encoded
from tests.engine.rtl.test_softmax import FIELDS as SOFTMAX_FIELDS
from tests.engine.rtl.test_softmax import places

pytestmark = pytest.mark.slow

WORDS, CHANNELS = 256, 64
FIELDS = {
    **{name: place for name, place in SOFTMAX_FIELDS.items() if place[0] < 9 and name != "kind"},
    "bits": (9, 4, 0),
}


@dataclass(frozen=True)
class Case:
    """A LayerNorm and an instruction that runs it."""

    operation: LayerNorm
    fields: Fields

    @property
    def channels(self) -> int:
        return int(self.operation.gamma.size)

    @property
    def words(self) -> int:
        """Words of a pixel."""
        return 1 if self.channels <= 4 else 2 * -(-self.channels // 8)

    def beats(self) -> list[int]:
        """Return the norm memory in beats of 8 bytes."""
        op = self.operation
        header = op.root_bits | op.reciprocal_bits << 8 | op.normalized_bits << 16
        beats = [op.epsilon, header | self.channels << 32, 0, 0]
        zero_in, k, zero_out, shift = (
            np.broadcast_to(values, self.channels).tolist()
            for values in (
                op.zero_point,
                op.factor_shift,
                np.array(op.requantize.quantization.zero_point) - op.requantize.quantization.qmin,
                op.requantize.shift + 7,
            )
        )
        for c in range(self.channels):
            gamma, beta = int(op.gamma[c]) & 0xFFFF, int(op.beta[c]) & 0xFFFFFFFF
            beats += [gamma | zero_in[c] << 16 | k[c] << 24 | beta << 32]
            beats += [zero_out[c] | shift[c] << 16]
        return beats

    def expected(self, feature: Ints) -> Ints:
        """Return the feature memory afterwards."""
        result: Ints = feature.copy()
        sources, targets = (places(self.fields, v, len(feature)) for v in ("src", "dst"))
        for (bank, at), (to_bank, to) in zip(sources, targets, strict=True):
            codes = feature[bank, at : at + self.words].reshape(-1)[: self.channels]
            row = np.zeros(4 * self.words, np.int64)
            out = self.operation.reference(codes[None])[0]
            row[: self.channels] = out - self.operation.requantize.quantization.qmin
            result[to_bank, to : to + self.words] = row.reshape(-1, 4)
        return result


def random_case(rng: np.random.Generator, pixels: int) -> Case:
    """Draw parameters as quantized models have them, and wider ones."""
    channels = int(rng.choice([1, 3, 4, 5, 16, 20, 40, CHANNELS]))
    while True:
        k = rng.integers(0, int(rng.choice([1, 4, 16])), channels)
        zero = tuple(int(z) for z in rng.integers(0, 256, channels))
        x = TensorType((channels,), Quantization(8, False, (1.0,), zero))
        epsilon = int(rng.integers(1, 1 << int(rng.integers(1, 20))))
        try:
            t, n, f = layer_norm_precision(x, k, epsilon, int(rng.integers(6, 13)))
        except GraphError:
            continue
        break
    gamma_bits = int(rng.integers(2, 17))
    gamma = rng.integers(-(1 << gamma_bits - 1), 1 << gamma_bits - 1, channels)
    beta = rng.integers(-(1 << 31), 1 << 31, channels) >> rng.integers(0, 31, channels)
    bits, signed = int(rng.integers(2, 9)), bool(rng.integers(2))
    quantization = Quantization(bits, signed)
    zero_out = rng.integers(quantization.qmin, quantization.qmax + 1, channels)
    quantization = Quantization(bits, signed, (1.0,), tuple(int(z) for z in zero_out))
    # From codes that fill their range to codes that are all at its ends.
    middle = f + gamma_bits - bits
    shift = rng.integers(max(-7, middle - 4), max(-6, middle + 6), channels)
    requantize = Requantize(quantization, shift, np.ones(1, np.int64))
    op = LayerNorm(k, zero, epsilon, t, n, f, gamma, beta, gamma_bits, 32, requantize)
    words = 1 if channels <= 4 else 2 * -(-channels // 8)
    view = {"base": int(rng.integers(4)), "group": words, "x0": int(rng.integers(4))}
    count = int(rng.integers(1, 5))
    view["row"] = (view["x0"] + count) // pixels * words + words
    dst = view if rng.integers(2) else view | {"base": 128, "x0": int(rng.integers(2))}
    fields = {
        "queue": 5,
        "version": 1,
        **{f"src_{name}": value for name, value in view.items()},
        **{f"dst_{name}": value for name, value in dst.items()},
        "rows": 2 if view["row"] < 60 else 1,
        "pixels": count,
        "bits": bits,
    }
    return Case(op, fields)


class Bench:
    def __init__(self, sim: Simulator, pixels: int, lanes: int) -> None:
        self.sim, self.pixels, self.lanes = sim, pixels, lanes

    def start(self, case: Case) -> None:
        io = self.sim.io
        io.load_write_i = 1
        for address, data in enumerate(case.beats()):
            io.load_address_i, io.load_data_i = address, data
            self.sim.clock.tick()
        io.load_write_i = 0
        io.instruction_i, io.start_i = encoded(case.fields, FIELDS), 1
        self.sim.clock.tick()
        io.start_i = 0

    def check(self, case: Case, feature: Ints) -> None:
        write_feature(self.sim, feature)
        self.start(case)
        f = case.fields
        bits = case.operation.reciprocal_bits
        passes = 2 * (4 * case.words // self.lanes + 1)
        limit = f["rows"] * f["pixels"] * max(passes, bits + 2, 32) + passes + bits + 100
        for _ in range(limit):
            if self.sim.io.done_o:
                break
            self.sim.clock.tick()
        else:
            raise AssertionError(f"not done after {limit} cycles: {f}")
        self.sim.clock.tick(2)
        found = read_feature(self.sim, self.pixels, WORDS)
        np.testing.assert_array_equal(found, case.expected(feature), str(case))


@pytest.fixture(scope="module", params=[(2, 2), (4, 1), (8, 4)], ids=str)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    pixels, lanes = request.param
    sim = simulator(
        "norm_bench",
        tmp_path_factory.mktemp("norm"),
        Pixels=pixels,
        Words=WORDS,
        Channels=CHANNELS,
        Lanes=lanes,
    )
    return Bench(sim, pixels, lanes)


def random_feature(rng: np.random.Generator, pixels: int) -> Ints:
    """Draw codes: any, only ends, or all the same, whose variance is 0."""
    shape = (pixels, WORDS, 4)
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(0, 256, shape)
    return rng.choice([0, 255], shape) if kind == 1 else np.full(shape, rng.integers(256))


def test_pixels_are_normalized(bench: Bench) -> None:
    rng = np.random.default_rng(bench.pixels)
    for _ in range(30):
        case = random_case(rng, bench.pixels)
        bench.check(case, random_feature(rng, bench.pixels))


def test_a_reset_in_mid_instruction_leaves_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    for cycles in range(3, 150, 29):
        bench.start(random_case(rng, bench.pixels))
        bench.sim.clock.tick(cycles)
        bench.sim.reset()
        bench.check(random_case(rng, bench.pixels), random_feature(rng, bench.pixels))
