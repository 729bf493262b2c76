"""Find normalizations that a model writes out with means, in the exported graph.

As :mod:`hyq_hls.capture.written` does it, they are recognised by their values: the nodes between
one tensor and a result are computed on random numbers, and compared with LayerNorm over each axis.
So ``(x - u) / sqrt(s + eps)`` is one, whatever way ``u`` and ``s`` are written.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import fx
from torch.utils._pytree import tree_leaves

from hyq_hls.capture.nodes import is_mutable, operation

#: Operations of which written-out normalizations consist.
_PARTS = frozenset(
    ("add", "sub", "mul", "div", "pow", "square", "sqrt", "rsqrt", "mean", "var", "std")
)
_MOST_NODES = 12
_TOLERANCE = 1e-9


def unify_norms(graph: fx.Graph) -> dict[fx.Node, fx.Node]:
    """Turn written-out normalizations over one axis into ``layer_norm``.

    The axis is noted as ``meta["axis"]``, because it need not be the last one here.

    Returns:
        The nodes that a normalization does not need any more, with that normalization.
    """
    parts: dict[fx.Node, fx.Node] = {}
    for result in reversed(graph.nodes):
        if result in parts or operation(result) not in ("div", "mul") or is_mutable(result):
            continue
        for argument, cone in _cones(result):
            found = _axis_and_eps(argument, cone)
            if found is not None:
                axis, eps = found
                count = argument.meta["val"].shape[axis]
                result.target = torch.ops.aten.layer_norm.default
                result.args, result.kwargs = (argument, [count], None, None, eps), {}
                result.meta["axis"] = axis
                parts.update(dict.fromkeys(cone[:-1], result))
                break
    return parts


def _cones(result: fx.Node) -> Iterator[tuple[fx.Node, list[fx.Node]]]:
    """Yield sets of nodes before ``result`` that read one tensor, in order, small ones first.

    Nothing outside of a set reads its nodes, but for the result.
    """
    places = {node: place for place, node in enumerate(result.graph.nodes)}
    cone = {result}
    while len(cone) <= _MOST_NODES:
        outside = {used for node in cone for used in node.all_input_nodes} - cone
        if len(outside) == 1:
            yield next(iter(outside)), sorted(cone, key=places.__getitem__)
        last = max(outside, key=places.__getitem__, default=None)
        if last is None or operation(last) not in _PARTS or is_mutable(last):
            return
        if not cone.issuperset(last.users):
            return
        cone.add(last)


def _axis_and_eps(argument: fx.Node, cone: list[fx.Node]) -> tuple[int, float] | None:
    """Return the axis over which nodes normalize, and what they add to the variance."""
    value = argument.meta.get("val")
    if not isinstance(value, torch.Tensor) or not any(operation(n) == "sub" for n in cone):
        return None
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    values: dict[fx.Node, torch.Tensor] = {argument: x}
    for node in cone:
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        assert callable(node.target)
        values[node] = node.target(*args, **kwargs)
    numbers = {float(n) for node in cone for n in tree_leaves(node.args) if isinstance(n, float)}
    for axis in range(1, x.ndim):
        for eps in (0.0, *sorted(numbers)):
            moved = x.movedim(axis, -1)
            wanted = torch.nn.functional.layer_norm(moved, moved.shape[-1:], eps=abs(eps))
            found = values[cone[-1]]
            if found.shape == x.shape and torch.allclose(
                found, wanted.movedim(-1, axis), rtol=_TOLERANCE, atol=_TOLERANCE
            ):
                return axis, abs(eps)
    return None
