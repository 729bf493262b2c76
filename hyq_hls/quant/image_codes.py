"""The image as codes, when zero is not the byte 0.

A network that normalizes its images pads maps with zeros afterwards, so the border of its first
convolution is the code of a normalized zero. With mean 0.485 this is byte 123.675. The factors of
a normalization go into the weights of the convolution and its summands into the biases, and the
border becomes a code that is near enough: a byte, or a byte with a few fraction bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import Conv2d, Input
from hyq_hls.graph.types import MAX_BITS, Quantization

#: Image bytes stand for value = byte / 255.
IMAGE = Quantization(8, False, (1 / 255,), (0,))
_BYTE_BITS = 8
#: Error of a border in bytes, at activations of 8 bits: ``2**-_BORDER_BITS``. It is a quarter of
#: what the rounding to bytes leaves open in every pixel.
_BORDER_BITS = 3
#: Bits that the centred image may have more than the activations. A zero far outside of the bytes
#: would need more; such an image is requantized like any other value.
_MORE_BITS = 4


@dataclass(frozen=True, eq=False, repr=False)
class CentredInput(Input):
    """The image, less one byte per channel: ``x - zero / 255``.

    Attributes:
        shape: (H, W, C).
        zero: the byte that stands for zero, one or (C,).
    """

    zero: tuple[int, ...] = (0,)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return the given image batch (B, H, W, C), less its zero."""
        (x,) = inputs
        return x - torch.tensor(self.zero, dtype=x.dtype, device=x.device) / 255


@dataclass(frozen=True, eq=False, repr=False)
class CentredImage(FloatOp):
    """The image, less a constant per channel that is no byte: ``x - zero / (255 * 2**f)``.

    Attributes:
        zero: the constant in steps of a byte with fraction bits, one or (C,); it may lie outside of
            the range of bytes.
        fraction_bits: f.
    """

    zero: tuple[int, ...]
    fraction_bits: int

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the image."""
        self._expect(len(shapes) == 1, shapes, "the image")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map (B, H, W, C) to (B, H, W, C)."""
        (x,) = inputs
        zero = torch.tensor(self.zero, dtype=torch.float64) / (255 << self.fraction_bits)
        return x - zero.to(x.dtype).to(x.device)


def image_quantization(op: FloatOp) -> Quantization:
    """Return the codes of the image itself or of the centred image; both hold bytes exactly."""
    if isinstance(op, CentredInput):
        return replace(IMAGE, zero_point=op.zero)
    if not isinstance(op, CentredImage):
        return IMAGE
    # A channel whose zero lies below all bytes is moved up, so that its zero is code 0.
    zero = tuple(max(z, 0) for z in op.zero)
    return Quantization(image_bits(op), False, (1 / (255 << op.fraction_bits),), zero)


def image_bits(op: CentredImage) -> int:
    """Return the width of the codes that hold all bytes and the zero of every channel."""
    top = max((255 << op.fraction_bits) + max(0, -min(op.zero)), *op.zero)
    return top.bit_length()


def centred_on_codes(graph: FloatGraph, activation_bits: int) -> FloatGraph:
    """Give the image codes with an exact zero, where padded convolutions read it normalized.

    The factors and what is left of the summands go into weights and biases. Values at the borders
    change by at most ``2**-3`` bytes at 8-bit activations, and by half as much for every bit more;
    all others stay the same.

    Args:
        graph: float graph, whose other constants are absorbed.
        activation_bits: width of the activations.
    """
    stage = graph[graph.consumers(graph.input)[0]] if graph.consumers(graph.input) else None
    if stage is None or not isinstance(stage.op, ChannelAffine) or stage.name == graph.output:
        return graph
    alone = len(graph.consumers(graph.input)) == 1
    readers = graph.consumers(stage.name)
    convolutions = {name: op for name in readers if isinstance(op := graph[name].op, Conv2d)}
    if not alone or len(convolutions) < len(readers) or not stage.op.multiplier.all():
        return graph
    zero = -255 * stage.op.offset / stage.op.multiplier
    if np.abs(zero).max() > 1 << MAX_BITS:
        return graph
    fraction_bits = _fraction_bits(zero, activation_bits)
    codes = np.rint(zero * 2.0**fraction_bits)
    steps = _tuple(codes)
    image = CentredImage(steps, fraction_bits)
    if image_bits(image) > min(MAX_BITS, max(activation_bits, _BYTE_BITS) + _MORE_BITS):
        return graph
    rest = stage.op.multiplier * (codes / 2.0**fraction_bits - zero) / 255
    changed: dict[str, FloatOp] = {
        name: op.after(stage.op.multiplier, rest) for name, op in convolutions.items()
    }
    if fraction_bits == 0 and min(steps) >= 0 and max(steps) <= 255:
        centred = CentredInput(graph.shape(graph.input), steps)
        nodes = [
            FloatNode(n.name, n.op, tuple(graph.input if i == stage.name else i for i in n.inputs))
            for n in graph.replace({**changed, graph.input: centred})
            if n.name != stage.name
        ]
        return graph.with_nodes(nodes)
    return graph.replace({**changed, stage.name: image})


def _fraction_bits(zero: NDArray[np.float64], activation_bits: int) -> int:
    """Return the fewest fraction bits with which every zero is near enough to a code."""
    near = 2.0 ** -(_BORDER_BITS + max(0, activation_bits - _BYTE_BITS))
    most = MAX_BITS - int(np.abs(zero).max() + 255).bit_length()
    for bits in range(max(0, most)):
        steps = zero * 2.0**bits
        if (np.abs(steps - np.rint(steps)) <= near * 2.0**bits).all():
            return bits
    return max(0, most)


def _tuple(codes: NDArray[np.float64]) -> tuple[int, ...]:
    found = tuple(int(code) for code in codes)
    return found[:1] if len(set(found)) == 1 else found
