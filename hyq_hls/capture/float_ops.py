"""Float operations of a captured network.

Layout is channels-last, and every tensor carries a batch axis in front:

- feature map ``(B, H, W, C)``
- tokens ``(B, P, N, C)``: P pixels of a patch, N patches. With patch ``(ph, pw)`` and a grid of
  ``nh x nw`` patches, token ``(p = a * pw + b, n = i * nw + j)`` is pixel
  ``(i * ph + a, j * pw + b)``.
- attention scores ``(B, P, N, heads, M)``: query-major, ``[p, query, head, key]``
- vector ``(B, C)``

Parameters are numpy float64 arrays, C-contiguous and read-only. So a float32 checkpoint is held
exactly, and constants that a layer absorbs lose nothing worth naming. ``forward`` computes in the
dtype and on the device of its first input. ``output_shape`` takes and returns shapes without the
batch axis. ``dataclasses.replace(op, weight=new_weight)`` changes a parameter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from hyq_hls.capture.float_op import Array, FloatOp, Shape, as_tensor
from hyq_hls.capture.pair import Pair
from hyq_hls.errors import ShapeError


@dataclass(frozen=True, eq=False, repr=False)
class Input(FloatOp):
    """The image.

    Attributes:
        shape: (H, W, C).
    """

    shape: Shape

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the image shape; takes no inputs."""
        self._expect(not shapes, shapes, "no input")
        return self.shape

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return the one given image batch ``(B, H, W, C)``."""
        (x,) = inputs
        return x


@dataclass(frozen=True, eq=False, repr=False)
class Conv2d(FloatOp):
    """Convolution with zero padding, ``(H, W, I) -> (H', W', O)``.

    Attributes:
        weight: ``(O, kh, kw, I / groups)``.
        bias: ``(O,)``.
        stride: vertical and horizontal step ``(sh, sw)``.
        padding: zeros on each side ``(ph, pw)``.
        groups: groups of neighbouring channels, which divide I and O; I = O for a depthwise
            convolution.
        dilation: rows and columns from one weight to the next ``(dh, dw)``.
    """

    weight: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        self._freeze(weight=4, bias=1)
        outputs = self.weight.shape[0]
        if self.bias.shape != (outputs,) or outputs % self.groups:
            raise ShapeError(f"{self!r}: bias must be (O,), and groups must divide O")

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return int(self.weight.shape[3]) * self.groups

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the map from the first weight of a window to the last."""
        (_, height, width, _), (down, right) = self.weight.shape, self.dilation
        return (height - 1) * down + 1, (width - 1) * right + 1

    def undilated(self) -> Conv2d:
        """Return the same convolution with zeros between its weights in the place of dilation."""
        outputs, _, _, width = self.weight.shape
        weight = np.zeros((outputs, *self.extent, width))
        weight[:, :: self.dilation[0], :: self.dilation[1]] = self.weight
        return replace(self, weight=weight, dilation=(1, 1))

    def after(self, multiplier: Array, offset: Array) -> Conv2d:
        """Return the convolution of ``multiplier * x + offset``, constants ``(I,)`` per channel.

        It is the same where no zero of the padding takes part.
        """
        outputs, *_, width = self.weight.shape
        # Row o reads the channels of its group.
        columns = (np.arange(outputs) * self.groups // outputs)[:, None] * width + np.arange(width)
        bias = self.bias + (self.weight.sum(axis=(1, 2)) * offset[columns]).sum(axis=1)
        return replace(self, weight=self.weight * multiplier[columns][:, None, None], bias=bias)

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(H', W', O)`` for ``(H, W, I)``."""
        ok = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][2] == self.in_channels
        self._expect(ok, shapes, f"(H, W, {self.in_channels})")
        size = [
            (shapes[0][axis] + 2 * self.padding[axis] - extent) // self.stride[axis] + 1
            for axis, extent in enumerate(self.extent)
        ]
        self._expect(min(size) > 0, shapes, f"a map not smaller than {self.extent}")
        return (size[0], size[1], int(self.weight.shape[0]))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, I)`` to ``(B, H', W', O)``."""
        (x,) = inputs
        weight = as_tensor(self.weight, x).permute(0, 3, 1, 2)
        y = functional.conv2d(
            x.permute(0, 3, 1, 2),
            weight,
            as_tensor(self.bias, x),
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )
        return y.permute(0, 2, 3, 1)


@dataclass(frozen=True, eq=False, repr=False)
class Linear(FloatOp):
    """Matrix product on the last axis of a map, tokens or a vector; also any 1x1 convolution.

    Attributes:
        weight: ``(O, I)``.
        bias: ``(O,)``.
    """

    weight: Array
    bias: Array

    def __post_init__(self) -> None:
        self._freeze(weight=2, bias=1)
        if self.bias.shape != self.weight.shape[:1]:
            raise ShapeError(f"{self!r}: bias must be (O,)")

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(..., O)`` for ``(..., I)``."""
        outputs, channels = self.weight.shape
        ok = len(shapes) == 1 and len(shapes[0]) > 0 and shapes[0][-1] == channels
        self._expect(ok, shapes, f"(..., {channels})")
        return (*shapes[0][:-1], int(outputs))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, ..., I)`` to ``(B, ..., O)``."""
        (x,) = inputs
        return functional.linear(x, as_tensor(self.weight, x), as_tensor(self.bias, x))


@dataclass(frozen=True, eq=False, repr=False)
class Add(Pair):
    """Sum of two tensors, element by element."""

    def combine(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Add two tensors of one shape."""
        return a + b


@dataclass(frozen=True, eq=False, repr=False)
class Concat(FloatOp):
    """Concatenation on the last axis (channels) of two or more inputs, position by position.

    The result has the other axes of the first input. A vector and a map of one position fit.
    """

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(..., C1 + C2 + ...)`` for ``(..., C1)``, ``(..., C2)``, ..."""
        leading = {shape[:-1] for shape in shapes}
        alike = len(leading) == 1 or all(math.prod(axes) == 1 for axes in leading)
        self._expect(len(shapes) > 1 and alike, shapes, "inputs equal but for channels")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Concatenate on the last axis."""
        lead = inputs[0].shape[:-1]
        return torch.cat([x.reshape(*lead, x.shape[-1]) for x in inputs], dim=-1)


@dataclass(frozen=True, eq=False, repr=False)
class Normalization(FloatOp):
    """The common part of normalizations: a factor and a summand for every channel.

    Attributes:
        weight: factor of each channel ``(C,)``.
        bias: summand of each channel ``(C,)``.
        eps: summand of the variance.
    """

    weight: Array
    bias: Array
    eps: float

    def __post_init__(self) -> None:
        self._freeze(weight=1, bias=1)
        if self.bias.shape != self.weight.shape:
            raise ShapeError(f"{self!r}: weight and bias differ in shape")

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(..., C)`` for ``(..., C)``."""
        (channels,) = self.weight.shape
        ok = len(shapes) == 1 and len(shapes[0]) > 0 and shapes[0][-1] == channels
        self._expect(ok, shapes, f"(..., {channels})")
        return shapes[0]


class LayerNorm(Normalization):
    """Normalization over the last axis."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, ..., C)`` to ``(B, ..., C)``."""
        (x,) = inputs
        weight, bias = as_tensor(self.weight, x), as_tensor(self.bias, x)
        return functional.layer_norm(x, weight.shape, weight, bias, self.eps)


@dataclass(frozen=True, eq=False, repr=False)
class AttentionScores(FloatOp):
    """``scale * q @ k^T`` by pixel and head: ``(P, N, C), (P, M, C)`` -> ``(P, N, heads, M)``.

    The inputs are q and k; M = N in self-attention. Channel ``h * (C / heads) + d`` is element d
    of head h.

    Attributes:
        heads: number of heads.
        scale: factor of the products.
    """

    heads: int
    scale: float

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(P, N, heads, M)`` for ``(P, N, C)``, ``(P, M, C)``."""
        ok = len(shapes) == 2 and len(shapes[0]) == len(shapes[1]) == 3
        ok = ok and shapes[0][0] == shapes[1][0] and shapes[0][2] == shapes[1][2]
        ok = ok and shapes[0][2] % self.heads == 0
        self._expect(ok, shapes, f"q (P, N, C) and k (P, M, C) with C divisible by {self.heads}")
        return (shapes[0][0], shapes[0][1], self.heads, shapes[1][1])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, P, N, C)``, ``(B, P, M, C)`` to ``(B, P, N, heads, M)``."""
        q, k = (_heads(x, self.heads) for x in inputs)
        return ((q * self.scale) @ k.transpose(-1, -2)).transpose(2, 3)


@dataclass(frozen=True, eq=False, repr=False)
class Softmax(FloatOp):
    """exp(x) / sum(exp(x)) over one axis.

    Attributes:
        axis: the axis, counted from the end.
    """

    axis: int = -1

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the only input."""
        self._expect(len(shapes) == 1, shapes, "one input")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Normalize the axis."""
        (x,) = inputs
        return functional.softmax(x, dim=self.axis)


@dataclass(frozen=True, eq=False, repr=False)
class AttentionValues(FloatOp):
    """Scores times values, heads merged: ``(P, N, heads, M)``, v ``(P, M, C)`` -> ``(P, N, C)``.

    Attributes:
        heads: number of heads.
    """

    heads: int

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(P, N, C)`` for ``(P, N, heads, M)``, ``(P, M, C)``."""
        ok = len(shapes) == 2 and len(shapes[0]) == 4 and len(shapes[1]) == 3
        ok = ok and shapes[0][0] == shapes[1][0] and shapes[0][3] == shapes[1][1]
        ok = ok and shapes[0][2] == self.heads and shapes[1][2] % self.heads == 0
        self._expect(ok, shapes, f"scores (P, N, {self.heads}, M) and v (P, M, C)")
        return (shapes[0][0], shapes[0][1], shapes[1][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, P, N, heads, M)``, ``(B, P, M, C)`` to ``(B, P, N, C)``."""
        scores, v = inputs
        return (scores.transpose(2, 3) @ _heads(v, self.heads)).transpose(2, 3).flatten(-2)


@dataclass(frozen=True, eq=False, repr=False)
class Unfold(FloatOp):
    """Map ``(H, W, C)`` to tokens ``(P, N, C)`` with P = ph * pw.

    Attributes:
        patch: height and width ``(ph, pw)`` of a patch, which divide ``(H, W)``.
    """

    patch: tuple[int, int]

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(P, N, C)`` for ``(H, W, C)``."""
        ph, pw = self.patch
        ok = len(shapes) == 1 and len(shapes[0]) == 3
        ok = ok and shapes[0][0] % ph == 0 and shapes[0][1] % pw == 0
        self._expect(ok, shapes, f"(H, W, C) with {self.patch} dividing (H, W)")
        height, width, channels = shapes[0]
        return (ph * pw, (height // ph) * (width // pw), channels)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, C)`` to ``(B, P, N, C)``."""
        (x,) = inputs
        ph, pw = self.patch
        batch, height, width, channels = x.shape
        x = x.reshape(batch, height // ph, ph, width // pw, pw, channels)
        return x.permute(0, 2, 4, 1, 3, 5).reshape(batch, ph * pw, -1, channels)


@dataclass(frozen=True, eq=False, repr=False)
class Fold(FloatOp):
    """Tokens ``(P, N, C)`` to the map ``(height, width, C)``; the inverse of ``Unfold(patch)``.

    Attributes:
        patch: height and width ``(ph, pw)`` of a patch.
        height: height of the map.
        width: width of the map.
    """

    patch: tuple[int, int]
    height: int
    width: int

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(height, width, C)`` for ``(P, N, C)``."""
        ph, pw = self.patch
        pixels, patches = ph * pw, (self.height // ph) * (self.width // pw)
        ok = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][:2] == (pixels, patches)
        ok = ok and self.height % ph == 0 and self.width % pw == 0
        self._expect(ok, shapes, f"({pixels}, {patches}, C)")
        return (self.height, self.width, shapes[0][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, P, N, C)`` to ``(B, height, width, C)``."""
        (x,) = inputs
        ph, pw = self.patch
        batch, *_, channels = x.shape
        x = x.reshape(batch, ph, pw, self.height // ph, self.width // pw, channels)
        return x.permute(0, 3, 1, 4, 2, 5).reshape(batch, self.height, self.width, channels)


@dataclass(frozen=True, eq=False, repr=False)
class GlobalAveragePool(FloatOp):
    """Mean over all positions: map ``(H, W, C)`` or tokens ``(P, N, C)`` to a vector ``(C,)``."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(C,)`` for ``(H, W, C)``."""
        self._expect(len(shapes) == 1 and len(shapes[0]) == 3, shapes, "(H, W, C)")
        self._expect(math.prod(shapes[0][:2]) > 0, shapes, "at least one position")
        return shapes[0][2:]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, C)`` to ``(B, C)``."""
        (x,) = inputs
        return x.mean(dim=(1, 2))


def _heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Map ``(B, P, N, C)`` to ``(B, P, heads, N, C / heads)``."""
    *lead, channels = x.shape
    return x.reshape(*lead, heads, channels // heads).transpose(2, 3)
