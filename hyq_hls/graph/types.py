"""An integer tensor has a shape, a code range, and real values that its codes stand for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from operator import index
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.errors import GraphError

MIN_BITS, MAX_BITS = 2, 16
Encoding = Literal["affine", "log2"]


@dataclass(frozen=True)
class Quantization:
    """The integer codes of a tensor, and the real values that they stand for.

    ``affine``: ``value = scale * (code - zero_point)``.
    ``log2``: ``value = 2**-code``, except the largest code, which stands for zero (attention
    probabilities; multiplying by such a value is a shift).

    Attributes:
        bits: width of a code, 2 to 16.
        signed: two's complement when true, else unsigned.
        scale: real size of one step; one number, or one per channel (last axis). It is a label for
            people and reports: no integer operation reads it.
        zero_point: the code that stands for zero; one number, or one per channel.
        encoding: ``affine`` or ``log2``.

    Raises:
        GraphError: a field is out of range.
    """

    bits: int
    signed: bool
    scale: tuple[float, ...] = (1.0,)
    zero_point: tuple[int, ...] = (0,)
    encoding: Encoding = "affine"

    def __post_init__(self) -> None:
        try:  # numpy's integers too, but as Python's, which can be saved
            object.__setattr__(self, "bits", index(self.bits))
            object.__setattr__(self, "zero_point", tuple(index(z) for z in self.zero_point))
        except TypeError as error:
            raise GraphError(
                f"bits and zero points are integers, found bits {self.bits!r} and zero points "
                f"{self.zero_point!r}"
            ) from error
        if not (self.scale and self.zero_point):
            raise GraphError("a tensor needs a scale and a zero point, or one per channel")
        if not MIN_BITS <= self.bits <= MAX_BITS:
            raise GraphError(
                f"a tensor has {self.bits} bits; {MIN_BITS} to {MAX_BITS} are supported"
            )
        if self.encoding not in ("affine", "log2"):
            raise GraphError(f"unknown encoding {self.encoding!r}; 'affine' or 'log2' is wanted")
        if self.encoding == "log2" and self.signed:
            raise GraphError("a log2 encoding has unsigned codes, but signed=True was given")
        if not all(np.isfinite(s) and s > 0 for s in self.scale):
            raise GraphError(f"scales must be positive and finite, found {self.scale}")
        if not all(self.qmin <= z <= self.qmax for z in self.zero_point):
            raise GraphError(
                f"zero points {self.zero_point} leave the code range [{self.qmin}, {self.qmax}]"
            )

    @property
    def qmin(self) -> int:
        """Smallest code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def qmax(self) -> int:
        """Largest code."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def per_channel(self) -> bool:
        """Whether channels differ in scale or zero point."""
        return len(self.scale) > 1 or len(self.zero_point) > 1

    def codes(self) -> NDArray[np.int64]:
        """Return all codes in ascending order, an array (2**bits,)."""
        return np.arange(self.qmin, self.qmax + 1, dtype=np.int64)

    def quantize(self, values: ArrayLike) -> NDArray[np.int64]:
        """Turn real values into codes: half to even, saturated (calibration and constants only)."""
        real = np.asarray(values, dtype=np.float64)
        if self.encoding == "log2":
            with np.errstate(divide="ignore"):
                codes = np.rint(-np.log2(np.maximum(real, 0.0)))
        else:
            codes = np.rint(real / np.asarray(self.scale)) + np.asarray(self.zero_point)
        return np.clip(codes, self.qmin, self.qmax).astype(np.int64)

    def dequantize(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return the real values that codes stand for (reports and comparisons only)."""
        q = np.asarray(codes, dtype=np.int64)
        if self.encoding == "log2":
            return np.where(q == self.qmax, 0.0, np.exp2(-q.astype(np.float64)))
        shifted: NDArray[np.int64] = q - np.array(self.zero_point, np.int64)
        return shifted.astype(np.float64) * np.array(self.scale, np.float64)


@dataclass(frozen=True)
class TensorType:
    """All that is known of an integer tensor before it has values.

    A feature map is ``(H, W, C)``; tokens are ``(P, N, C)`` (P pixels of a patch, N patches);
    attention scores are ``(P, N, heads, N)``; a vector is ``(C,)``.

    Attributes:
        shape: sizes of the axes, channels last, without the batch axis.
        quantization: what the codes stand for.
    """

    shape: tuple[int, ...]
    quantization: Quantization

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "shape", tuple(index(d) for d in self.shape))
        except TypeError as error:
            raise GraphError(f"a shape needs integers, found {self.shape!r}") from error
        if not self.shape or any(d < 1 for d in self.shape):
            raise GraphError(f"a shape needs positive dimensions, found {self.shape}")
        for what in (self.quantization.scale, self.quantization.zero_point):
            if len(what) not in (1, self.channels):
                raise GraphError(
                    f"{len(what)} scales or zero points on {self.channels} channels; "
                    "one, or one per channel, is wanted"
                )

    @property
    def channels(self) -> int:
        """Size of the last axis."""
        return self.shape[-1]

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return prod(self.shape)

    @property
    def words(self) -> int:
        """Number of stream words of one sample: all channels of a position travel together."""
        return self.size // self.channels

    def check(self, codes: NDArray[Any], name: str) -> None:
        r"""Raise :class:`GraphError` unless ``codes`` (B, \*shape) are integers in range."""
        if not np.issubdtype(codes.dtype, np.integer):
            raise GraphError(f"{name}: integers are wanted, found dtype {codes.dtype}")
        if codes.shape[1:] != self.shape:
            raise GraphError(
                f"{name}: shape (batch, {', '.join(map(str, self.shape))}) is wanted, "
                f"found {codes.shape}"
            )
        if codes.size and not (
            self.quantization.qmin <= codes.min() and codes.max() <= self.quantization.qmax
        ):
            raise GraphError(
                f"{name}: codes in [{codes.min()}, {codes.max()}] leave the range "
                f"[{self.quantization.qmin}, {self.quantization.qmax}]"
            )
