"""Bring the ways in which people write a softmax to one form, in the exported graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from hyq_hls.capture.nodes import is_mutable, operation, storage

_SOFTMAX = ("softmax", "_softmax")


def unify_softmax(graph: fx.Graph) -> dict[fx.Node, fx.Node]:
    """Turn ``exp(x) / exp(x).sum(d, keepdim=True)`` and ``softmax(x - m, d)`` into ``softmax(x)``.

    A summand that is the same along the axis ``d``, such as ``x.amax(d, keepdim=True)``, changes no
    softmax over that axis. It keeps floating point from overflowing, which integers need not fear.

    Returns:
        The nodes that a softmax does not need any more, with that softmax.
    """
    parts: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if operation(node) == "div":
            _written_out(node, parts)
        if operation(node) in _SOFTMAX:
            _without_shift(node, parts)
    return parts


def _written_out(node: fx.Node, parts: dict[fx.Node, fx.Node]) -> None:
    exponential, total = node.args[0], node.args[1]
    if not isinstance(exponential, fx.Node) or not isinstance(total, fx.Node):
        return
    if operation(total) != "sum" or len(total.args) != 3 or node.kwargs or is_mutable(node):
        return
    summed, axes, keeps = total.args
    argument = _argument_of_exp(exponential)
    if argument is None or _argument_of_exp(summed) is not argument:
        return
    if len(axes) != 1 or not keeps or _changed_between(argument, argument, node):  # type: ignore[arg-type]
        return
    assert isinstance(summed, fx.Node)
    node.target = torch.ops.aten.softmax.int
    node.args = (argument, axes[0])  # type: ignore[index]
    parts.update(dict.fromkeys((exponential, summed, total), node))


def _argument_of_exp(node: Any) -> fx.Node | None:
    if not isinstance(node, fx.Node) or operation(node) != "exp" or is_mutable(node):
        return None
    argument = node.args[0]
    return argument if isinstance(argument, fx.Node) else None


def _without_shift(node: fx.Node, parts: dict[fx.Node, fx.Node]) -> None:
    shifted = node.args[0]
    if not isinstance(shifted, fx.Node) or operation(shifted) not in ("sub", "add"):
        return
    value, summand = shifted.args[0], shifted.args[1]
    if not isinstance(value, fx.Node) or is_mutable(shifted):
        return
    rank = len(_shape(node))
    if _shape(value) != _shape(shifted) or not _same_along(summand, node.args[1], rank):
        return
    if not _changed_between(value, shifted, node):
        node.replace_input_with(shifted, value)
        parts[shifted] = node


def _shape(node: Any) -> tuple[int, ...]:
    value = node.meta.get("val") if isinstance(node, fx.Node) else None
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()


def _same_along(summand: Any, axis: Any, rank: int) -> bool:
    """Return whether a summand has one value along an axis of the sum."""
    shape = _shape(summand)
    aligned = (1,) * (rank - len(shape)) + shape
    return bool(aligned[axis] == 1)


def _changed_between(value: fx.Node, first: fx.Node, last: fx.Node) -> bool:
    """Return whether an operation between two nodes changes ``value`` in place."""
    node = first.next
    while node is not last:
        if is_mutable(node) and storage(node) == storage(value):
            return True
        node = node.next
    return False
