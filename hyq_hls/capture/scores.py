"""Scores of an attention on their way to the softmax: a factor, biases of positions, masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from hyq_hls.capture.channel_affine import HIDDEN, PositionConstant
from hyq_hls.capture.drafts import Draft, Unsupported, View
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.float_ops import AttentionScores, Linear, Softmax
from hyq_hls.capture.transpose import mixture

#: A score that lies so many nats below the largest constant of its row is hidden: the exponential
#: of the difference is 1.8e-35. Published masks add -100 (Swin), -10000, or minus infinity.
_NATS = 80.0


def is_scores(draft: Draft) -> bool:
    """Return whether a draft is scores, scores plus constants, or a mixture of their heads."""
    last = _chain(draft)[-1]
    mixed = mixture(last)
    return isinstance(last.op, AttentionScores) if mixed is None else is_scores(mixed[1])


def is_weights(draft: Draft) -> bool:
    """Return whether a draft weighs values: a softmax of scores, a mixture of its heads, or scores.

    Scores do so by themselves in linear attention.
    """
    mixed = mixture(draft)
    softmax = draft if mixed is None else mixed[1]
    of_scores = isinstance(softmax.op, Softmax) and is_scores(softmax.inputs[0])
    return of_scores or is_scores(draft)


def with_scale(view: View) -> View:
    """Return a view of scores without its factor: the scale and the constants take it up.

    Raises:
        Unsupported: something else reads the scores without that factor.
    """
    if view.factor == 1.0:
        return view
    *constants, scores = chain = _chain(view.source)
    if view.source.readers or any(draft.readers > 1 for draft in chain[1:]):
        raise Unsupported(
            "scores read with two scales",
            "one softmax of the scores",
            "compute each softmax from its own product of queries and keys",
        )
    for draft in constants:
        assert isinstance(draft.op, PositionConstant)
        draft.op = draft.op.scaled(view.factor)
    mixed = mixture(scores)
    if mixed is None:
        assert isinstance(scores.op, AttentionScores)
        scores.op = replace(scores.op, scale=scores.op.scale * view.factor)
    else:
        layer = mixed[0].op
        assert isinstance(layer, Linear)
        mixed[0].op = Linear(layer.weight * view.factor, layer.bias * view.factor)
    return replace(view, factor=1.0)


def score_constant(table: Array) -> PositionConstant:
    """Return the constant of scores ``(P, N, heads, M)`` with what it hides.

    Raises:
        Unsupported: a query sees no key at all.
    """
    largest = table.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        raise Unsupported(
            f"a mask that hides all {table.shape[-1]} keys from a query, or a bias that is not "
            "finite",
            "at least one key for every query, whose probabilities are numbers then",
            "let the query see itself, or leave it out",
        )
    return PositionConstant(np.where(table <= largest - _NATS, HIDDEN, table))


def additive_mask(mask: torch.Tensor) -> torch.Tensor:
    """Return the summand of scores for a mask, whose true entries let a query see a key."""
    if mask.dtype != torch.bool:
        return mask.double()
    return torch.zeros(mask.shape, dtype=torch.float64).masked_fill(~mask, -torch.inf)


def causal_mask(queries: int, keys: int) -> torch.Tensor:
    """Return the mask by which query n sees the keys 0 to n."""
    return torch.ones(queries, keys, dtype=torch.bool).tril()


def _chain(draft: Draft) -> list[Draft]:
    """Return a draft and what lies before it, up to the first that adds no constant."""
    found = [draft]
    while isinstance(found[-1].op, PositionConstant):
        found.append(found[-1].inputs[0])
    return found
