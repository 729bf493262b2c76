"""Factors and summands per channel go into the weights before them, or behind them.

Both are exact: nothing moves where it would change a value. A summand, for example, cannot go into
a convolution that pads its map with zeros, because the padding comes after the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hyq_hls.capture import float_ops as fo
from hyq_hls.capture.average_pool import AveragePool
from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.drafts import Draft
from hyq_hls.capture.elementwise import LeakyRelu, Relu
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.group_norm import GroupNorm
from hyq_hls.capture.max_pool import MaxPool
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.positions import (
    ConcatConstant,
    ConcatPositions,
    PermutePositions,
    SelectPositions,
)
from hyq_hls.capture.transpose import Transpose

#: New operations of drafts.
_Changes = dict[Draft, FloatOp]


def absorb_constants(drafts: Iterable[Draft], output: Draft | None) -> Draft | None:
    """Remove every ``ChannelAffine`` that other operations can take over exactly.

    The operation before it is asked first. It must have no other reader. Then all readers are
    asked.

    Args:
        drafts: the drafts that the output needs, in topological order; they are changed.
        output: the draft whose value is the result; None while there is none.

    Returns:
        The draft whose value is the result now.
    """
    alive = list(drafts)
    _join_constants(_Place(alive, output), alive)
    _join_pools(_Place(alive, output), alive)
    for draft in alive:
        if not isinstance(draft.op, ChannelAffine):
            continue
        before = draft.inputs[0]
        place = _Place(alive, output)
        changes: _Changes | None = {}
        if not _is_identity(draft.op):
            changes = place.before(before, draft.op) or place.behind(draft, draft.op)
        if changes is None:
            continue
        for changed, op in changes.items():
            changed.op = op
        for reader in place.readers.get(draft, ()):
            if reader is not None:
                reader.inputs = tuple(before if i is draft else i for i in reader.inputs)
        draft.absorbers = tuple(changes) or (before,)
        output = before if output is draft else output
    return output


def _join_constants(place: _Place, drafts: Iterable[Draft]) -> None:
    """Make one constant of two that are added one after the other, as a bias and a mask."""
    for draft in drafts:
        before = draft.inputs[0] if draft.inputs else draft
        if not isinstance(draft.op, PositionConstant) or not isinstance(
            before.op, PositionConstant
        ):
            continue
        if len(place.readers[before]) == 1:
            draft.op, draft.inputs = before.op.plus(draft.op), before.inputs
            before.absorbers = (draft,)


def _join_pools(place: _Place, drafts: Iterable[Draft]) -> None:
    """Let a pooling subtract its input by itself, where ``pool(x) - x`` is written."""
    for draft in drafts:
        if not isinstance(draft.op, fo.Add):
            continue
        for pool, less in (draft.inputs, draft.inputs[::-1]):
            before = pool.inputs[0] if pool.inputs else pool
            negated = isinstance(less.op, ChannelAffine) and less.inputs[0] is before
            if isinstance(pool.op, AveragePool) and negated and _negates(less.op):
                if len(place.readers[pool]) > 1 or draft.shape != before.shape:
                    continue
                draft.op, draft.inputs = replace(pool.op, less_input=True), (before,)
                pool.absorbers = (draft,)
                break


def _negates(op: FloatOp | None) -> bool:
    assert isinstance(op, ChannelAffine)
    return bool((op.multiplier == -1).all() and not op.offset.any())


class _Place:
    """The surroundings of a ``ChannelAffine``, as they are now.

    Attributes:
        readers: who reads each draft, with an entry per operand; None stands for the output.
    """

    def __init__(self, drafts: Iterable[Draft], output: Draft | None) -> None:
        self.readers: dict[Draft, list[Draft | None]] = {}
        if output is not None:
            self.readers[output] = [None]
        for draft in drafts:
            if not draft.absorbers:
                for read in draft.inputs:
                    self.readers.setdefault(read, []).append(draft)

    def before(self, draft: Draft, affine: ChannelAffine) -> _Changes | None:
        """Return the changes that give ``draft`` the value that ``affine`` makes of it."""
        rule = _BEFORE.get(type(draft.op))
        if rule is None or len(self.readers[draft]) != 1:
            return None
        return rule(self, draft, affine)

    def behind(self, draft: Draft, affine: ChannelAffine) -> _Changes | None:
        """Return the changes with which all readers of ``draft`` can do without ``affine``."""
        return _together(self._reader(r, draft, affine) for r in self.readers.get(draft, ()))

    def _reader(self, reader: Draft | None, read: Draft, affine: ChannelAffine) -> _Changes | None:
        rule = None if reader is None else _BEHIND.get(type(reader.op))
        if reader is None or rule is None:
            return None
        return rule(self, reader, read, affine)


def _together(found: Iterable[_Changes | None]) -> _Changes | None:
    """Return all changes; None where one is impossible, or two change the same draft."""
    together: _Changes = {}
    for changes in found:
        if changes is None or together.keys() & changes.keys():
            return None
        together.update(changes)
    return together


def _is_identity(op: ChannelAffine) -> bool:
    return bool((op.multiplier == 1).all() and (op.offset == 0).all())


def _factors(op: ChannelAffine) -> ChannelAffine:
    """Return the same without its summands."""
    return ChannelAffine(op.multiplier, np.zeros_like(op.offset))


def _composed(first: ChannelAffine, second: ChannelAffine) -> ChannelAffine:
    """Return the one that does what ``second`` does after ``first``."""
    offset = first.offset * second.multiplier + second.offset
    return ChannelAffine(first.multiplier * second.multiplier, offset)


def _one_factor(op: ChannelAffine, count: int) -> ChannelAffine | None:
    """Return one factor for all as that of ``count`` channels; None where channels differ."""
    if op.offset.any() or (op.multiplier != op.multiplier[0]).any():
        return None
    return ChannelAffine(np.full(count, op.multiplier[0]), np.zeros(count))


def _rises(op: ChannelAffine) -> bool:
    return bool((op.multiplier > 0).all())


def _is_positive_factor(op: ChannelAffine) -> bool:
    return bool((op.multiplier > 0).all() and not op.offset.any())


# The rules of the operations before it.


def _rows(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes:
    """Change the rows of the weights of a layer, or those of a normalization."""
    op: Any = draft.op
    weight = op.weight * affine.multiplier.reshape(-1, *[1] * (op.weight.ndim - 1))
    return {draft: replace(op, weight=weight, bias=op.bias * affine.multiplier + affine.offset)}


def _input(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    """Pass everything on to an operation that averages, or moves, each channel by itself."""
    return place.before(draft.inputs[0], affine)


def _input_of_pool(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    # A summand is lost where the input is subtracted from its own mean.
    assert isinstance(draft.op, AveragePool)
    if draft.op.less_input and affine.offset.any():
        return None
    return place.before(draft.inputs[0], affine)


def _input_of_maximum(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    return place.before(draft.inputs[0], affine) if _rises(affine) else None


def _input_of_relu(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    return place.before(draft.inputs[0], affine) if _is_positive_factor(affine) else None


def _values(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    # A summand would pass only if the integer probabilities of a row summed up to one.
    return None if affine.offset.any() else place.before(draft.inputs[1], affine)


def _first_factor(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    return None if affine.offset.any() else place.before(draft.inputs[0], affine)


def _both_summands(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    first, second = draft.inputs
    return _together((place.before(first, affine), place.before(second, _factors(affine))))


def _input_of_transpose(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    uniform = _one_factor(affine, draft.shape[-2])
    return None if uniform is None else place.before(draft.inputs[0], uniform)


def _all_parts(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    ends = np.cumsum([part.shape[-1] for part in draft.inputs])[:-1]
    split = zip(np.split(affine.multiplier, ends), np.split(affine.offset, ends), strict=True)
    parts = zip(draft.inputs, split, strict=True)
    return _together(place.before(part, ChannelAffine(*constants)) for part, constants in parts)


def _both_parts(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    return _together(place.before(part, affine) for part in draft.inputs)


def _constant_part(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    assert isinstance(draft.op, ConcatConstant)
    constant = draft.op.constant * affine.multiplier + affine.offset
    changes = place.before(draft.inputs[0], affine)
    return _together((changes, {draft: replace(draft.op, constant=constant)}))


def _constant_before(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes | None:
    assert isinstance(draft.op, PositionConstant)
    constant = draft.op.constant * affine.multiplier + affine.offset
    changes = place.before(draft.inputs[0], _factors(affine))
    return _together((changes, {draft: PositionConstant(constant)}))


def _affine_before(place: _Place, draft: Draft, affine: ChannelAffine) -> _Changes:
    assert isinstance(draft.op, ChannelAffine)
    return {draft: _composed(draft.op, affine)}


_BEFORE: Mapping[type[Any], Callable[[_Place, Draft, ChannelAffine], _Changes | None]] = {
    fo.Conv2d: _rows,
    fo.Linear: _rows,
    fo.LayerNorm: _rows,
    GroupNorm: _rows,
    fo.Unfold: _input,
    fo.Fold: _input,
    fo.GlobalAveragePool: _input,
    AveragePool: _input_of_pool,
    MaxPool: _input_of_maximum,
    Relu: _input_of_relu,
    LeakyRelu: _input_of_relu,
    fo.AttentionValues: _values,
    Multiply: _first_factor,
    fo.Add: _both_summands,
    fo.Concat: _all_parts,
    ConcatConstant: _constant_part,
    ConcatPositions: _both_parts,
    PermutePositions: _input,
    SelectPositions: _input,
    Transpose: _input_of_transpose,
    PositionConstant: _constant_before,
    ChannelAffine: _affine_before,
}


# The rules of its readers; ``read`` is the operand that loses its factors and summands.


def _columns(place: _Place, reader: Draft, read: Draft, affine: ChannelAffine) -> _Changes | None:
    """Change the columns of the weights of a layer."""
    op, a, b = reader.op, affine.multiplier, affine.offset
    if isinstance(op, fo.Linear):
        return {reader: replace(op, weight=op.weight * a, bias=op.bias + op.weight @ b)}
    assert isinstance(op, fo.Conv2d)
    if b.any() and any(op.padding):
        return None
    return {reader: op.after(a, b)}


def _readers(place: _Place, reader: Draft, read: Draft, affine: ChannelAffine) -> _Changes | None:
    """Pass everything on behind an operation that averages, or moves, each channel by itself."""
    return place.behind(reader, affine)


def _behind_pool(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    assert isinstance(reader.op, AveragePool)
    return place.behind(reader, _factors(affine) if reader.op.less_input else affine)


def _behind_maximum(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    return place.behind(reader, affine) if _rises(affine) else None


def _behind_relu(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    return place.behind(reader, affine) if _is_positive_factor(affine) else None


def _behind_values(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    of_values = reader.inputs[0] is not read and not affine.offset.any()
    return place.behind(reader, affine) if of_values else None


def _behind_product(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    one_operand = reader.inputs[0] is not reader.inputs[1]
    all_channels = read.shape[-1] == reader.shape[-1]
    passes = one_operand and all_channels and not affine.offset.any()
    return place.behind(reader, affine) if passes else None


def _normalized(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    """Let a normalization undo one factor and one summand for all channels.

    Only epsilon feels it.
    """
    assert isinstance(reader.op, fo.LayerNorm | GroupNorm)
    factor, summand = affine.multiplier[0], affine.offset[0]
    uniform = (affine.multiplier == factor).all() and (affine.offset == summand).all()
    if not uniform or factor == 0:
        return None
    weight, eps = reader.op.weight * np.sign(factor), reader.op.eps / float(factor) ** 2
    return {reader: replace(reader.op, weight=weight, eps=eps)}


def _scores(place: _Place, reader: Draft, read: Draft, affine: ChannelAffine) -> _Changes | None:
    assert isinstance(reader.op, fo.AttentionScores)
    if (uniform := _one_factor(affine, 1)) is None:
        return None
    power = sum(operand is read for operand in reader.inputs)
    scale = reader.op.scale * float(uniform.multiplier[0]) ** power
    return {reader: replace(reader.op, scale=scale)}


def _constant_behind(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    assert isinstance(reader.op, PositionConstant)
    if (affine.multiplier != 1).any():
        return None
    return {reader: PositionConstant(reader.op.constant + affine.offset)}


def _affine_behind(
    place: _Place, reader: Draft, read: Draft, affine: ChannelAffine
) -> _Changes | None:
    assert isinstance(reader.op, ChannelAffine)
    return {reader: _composed(affine, reader.op)}


_BEHIND: Mapping[type[Any], Callable[[_Place, Draft, Draft, ChannelAffine], _Changes | None]] = {
    fo.Conv2d: _columns,
    fo.Linear: _columns,
    fo.Unfold: _readers,
    fo.Fold: _readers,
    fo.GlobalAveragePool: _readers,
    AveragePool: _behind_pool,
    MaxPool: _behind_maximum,
    Relu: _behind_relu,
    LeakyRelu: _behind_relu,
    fo.AttentionValues: _behind_values,
    Multiply: _behind_product,
    PermutePositions: _readers,
    SelectPositions: _readers,
    fo.LayerNorm: _normalized,
    GroupNorm: _normalized,
    fo.AttentionScores: _scores,
    PositionConstant: _constant_behind,
    ChannelAffine: _affine_behind,
}
