"""Residual addition: two tensors on a common grid of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Rom, channel_rom, zero_point_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points

#: Stages of the circuit: centre, factors, sum, and three of the requantization.
_STAGES = 6


@dataclass(frozen=True, eq=False)
class Add(Operation):
    """``y = requantize(sum(multiplier_i * (x_i - zero_point_i)))`` of two inputs.

    The multipliers bring the inputs to a common scale: ``scale_i = multiplier_i * common scale``.
    They are powers of two, and shifts in hardware, when all scales are.

    Args:
        multipliers: of each input, positive int64 (1,) or (C,).
        zero_points: of each input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: not one multiplier vector and one zero point vector for each input, or a
            multiplier that is no positive integer.
    """

    name: ClassVar[str] = "add"
    arity: ClassVar[int | None] = 2
    ports: ClassVar[tuple[str, ...]] = ("a", "b")

    multipliers: tuple[Codes, ...]
    zero_points: tuple[tuple[int, ...], ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        for what in ("multipliers", "zero_points"):
            if len(getattr(self, what)) != self.arity:
                raise GraphError(
                    f"add: {what} for {self.arity} inputs are wanted, found "
                    f"{len(getattr(self, what))}"
                )
        object.__setattr__(self, "multipliers", tuple(map(_multiplier, self.multipliers)))

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Shape of both inputs. Raises ``GraphError``: other shapes, zero points, or lengths."""
        a, b = inputs
        if a.shape != b.shape:
            raise GraphError(f"two inputs of one shape are wanted, found {a.shape} and {b.shape}")
        for letter, x, zero, factor in zip(
            "ab", inputs, self.zero_points, self.multipliers, strict=True
        ):
            check_affine(x, f"input {letter}")
            check_zero_points(zero, x, f"input {letter}")
            if factor.size not in (1, x.channels):
                raise GraphError(
                    f"input {letter} has {factor.size} multipliers for {x.channels} channels; one, "
                    "or one per channel, is wanted"
                )
        self.requantize.check(self.accumulator(a, b), a.channels)
        return TensorType(a.shape, self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        terms = zip(codes, self.zero_points, self.multipliers, strict=True)
        return self.requantize(sum(factor * (x - np.asarray(zero)) for x, zero, factor in terms))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        low = high = np.zeros(inputs[0].channels, dtype=object)  # Python integers do not wrap
        for x, zero, factor in zip(inputs, self.zero_points, self.multipliers, strict=True):
            exact, z = factor.astype(object), np.asarray(zero, dtype=object)
            low = low + exact * (x.quantization.qmin - z)
            high = high + exact * (x.quantization.qmax - z)
        # A zero point is a code, so either term may be zero and is inside these bounds too.
        return Bounds(int(low.min()), int(high.max()))

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        x, lanes = inputs[0], folding.outputs
        integers = {
            f"centred_{letter}_t": (centred(tensor).bits, True)
            for letter, tensor in zip("ab", inputs, strict=True)
        }
        roms: list[Rom] = []
        for letter, zero, factor in zip("ab", self.zero_points, self.multipliers, strict=True):
            multiplier, exponent = _as_power_of_two(factor)
            roms.append(zero_point_rom(zero, lanes, f"zero_point_{letter}"))
            for name, values in (("multiplier", multiplier), ("exponent", exponent)):
                bits = max(1, int(values.max()).bit_length())
                roms.append(channel_rom(f"{name}_{letter}", values, bits, lanes, signed=False))
        return requantized_kernel(
            {"words": x.words, "channels": x.channels, "in_lanes": lanes, "out_lanes": lanes},
            integers,
            roms,
            self.accumulator(*inputs),
            self.requantize,
            lanes,
        )

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        return inputs[0].size // folding.outputs

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        return self.cycles(folding, *inputs) - 1 + _STAGES


def _as_power_of_two(
    factor: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``(multiplier, exponent)`` with ``factor = multiplier << exponent``; one of them is trivial.

    The multiplier is 1 where all factors are powers of two, else the exponent is 0.
    """
    if (factor & (factor - 1)).any():
        return factor, np.zeros(1, np.int64)
    return np.ones(1, np.int64), np.array([int(f).bit_length() - 1 for f in factor])


def _multiplier(values: NDArray[np.int64]) -> NDArray[np.int64]:
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer) or array.min(initial=1) < 1:
        raise GraphError(
            f"add: multipliers are vectors of positive integers, found {array.dtype} {array}; "
            "make the common scale the smallest one"
        )
    array = array.astype(np.int64)
    array.setflags(write=False)
    return array
