"""Advice to the author of a model about an operation that is not supported."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hyq_hls.capture.drafts import Unsupported
from hyq_hls.capture.elementwise import FUNCTIONS

_ACTIVATIONS = ("prelu", "rrelu", "log_sigmoid", "glu", "threshold")
_FUNCTIONS = ", ".join(kind.__name__ for kind in FUNCTIONS)
# Each row has names of operations, what to call them, what is wanted instead, what to do.
_FAMILIES: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (
        ("group_norm", "instance_norm"),
        "normalization {name}",
        "BatchNorm after a convolution, or LayerNorm over channels",
        "replace it and fine-tune",
    ),
    (
        ("max_pool2d_with_indices", "max_pool1d", "adaptive_max_pool2d"),
        "pooling {name} to shape {shape}",
        "max pooling of a map by windows, or average pooling",
        "use nn.MaxPool2d without indices, whose kernel may be the whole map",
    ),
    (
        ("gt", "lt", "ge", "le", "eq", "ne"),
        "a comparison {name} of activations",
        "the same function for all elements, whatever their values are",
        "write clamp, relu or torch.maximum, where these compute the same",
    ),
    (
        ("max", "amax", "min", "amin"),
        "{name} over an axis",
        "the maximum of whole maps, amax((2, 3)), or of windows, or of two tensors",
        "over channels take the mean and fine-tune, over positions nn.MaxPool2d",
    ),
    (
        ("conv3d", "conv_transpose3d", "convolution"),
        "{name}",
        "conv2d or conv1d",
        "express it with nn.Conv2d, nn.Conv1d or nn.Linear",
    ),
    (
        ("argmax", "argmin", "topk", "sort", "argsort", "log_softmax", "_log_softmax"),
        "{name} of activations",
        "the scores themselves as output",
        "return the scores, and apply {name} to the output of the network",
    ),
    (
        ("reflection_pad2d", "replication_pad2d"),
        "padding as an operation of its own",
        "zero padding inside the convolution, the same on both sides",
        "set padding= of the convolution",
    ),
    (
        ("div", "exp", "minimum"),
        "arithmetic {name} on activations",
        "sums and differences of two tensors of one shape, and constants of one value per channel",
        "build gates from supported layers",
    ),
)


def unknown_operation(name: str, shape: Sequence[int]) -> Unsupported:
    """Explain an aten operation ``name`` (without overload and ``_``) that has no handler."""
    if name in _ACTIVATIONS:
        return Unsupported(
            f"activation {name}",
            f"one of {_FUNCTIONS}",
            "replace it by one of these and fine-tune",
        )
    for names, found, wanted, advice in _FAMILIES:
        if name in names:
            words = (text.format(name=name, shape=tuple(shape)) for text in (found, wanted, advice))
            return Unsupported(*words)
    return Unsupported(
        f"operation {name}",
        "convolution, linear, BatchNorm, LayerNorm, attention, addition, concatenation, global "
        f"average pooling, data movement, and the functions {_FUNCTIONS}",
        "rewrite this part of the model with these",
    )


def interpolation(
    name: str, before: Sequence[int], after: Sequence[int], image: Sequence[int]
) -> Unsupported:
    """Explain a resize of a map ``before`` (H, W) to ``after`` for images ``(C, H, W)``."""
    grown = all(0 <= large - small < small for small, large in zip(before, after, strict=True))
    if not grown or tuple(before) == tuple(after):
        return Unsupported(
            f"{name} from {tuple(before)} to {tuple(after)} at image size {tuple(image[1:])}",
            "no interpolation, or one to twice the height and width without aligned corners",
            "if it undoes another resize, see that one; else remove it from the model",
        )
    step = math.lcm(
        *(_step(s, t, size) for s, t, size in zip(before, after, image[1:], strict=True))
    )
    sizes = sorted({max(step, size // step * step) for size in image[1:]})
    sizes += [size + step for size in sizes]
    works = " or ".join(f"{size}x{size}" for size in dict.fromkeys(sizes))
    return Unsupported(
        f"{name} from {tuple(before)} to {tuple(after)}: at image size {tuple(image[1:])} the map "
        "does not divide into patches, so the model resizes it",
        "a map that the patch divides",
        f"use images whose sides are divisible by {step}, as {works}",
    )


def _step(small: int, large: int, image: int) -> int:
    # The stride to this map, times the smallest patch that rounds ``small`` up to ``large``.
    stride = 1 << round(math.log2(max(1.0, image / small)))
    for patch in range(1, large + 1):
        if -(-small // patch) * patch == large:
            return stride * patch
    return stride
