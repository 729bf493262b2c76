"""Concatenation of channels on a common grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points


@dataclass(frozen=True, eq=False)
class Concat(Operation):
    """``y = [requantize_a(a - zero_point_a), requantize_b(b - zero_point_b)]`` on the last axis.

    Attributes:
        requantize: requantizations of the first and the second input, to codes of the same width.
            Both have the same scale and zero point, or each has those of its channels.
        zero_points: zero points of the inputs, (1,) or (C,) each.

    Raises:
        GraphError: not two of each, or codes of different widths.
    """

    name: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = 2

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
        if a.shape[:-1] != b.shape[:-1] and (a.words, b.words) != (1, 1):
            raise GraphError(f"inputs may differ in the last axis only, found {a.shape}, {b.shape}")
        self.check_parts(inputs)
        shape = (*a.shape[:-1], a.channels + b.channels)
        return TensorType(shape, self._joined(a.channels, b.channels))

    def _joined(self, *channels: int) -> Quantization:
        """Return one scale and zero point where both parts share them, else one per channel."""
        first, second = (r.quantization for r in self.requantize)
        if first == second and not first.per_channel:
            return first
        parts = list(zip((first, second), channels, strict=True))
        scale = [s for q, count in parts for s in np.broadcast_to(q.scale, count).tolist()]
        zero = [z for q, count in parts for z in np.broadcast_to(q.zero_point, count).tolist()]
        return Quantization(first.bits, first.signed, tuple(scale), tuple(zero))

    def check_parts(self, inputs: tuple[TensorType, ...]) -> None:
        """Raise ``GraphError`` where an input does not fit its zero points or requantization."""
        for x, requantize, zero, letter in self.parts(inputs):
            check_affine(x, f"input {letter}")
            check_zero_points(zero, x, f"input {letter}")
            requantize.check(centred(x), x.channels)

    def reference(self, *codes: Codes) -> Codes:
        first, second = self.requantized(codes)
        # A vector may meet a map of one position.
        return np.concatenate([first, second.reshape(*first.shape[:-1], second.shape[-1])], axis=-1)

    def requantized(self, codes: tuple[Codes, ...]) -> list[Codes]:
        """Return both inputs as codes of the output."""
        parts = zip(codes, self.requantize, self.zero_points, strict=True)
        return [requantize(x - np.asarray(zero)) for x, requantize, zero in parts]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return centred(inputs[0]) | centred(inputs[1])

    def parts(
        self, inputs: tuple[TensorType, ...]
    ) -> list[tuple[TensorType, Requantize, tuple[int, ...], str]]:
        """Return the type, requantization, zero points and letter of both inputs."""
        return list(zip(inputs, self.requantize, self.zero_points, ("a", "b"), strict=True))
