"""A factor of its own for each head of an attention, such as a learned temperature.

Swin Transformer V2 (Liu et al., arXiv 2111.09883) and cross-covariance attention (El-Nouby et al.,
arXiv 2106.09681) multiply the scores of a head by it. Here it multiplies the queries of the head.
"""

from __future__ import annotations

import numpy as np

from hyq_hls.capture.channel_affine import ChannelAffine
from hyq_hls.capture.drafts import Draft, Drafts, Unsupported
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.float_ops import AttentionScores
from hyq_hls.capture.positions import PermutePositions
from hyq_hls.capture.transpose import Transpose


def scaled_heads(drafts: Drafts, scores: Draft, factors: Array) -> Draft:
    """Return the scores of queries that were multiplied by factors.

    Args:
        drafts: all drafts.
        scores: the scores ``(P, N, heads, M)`` of an attention.
        factors: the factor of each score.

    Raises:
        Unsupported: factors differ within a head, or something else than a product lies before.
    """
    of_heads = factors[:, 0, :, 0]
    alike = np.array_equal(factors, np.broadcast_to(of_heads[:, None, :, None], factors.shape))
    if not alike or not isinstance(scores.op, AttentionScores):
        raise Unsupported(
            f"factors that differ between the scores {scores.shape} of an attention",
            "one constant factor for all scores, or for all of a head",
            "multiply the queries or the keys",
        )
    query, key = scores.inputs
    scaled = _scaled(drafts, query, of_heads)
    return drafts.add(scores.op, (scaled, key), scores.base, scores.origin)


def _scaled(drafts: Drafts, query: Draft, of_heads: Array) -> Draft:
    """Return queries ``(P, N, C)`` times the factors ``(P, heads)``."""
    if np.array_equal(of_heads, np.broadcast_to(of_heads[:1], of_heads.shape)):
        return _times(drafts, query, np.repeat(of_heads[0], query.shape[-1] // of_heads.shape[1]))
    # Pixels are heads whose tokens were channels.
    moves = [query, query.inputs[0]] if query.inputs else [query]
    if not isinstance(moves[0].op, PermutePositions) or not isinstance(moves[-1].op, Transpose):
        raise Unsupported(
            f"factors that differ between the pixels of the queries {query.shape}",
            "one constant factor for all scores of a head",
            "multiply the queries or the keys",
        )
    permuted, transposed = moves
    (source,) = transposed.inputs
    found = _times(drafts, source, np.repeat(of_heads[:, 0], query.shape[1]))
    for move in (transposed, permuted):
        assert move.op is not None
        found = drafts.add(move.op, (found,), move.base, move.origin)
        found.tokens = True
    return found


def _times(drafts: Drafts, draft: Draft, factors: Array) -> Draft:
    op = ChannelAffine(factors, np.zeros_like(factors))
    return drafts.add(op, (draft,), f"{draft.base}.scaled", draft.origin)
