"""Real-valued scales that need shifts only: tensors whose scales must differ by powers of two.

A requantization is a shift when the accumulator scale over the output scale is a power of two.
Behind a convolution or a linear layer that holds for any two real scales, because the scale of a
row of weights is free: it takes the ratio, rounded to a power of two (see ``weights``). Only
operations without weights tie the scales of their operands together: an addition, a concatenation,
a mean. Tensors that are tied form a class, with one real base. The scale of a member is
``base * ratio * 2**k``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.quant.traits import Codes, traits_of

#: Bases that are tried within an octave. Neighbours differ by 2**(1/16), about 4 %.
_BASES = 2.0 ** (np.arange(16) / 16)


@dataclass
class ScaleClass:
    """Tensors whose scales differ by known ratios and powers of two.

    Attributes:
        ratios: ratio of every member, by name; ratios of pinned members are powers of two.
        pinned: whether scales are ``ratio * 2**k``, because an operation reads fraction bits.
    """

    ratios: dict[str, float]
    pinned: bool = False


def scale_classes(graph: FloatGraph, fraction_bits: Iterable[str]) -> list[ScaleClass]:
    """Return the classes of all tensors that have a choice, ordered by their first member.

    The order is topological. Queries are left out, because they follow the keys, and so are
    products of two tensors, which follow their operands (see :func:`product_bases`). A query that
    is its own key has a base like other tensors, and its scores have a multiplier. A tie between
    two pinned classes may be no power of two, for example between SiLU outputs before and behind a
    mean. Such a tie is left to a multiplier too.

    Args:
        graph: prepared float graph.
        fraction_bits: names of the tensors whose scale must be a power of two.
    """
    of: dict[str, ScaleClass] = {}
    pinned = set(fraction_bits)
    for node in graph:
        traits = traits_of(node)
        if traits.codes in (Codes.IMAGE, Codes.PROBABILITIES):
            continue
        of[node.name] = ScaleClass({node.name: 1.0}, node.name in pinned)
        for name, ratio in traits.ratios(graph, node).items():
            if name in of:
                _merge(of, node.name, name, ratio)
    scores = [n for n in graph if traits_of(n).product_factor]
    queries = {n.inputs[0] for n in scores} - {n.inputs[1] for n in scores}
    found: list[ScaleClass] = []
    for name, group in of.items():
        alone = len(group.ratios) == 1
        follows = alone and (
            name in queries or (traits_of(graph[name]).multiplies and not group.pinned)
        )
        if not follows and not any(group is known for known in found):
            found.append(group)
    return found


def choose_bases(
    classes: Iterable[ScaleClass], error: Callable[[str, float], float]
) -> dict[str, float]:
    """Choose base times ratio of every tensor by the least sum of relative errors in its class.

    Args:
        classes: classes from :func:`scale_classes`.
        error: function of a tensor's name and a base; returns the error on the lattice of that
            base, relative to the tensor's power.
    """
    chosen: dict[str, float] = {}
    for group in classes:
        bases = _BASES[:1] if group.pinned else _BASES
        sums = [sum(error(n, b * r) for n, r in group.ratios.items()) for b in bases]
        base = float(bases[int(np.argmin(sums))])
        chosen.update({name: base * ratio for name, ratio in group.ratios.items()})
    return chosen


def product_bases(graph: FloatGraph, bases: Mapping[str, float]) -> dict[str, float]:
    """Return the bases that make the requantization of a product a shift.

    With the key's base, the base of a query gives scores a step of ``2**k`` octaves. The product of
    two other tensors has the product of their bases. It has no base where an operand, such as the
    image, has none.

    Args:
        graph: prepared float graph.
        bases: bases of the classes of :func:`scale_classes`, by name of the tensor.
    """
    known = dict(bases)
    for node in graph:
        traits = traits_of(node)
        if traits.product_factor:
            query, key = node.inputs
            if query not in known:
                known[query] = known[node.name] / (known[key] * traits.product_factor(node.op))
        if traits.multiplies and node.name not in known and known.keys() >= {*node.inputs}:
            known[node.name] = math.prod(known[name] for name in node.inputs)
    return {name: base for name, base in known.items() if name not in bases}


def _merge(of: dict[str, ScaleClass], name: str, other: str, ratio: float) -> None:
    """Join two classes so that ``scale(name) = ratio * scale(other)``, up to a power of two."""
    mine, theirs = of[name], of[other]
    if mine is theirs:
        return
    factor = ratio * theirs.ratios[other] / mine.ratios[name]
    if mine.pinned:
        if theirs.pinned and np.frexp(factor)[0] != 0.5:
            return
        if not theirs.pinned:  # Pinned members keep ratios that are powers of two.
            theirs.ratios = {member: own / factor for member, own in theirs.ratios.items()}
            theirs.pinned, factor = True, 1.0
    for member, own in mine.ratios.items():
        theirs.ratios[member] = own * factor
        of[member] = theirs
