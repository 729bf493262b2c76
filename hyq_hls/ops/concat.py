"""Concatenation of channels on a common grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding, equal_lanes
from hyq_hls.graph.kernel import Kernel, RequantizeRom, Rom, Signed, zero_point_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points

#: Stages of the circuit: centre, and three of the requantization.
_STAGES = 4


@dataclass(frozen=True, eq=False)
class Concat(Operation):
    """``y = [requantize_a(a - zero_point_a), requantize_b(b - zero_point_b)]`` on the last axis.

    Args:
        requantize: of the first and of the second input; to codes of the same width, with the same
            scale and zero point, or with those of the channels of each.
        zero_points: of the inputs, (1,) or (C,) each.

    Raises:
        GraphError: not two of each, or codes of different widths.
    """

    name: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = 2
    ports: ClassVar[tuple[str, ...]] = ("a", "b")

    requantize: tuple[Requantize, Requantize]
    zero_points: tuple[tuple[int, ...], tuple[int, ...]]

    def __post_init__(self) -> None:
        if len(self.requantize) != 2 or len(self.zero_points) != 2:
            raise GraphError(
                f"two requantizations and two zero points are wanted, found {len(self.requantize)} "
                f"and {len(self.zero_points)}; chain several concatenations for more inputs"
            )
        first, second = (r.quantization for r in self.requantize)
        if (first.bits, first.signed) != (second.bits, second.signed):
            raise GraphError(
                f"both inputs must go to codes of the same width, found {first} and {second}"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        a, b = inputs
        if a.shape[:-1] != b.shape[:-1]:
            raise GraphError(f"inputs may differ in the last axis only, found {a.shape}, {b.shape}")
        for x, requantize, zero, letter in self._parts(inputs):
            check_affine(x, f"input {letter}")
            check_zero_points(zero, x, f"input {letter}")
            requantize.check(centred(x), x.channels)
        shape = (*a.shape[:-1], a.channels + b.channels)
        return TensorType(shape, self._joined(a.channels, b.channels))

    def _joined(self, *channels: int) -> Quantization:
        """Of both parts: one scale and zero point where they share them, else one per channel."""
        first, second = (r.quantization for r in self.requantize)
        if first == second and not first.per_channel:
            return first
        parts = list(zip((first, second), channels, strict=True))
        scale = [s for q, count in parts for s in np.broadcast_to(q.scale, count).tolist()]
        zero = [z for q, count in parts for z in np.broadcast_to(q.zero_point, count).tolist()]
        return Quantization(first.bits, first.signed, tuple(scale), tuple(zero))

    def reference(self, *codes: Codes) -> Codes:
        parts = [
            requantize(x - np.asarray(zero))
            for x, requantize, zero in zip(codes, self.requantize, self.zero_points, strict=True)
        ]
        return np.concatenate(parts, axis=-1)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return centred(inputs[0]) | centred(inputs[1])

    def foldings(self, *inputs: TensorType) -> list[Folding]:
        """Lanes that divide the channels of both inputs."""
        a, b = inputs
        return equal_lanes(gcd(a.channels, b.channels))

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        lanes = folding.outputs
        acc = self.accumulator(*inputs)
        q = self.requantize[0].quantization
        roms: list[Rom | RequantizeRom] = []
        scaled_bits = 0
        for x, requantize, zero, letter in self._parts(inputs):
            scaled_bits = max(scaled_bits, requantize.scaled_bits(centred(x)))
            roms.append(zero_point_rom(zero, lanes, f"zero_point_{letter}"))
            roms.append(requantize.rom(lanes, f"requantize_{letter}"))
        return Kernel(
            constants={
                "words": inputs[0].words,
                "channels_a": inputs[0].channels,
                "channels_b": inputs[1].channels,
                "in_lanes": lanes,
                "out_lanes": lanes,
                "code_min": Signed(q.qmin),
                "code_max": Signed(q.qmax),
            },
            integers={
                "accumulator_t": (acc.bits, True),
                "scaled_t": (scaled_bits, True),
            },
            roms=tuple(roms),
        )

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        a, b = inputs
        return (a.size + b.size) // folding.outputs

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        return self.cycles(folding, *inputs) - 1 + _STAGES

    def _parts(
        self, inputs: tuple[TensorType, ...]
    ) -> list[tuple[TensorType, Requantize, tuple[int, ...], str]]:
        return list(zip(inputs, self.requantize, self.zero_points, ("a", "b"), strict=True))
