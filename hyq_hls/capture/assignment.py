"""Operations that write one tensor into a part of another, such as ``y[:, 1:] = x``.

PyTorch itself says which elements are written: the operation runs on the numbers of the elements.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import scale_by, shift_by
from hyq_hls.capture.drafts import LayoutUnsupported, Unsupported, View
from hyq_hls.capture.joining import concatenated
from hyq_hls.capture.padding import box, inner, padded

Value = View | torch.Tensor

#: The argument that is written, by the names of the operations.
_WRITTEN = {
    "copy": "src",
    "fill": "value",
    "index_copy": "source",
    "index_fill": "value",
    "index_put": "values",
    "masked_fill": "value",
    "select_scatter": "src",
    "slice_scatter": "src",
    "zero": None,
}
ASSIGNMENTS = frozenset(_WRITTEN)
#: More parts than this along one axis are no blocks, as in ``y[:, ::2] = x``.
_MOST_PARTS = 5


def assign(call: Call) -> Value:
    """Capture an operation that writes into some elements of ``self``."""
    name = _WRITTEN[call.operation]
    old, new = call.get("self"), 0.0 if name is None else call.get(name)
    others = {key: value for key, value in call.arguments.items() if key not in ("self", name)}
    if any(isinstance(value, View) for value in others.values()) or others.get("accumulate"):
        raise _by_the_image(call)
    new = new if isinstance(new, View | torch.Tensor) else torch.tensor(float(new))
    count = count_of(old)
    numbers = torch.arange(count).reshape(old.shape)
    if name is None:
        return chosen(call, old, new, torch.full_like(numbers, count))
    written = count + torch.arange(count_of(new)).reshape(new.shape)
    assert callable(call.node.target)
    # A number is written as one, because the operation may take no tensor.
    given = written if isinstance(call.get(name), View | torch.Tensor) else count
    return chosen(call, old, new, call.node.target(**{**others, "self": numbers, name: given}))


def choose(call: Call, mask: Any, first: Any, second: Any) -> Value:
    """Return elements of ``first`` where a constant mask is true, and of ``second`` elsewhere."""
    if not isinstance(mask, torch.Tensor):
        raise _by_the_image(call)
    old, new = (
        v if isinstance(v, View | torch.Tensor) else torch.tensor(float(v)) for v in (first, second)
    )
    count = count_of(old)
    kept = torch.arange(count).reshape(old.shape)
    written = count + torch.arange(count_of(new)).reshape(new.shape)
    return chosen(call, old, new, torch.where(mask, kept, written))


def _by_the_image(call: Call) -> LayoutUnsupported:
    return LayoutUnsupported(
        f"{call.operation} at places that the image decides, or that adds up",
        "places that are the same for every image, each of which is written once",
        "make the mask or the indices once in __init__ and keep them as a buffer",
    )


def count_of(value: Value) -> int:
    """Return the number of elements."""
    return value.index.numel() if isinstance(value, View) else value.numel()


def chosen(call: Call, old: Value, new: Value, numbers: torch.Tensor) -> Value:
    """Return elements of two tensors by their numbers, those of ``new`` after those of ``old``."""
    count = count_of(old)
    written = numbers >= count
    # What is overwritten stays in its place where it has one, so that the rest is a whole tensor.
    beneath = torch.arange(count).reshape(old.shape) if numbers.shape == old.shape else 0
    kept = taken(old, torch.where(written, beneath, numbers))
    return mixed(call, kept, taken(new, (numbers - count).clamp(min=0)), written)


def taken(value: Value, numbers: torch.Tensor) -> Value:
    """Return the elements of a tensor with these numbers."""
    if isinstance(value, View):
        return replace(value, index=value.index.reshape(-1)[numbers])
    return value.reshape(-1)[numbers]


def mixed(call: Call, old: Value, new: Value, written: torch.Tensor) -> Value:
    """Return ``new`` where it was written, and ``old`` elsewhere; all have one shape.

    Raises:
        Unsupported: there is no operation that puts these parts together.
    """
    if isinstance(old, View) and isinstance(new, View):
        if old.source is not new.source or old.factor != new.factor:
            return _blocks(call, old, new, written)
        chain = tuple(dict.fromkeys((*old.chain, *new.chain)))
        return replace(old, index=torch.where(written, new.index, old.index), chain=chain)
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        return torch.where(written, new.double(), old.double())
    try:
        return _tiled(call, old, new, written)
    except Unsupported as problem:
        return _added(call, old, new, written, problem)


def _blocks(call: Call, old: View, new: View, written: torch.Tensor) -> Value:
    try:
        return _tiled(call, old, new, written)
    except LayoutUnsupported as problem:
        raise LayoutUnsupported(
            problem.found,
            problem.wanted,
            "write it with torch.cat of whole tensors; a shift of some channels is a depthwise "
            "convolution whose kernels hold a single one",
        ) from None


def _added(
    call: Call, old: Value, new: Value, written: torch.Tensor, problem: Unsupported
) -> Value:
    """Mix a value with a constant by a sum, where both are zero in the place of the other."""
    if isinstance(new, torch.Tensor):
        kept = scale_by(call, call.as_view(old), (~written).double())
        return shift_by(call, kept, torch.where(written, new.double(), 0.0))
    sides = box(written)
    if sides is None or isinstance(old, View):
        raise problem
    around = padded(call, call.as_view(inner(new, sides)), sides)
    return shift_by(call, around, torch.where(written, 0.0, old.double()))


def _tiled(call: Call, old: Value, new: Value, written: torch.Tensor) -> Value:
    """Join the parts along the axis that has the fewest."""
    if bool(written.all()) or not bool(written.any()):
        return new if bool(written.all()) else old
    cuts = {axis: _cuts(written, axis) for axis in range(written.ndim)}
    axis = min((axis for axis in cuts if cuts[axis]), key=lambda axis: len(cuts[axis]))
    if len(cuts[axis]) >= _MOST_PARTS:
        raise LayoutUnsupported(
            f"{call.operation} into {int(written.sum())} of {written.numel()} elements of a tensor "
            f"{tuple(written.shape)}, which are no block",
            "a tensor of a few blocks, such as y[:, 1:] = x",
            "write it with torch.cat, torch.stack and reshape",
        )
    bounds = [0, *cuts[axis], written.shape[axis]]
    parts = [
        _tiled(
            call,
            _narrowed(old, axis, start, stop),
            _narrowed(new, axis, start, stop),
            written.narrow(axis, start, stop - start),
        )
        for start, stop in pairwise(bounds)
    ]
    return concatenated(call, parts, axis)


def _cuts(written: torch.Tensor, axis: int) -> list[int]:
    """Return the places along an axis that differ from the place before."""
    table = written.movedim(axis, 0).flatten(1)
    return [i for i in range(1, len(table)) if not torch.equal(table[i], table[i - 1])]


def _narrowed(value: Value, axis: int, start: int, stop: int) -> Value:
    if isinstance(value, View):
        return replace(value, index=value.index.narrow(axis, start, stop - start))
    return value.narrow(axis, start, stop - start)
