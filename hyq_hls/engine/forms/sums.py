"""Sums of products of codes and constants: most of a network, in the form of the array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, check_sum
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import Quantization

#: Channels of an output that the array computes at a time.
OUTPUTS = 16
LARGEST_CODE = 255
#: A weight in DRAM is a byte.
WEIGHT_LOW, WEIGHT_HIGH = -128, 127
#: All three inputs of an output see the same code in a depthwise sum, so three bytes add up.
DEPTHWISE_LOW, DEPTHWISE_HIGH = 3 * WEIGHT_LOW, 3 * WEIGHT_HIGH
MAX_PASSES = 4
MAX_KERNEL = 255


@dataclass(frozen=True)
class Sliding:
    """Geometry of a window that slides over a map; a window of one position by default.

    Attributes:
        kernel: taps, vertically and horizontally, as the other pairs.
        stride: step of the window.
        dilation: step from tap to tap.
        padding: border on each side.
    """

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Return rows and pixels of the result."""
        extents = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        rows, pixels = (
            (size + 2 * pad - extent) // stride + 1
            for size, extent, stride, pad in zip(
                (height, width), extents, self.stride, self.padding, strict=True
            )
        )
        return rows, pixels


class Region(NamedTuple):
    """Positions from ``y0`` and ``x0`` up to ``y1`` and ``x1``, the ends not included.

    Position k of an axis is line ``step * k + y``, or ``step * k + x``, of the output.

    Attributes:
        y0, y1: first row of positions, and the one behind the last.
        x0, x1: first column of positions, and the one behind the last.
        step: lines of the output from position to position.
        y, x: the line of the first position of a row, and of a column.
    """

    y0: int
    y1: int
    x0: int
    x1: int
    step: int = 1
    y: int = 0
    x: int = 0

    @property
    def lines(self) -> tuple[slice, slice]:
        """Rows and columns of the output."""
        return self.of(self.y, self.y0, self.y1), self.of(self.x, self.x0, self.x1)

    def of(self, phase: int, start: int, stop: int) -> slice:
        """Return the lines of positions ``start`` to ``stop``, which are not none."""
        return slice(self.step * start + phase, self.step * (stop - 1) + phase + 1, self.step)


def as_map(codes: Codes) -> Codes:
    """Return codes (B, rows, pixels, C) of a map, of tokens, of scores or of a vector."""
    if codes.ndim > 4:  # scores: every query is a row, and every head a pixel
        return codes.reshape(codes.shape[0], -1, *codes.shape[-2:])
    return codes if codes.ndim == 4 else codes.reshape(codes.shape[0], 1, 1, -1)


def byte_planes(codes: Codes, planes: int) -> list[Codes]:
    """Return the bytes of stored codes, the highest first."""
    return [(codes >> (BYTE * k)) & LARGEST_CODE for k in reversed(range(planes))]


def digits(weight: Codes, low: int, high: int, planes: int) -> Codes:
    """Return digits (passes, *weight) of base 256, the highest first.

    One digit, between ``low`` and ``high``, is enough where all weights lie there. Otherwise
    digits are balanced, -128 to 127.

    Args:
        weight: the weights.
        low: the smallest weight of one digit.
        high: the largest weight of one digit.
        planes: bytes of the codes that meet them.

    Raises:
        ConversionError: codes and weights would both be split.
    """
    if weight.min() >= low and weight.max() <= high:
        return weight[None]
    found, rest = [], weight
    while rest.any():
        digit = ((rest + 128) & LARGEST_CODE) - 128
        found.append(digit)
        rest = (rest - digit) >> BYTE
    if planes > 1:
        raise _both_split(f"weights of {len(found)} bytes")
    return np.stack(found[::-1])


