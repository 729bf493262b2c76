"""Find functions of single elements that a model writes out, such as ``x * sigmoid(x)``.

A written-out form is recognised by its values, not by its spelling: the nodes between one tensor
and a result are computed on a fixed set of numbers and compared with every known function. So
``x * relu6(x + 3) / 6`` and ``x * hardsigmoid(x)`` are both ``Hardswish``, and ``clamp(x, 0, 6)``
is ``Relu6``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from hyq_hls.capture.elementwise import FUNCTIONS, Elementwise
from hyq_hls.capture.export import Exported
from hyq_hls.capture.movement import PASSED_THROUGH
from hyq_hls.capture.nodes import is_mutable, operation, storage

# GELU by tanh takes 8 nodes, or 9 with a cube written as products.
_MOST_NODES = 12
# Authors round constants such as sqrt(2 / pi) to about ten digits.
_TOLERANCE = 1e-9
_DECLARED = frozenset(kind.aten for kind in FUNCTIONS if kind.aten)


@dataclass(frozen=True, eq=False)
class Written:
    """A known function that several nodes of the exported graph compute together.

    Attributes:
        function: the function.
        argument: the node whose value the function is applied to.
        parts: the nodes before the result that nothing else reads.
    """

    function: Elementwise
    argument: fx.Node
    parts: frozenset[fx.Node]


def written_functions(exported: Exported) -> dict[fx.Node, Written]:
    """Find all written-out functions, by the node that holds the result.

    No node is part of two functions; where forms are nested, the outermost one is taken.
    """
    nodes = list(exported.graph.nodes)
    variable = _variable(nodes, exported.image)
    found: dict[fx.Node, Written] = {}
    taken: set[fx.Node] = set()
    for result in reversed(nodes):
        if result not in taken and result in variable and _is_pointwise(result):
            written = _recognise(result, nodes, variable, exported.constants)
            if written is not None:
                found[result] = written
                taken |= written.parts
    return found


def _variable(nodes: list[fx.Node], image: str) -> set[fx.Node]:
    """Return the nodes whose value depends on the image."""
    variable: set[fx.Node] = set()
    for node in nodes:
        if node.name == image or any(used in variable for used in node.all_input_nodes):
            variable.add(node)
    return variable


def _is_pointwise(node: fx.Node) -> bool:
    """Return whether the node computes each element from one element of each input."""
    name = operation(node)
    if not isinstance(node.target, torch._ops.OpOverload) or name in PASSED_THROUGH:
        return False
    return torch.Tag.pointwise in node.target.tags or name in _DECLARED


def _recognise(
    result: fx.Node,
    nodes: list[fx.Node],
    variable: set[fx.Node],
    constants: Mapping[str, torch.Tensor],
) -> Written | None:
    places = {node: place for place, node in enumerate(nodes)}
    for argument, cone in _cones(result, places, variable):
        if len(cone) == 1 and operation(result) in _DECLARED:
            continue  # its handler knows the parameters
        ordered = sorted(cone, key=places.__getitem__)
        between = nodes[places[ordered[0]] : places[result]]
        if any(_changes(node, argument) for node in between):
            continue
        values = _evaluate(ordered, argument, constants)
        function = _function_with(values) if values is not None else None
        if function is not None:
            return Written(function, argument, frozenset(cone - {result}))
    return None


def _cones(
    result: fx.Node, places: Mapping[fx.Node, int], variable: set[fx.Node]
) -> Iterator[tuple[fx.Node, frozenset[fx.Node]]]:
    """Return the sets of pointwise nodes before ``result`` with one variable, small ones first.

    Nothing outside of a set reads its nodes, but for the result.
    """
    cone = {result}
    while len(cone) <= _MOST_NODES:
        border = {used for node in cone for used in node.all_input_nodes} - cone
        border &= variable
        if len(border) == 1:
            yield next(iter(border)), frozenset(cone)
        if not border:
            return
        last = max(border, key=places.__getitem__)
        if not _is_pointwise(last) or not cone.issuperset(last.users):
            return
        cone.add(last)


def _changes(node: fx.Node, argument: fx.Node) -> bool:
    """Return whether the node changes the value of ``argument`` in place."""
    return is_mutable(node) and storage(node) == storage(argument)


def _samples() -> torch.Tensor:
    wide = 2.0 ** torch.arange(-20, 21, dtype=torch.float64)
    return torch.cat((-wide, torch.linspace(-30, 30, 6001, dtype=torch.float64), wide))


def _evaluate(
    nodes: list[fx.Node], argument: fx.Node, constants: Mapping[str, torch.Tensor]
) -> torch.Tensor | None:
    """Compute the last node at the samples; None when a constant has several elements."""
    values: dict[fx.Node, Any] = {argument: _samples()}
    for node in nodes:
        for used in node.all_input_nodes:
            constant = constants.get(used.name)
            if used not in values:
                if constant is None or constant.numel() != 1:
                    return None
                values[used] = constant.reshape(())
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        assert isinstance(node.target, torch._ops.OpOverload)
        values[node] = node.target(*args, **kwargs)
    result: torch.Tensor = values[nodes[-1]]
    return result


def _function_with(values: torch.Tensor) -> Elementwise | None:
    """Return the known function that has these values at the samples."""
    samples = _samples()
    for kind in FUNCTIONS:
        for function in kind.usual():
            wanted = function.forward(samples)
            if values.shape == wanted.shape and torch.allclose(
                values.double(), wanted, rtol=_TOLERANCE, atol=_TOLERANCE
            ):
                return function
    return None