def planes_of(quantization: Quantization) -> int:
    """Return the bytes of a stored code."""
    return -(-quantization.bits // BYTE)


@dataclass(frozen=True, eq=False)
class Sums:
    """``out = stage(sum over passes of 256**(passes - 1 - d) * sum of codes * weight[d])``.

    With codes of two bytes, pass d takes byte d of the codes; otherwise passes are digits of the
    weights, and take the same codes. A summand that differs from position to position is one more
    input, of constants: pass d takes byte d of it, and the codes meet the last pass alone.

    Attributes:
        weight: int64; dense (passes, inputs, kernel height, kernel width, C, O), depthwise (passes,
            inputs, kernel height, kernel width, C), where O = C. A summand is the last input.
        depthwise: whether every channel has weights of its own.
        planes: bytes of a code.
        stage: what follows the sum.
        sliding: geometry of the window; with two inputs it has one position.
        border: stored codes (C,) around the map.
        inputs: which inputs of the node are summed.
        source_channel: first channel that is read.
        channel: first channel that is written.
        highest: the largest highest byte of a code or of a summand of several bytes.
        summand: constants (R, C) from 0 on, where position p takes row ``p % R``; or None.
        region: the part of the output that this is; None for the whole.

    Raises:
        ConversionError: too many passes, or sums that may leave 32 bits.
    """

    weight: Codes
    depthwise: bool
    planes: int
    stage: OutputStage
    sliding: Sliding = field(default_factory=Sliding)
    border: Codes = field(default_factory=lambda: np.zeros(1, np.int64))
    inputs: tuple[int, ...] = (0,)
    source_channel: int = 0
    channel: int = 0
    highest: int = LARGEST_CODE
    summand: Codes | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.planes > 1 and self.weight.shape[0] == 1:
            object.__setattr__(self, "weight", np.repeat(self.weight, self.planes, axis=0))
        passes, inputs = self.weight.shape[:2]
        if self.planes > 1 and inputs > 1:
            raise _both_split(f"{inputs} inputs")
        if passes > MAX_PASSES:
            raise ConversionError(
                f"weights of {passes} bytes; the engine takes {MAX_PASSES}; use fewer bits"
            )
        if max(self.sliding.kernel) > MAX_KERNEL:
            raise ConversionError(
                f"a window of {self.sliding.kernel}; the engine's have {MAX_KERNEL} taps at most "
                "in each direction; use a smaller one"
            )
        self._check_bounds()

    def _check_bounds(self) -> None:
        axes = (1, 2, 3) if self.depthwise else (1, 2, 3, 4)
        low = np.minimum(self.weight, 0).sum(axis=axes)
        high = np.maximum(self.weight, 0).sum(axis=axes)
        total_low, total_high = np.zeros_like(low[0]), np.zeros_like(high[0])
        for d, (lowest, highest) in enumerate(zip(low, high, strict=True)):
            split = self.planes > 1 or (self.summand is not None and len(self.weight) > 1)
            code = self.highest if d == 0 and split else LARGEST_CODE
            total_low = (total_low << BYTE) + code * lowest
            total_high = (total_high << BYTE) + code * highest
            check_sum(Bounds(int(total_low.min()), int(total_high.max())), "sums")
        low, high = total_low + self.stage.bias, total_high + self.stage.bias
        check_sum(Bounds(int(low.min()), int(high.max())), "sums with their biases")

    @property
    def reads(self) -> tuple[int, ...]:
        """Which inputs an instruction reads; a summand stands behind those of the node."""
        return self.inputs if self.summand is None else (*self.inputs, max(self.inputs) + 1)

    def execute(self, *inputs: Codes) -> Codes:
        """Return the stored output codes (B, rows, pixels, O) of the node's stored inputs."""
        return self.stage(self.sums(*inputs))

    def sums(self, *inputs: Codes) -> Codes:
        """Return the accumulators (B, rows, pixels, O), without the bias."""
        maps = [self._padded(as_map(inputs[i])) for i in self.inputs]
        passes = self.weight.shape[0]
        sources = [byte_planes(m, passes) if self.planes > 1 else [m] * passes for m in maps]
        if self.summand is not None:
            sources.append(byte_planes(self.summands(*maps[0].shape[1:3])[None], passes))
        total: Codes | int = 0
        for d in range(passes):
            shifted = total << BYTE
            total = shifted + sum(
                self._taps(source[d], self.weight[d, j]) for j, source in enumerate(sources)
            )
        assert isinstance(total, np.ndarray)
        return total

    def summands(self, rows: int, pixels: int) -> Codes:
        """Return the summand (rows, pixels, C) of every position."""
        assert self.summand is not None
        repeated = np.tile(self.summand, (rows * pixels // len(self.summand), 1))
        return repeated.reshape(rows, pixels, -1)

    def _padded(self, x: Codes) -> Codes:
        (ph, pw), channels = self.sliding.padding, self.weight.shape[4]
        x = x[..., self.source_channel : self.source_channel + channels]
        if not (ph or pw):
            return x
        b, h, w, c = x.shape
        padded = np.empty((b, h + 2 * ph, w + 2 * pw, c), np.int64)
        start = self.source_channel if self.border.size > 1 else 0
        padded[:] = self.border[start : start + channels]
        padded[:, ph : ph + h, pw : pw + w] = x
        return padded

    def _taps(self, x: Codes, weight: Codes) -> Codes:
        (sy, sx), (dy, dx) = self.sliding.stride, self.sliding.dilation
        ky, kx = weight.shape[:2]
        rows = (x.shape[1] - (ky - 1) * dy - 1) // sy + 1
        pixels = (x.shape[2] - (kx - 1) * dx - 1) // sx + 1
        total = np.zeros((x.shape[0], rows, pixels, self.stage.channels))
        real = x.astype(np.float64)  # products of a library; every sum is exact below 2**53
        for y in range(ky):
            for z in range(kx):
                top, left = y * dy, z * dx
                tap = real[:, top : top + (rows - 1) * sy + 1 : sy]
                tap = tap[:, :, left : left + (pixels - 1) * sx + 1 : sx]
                total += tap * weight[y, z] if self.depthwise else tap @ weight[y, z].astype(float)
        return total.astype(np.int64)


def executed(parts: Sequence[Sums], *inputs: Codes) -> Codes:
    """Return the stored output codes (B, rows, pixels, O) that several sums make together.

    Args:
        parts: sums with channels of their own, or with regions of their own.
        inputs: stored codes of the inputs of the node.
    """
    found = [sums.execute(*inputs) for sums in parts]
    if parts[0].region is None:
        return np.concatenate(found, axis=-1)
    regions = [sums.region for sums in parts if sums.region is not None]
    height, width = (max(r.lines[axis].stop for r in regions) for axis in range(2))
    whole = np.zeros((len(found[0]), height, width, found[0].shape[-1]), np.int64)
    for region, codes in zip(regions, found, strict=True):
        y0, y1, x0, x1 = region[:4]
        rows, columns = region.lines
        whole[:, rows, columns] = codes[:, y0:y1, x0:x1]
    return whole


def _both_split(other: str) -> ConversionError:
    """Return the error of codes of several bytes that meet something else of several parts."""
    return ConversionError(
        f"codes of more than {BYTE} bits meet {other}; the engine splits one of them; quantize "
        f"this input to {BYTE} bits"
    )
