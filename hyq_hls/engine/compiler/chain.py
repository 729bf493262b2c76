"""Which nodes of a graph are one attention: from queries and keys to the weighted values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hyq_hls.engine.compiler.attention_rows import Attention
from hyq_hls.engine.compiler.score_steps import Mixed, ScoreStep, Shifted, Shown, Softened
from hyq_hls.engine.forms import AttendedSums, Form, SoftmaxRows, Turned
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node

#: Axes of scores: pixels, queries, heads and keys, the last two perhaps turned.
_AXES = 4


def is_scores(node: Node) -> bool:
    """Return whether a node has scores or probabilities, which never lie in DRAM."""
    return len(node.type.shape) == _AXES


def apart(node: Node) -> ConversionError:
    """Return the error of a node that belongs to no attention that the engine knows."""
    return ConversionError(
        f"{node.operation.name} stands apart; the engine computes attention_scores, a softmax, "
        "channel_affine, requantize and mixed heads (transpose, dense, transpose) between them, "
        "and attention_values as one piece, each read by the next alone; choose the streaming "
        "architecture"
    )


def attention_of(
    graph: Graph, forms: Mapping[str, Form], values: Node
) -> tuple[Attention, tuple[str, str, str]]:
    """Return the attention that ends with a node, and the names of queries, keys and values.

    Raises:
        ConversionError: something else than a known step lies between scores and values.
    """
    scores, *between = _chain(graph, forms, values)
    first, last = forms[scores.name], forms[values.name]
    assert isinstance(first, AttendedSums)
    assert isinstance(last, AttendedSums)
    # What a step writes is shown by its own node, and by one that turns it for the next step.
    shown, steps = [[_shown(scores)]], list[ScoreStep]()
    while between:
        node, *between = between
        form = forms[node.name]
        if isinstance(form, Turned) and len(between) > 1:
            shown[-1].append(_shown(node, turned=True))
            node, turned, *between = between
            form = forms[node.name]
            if not isinstance(form, tuple) or not isinstance(forms[turned.name], Turned):
                raise apart(node)
            steps.append(Mixed((), form[0], node.type.shape[2]))
            shown.append([_shown(node, turned=True), _shown(turned)])
            continue
        steps.append(_step(node, form))
        shown.append([_shown(node)])
    if sum(isinstance(step, Softened) for step in steps) != 1:
        raise apart(values)
    attention = Attention(
        scores=first,
        steps=tuple(replace(s, shown=tuple(n)) for s, n in zip(steps, shown[1:], strict=True)),
        values=last,
        shown=tuple(shown[0]),
        result=_shown(values),
    )
    query, key = scores.inputs
    return attention, (query, key, values.inputs[1])


def _step(node: Node, form: Form) -> ScoreStep:
    """Return the step of a single node."""
    if isinstance(form, SoftmaxRows):
        return Softened((), form)
    if isinstance(form, tuple) and len(form) == 1:
        (sums,) = form
        if sums.depthwise and sums.inputs == (0,) and sums.stage.table is None:
            return Shifted((), sums, node.type.shape)
    raise apart(node)


def _chain(graph: Graph, forms: Mapping[str, Form], values: Node) -> list[Node]:
    """Return the nodes from the scores up to the last before the values."""
    found, name = list[Node](), values.inputs[0]
    while True:
        node = graph.nodes.get(name)
        if node is None or len(graph.consumers(name)) != 1 or not is_scores(node):
            raise apart(values if node is None or not is_scores(node) else node)
        found.append(node)
        if isinstance(forms[name], AttendedSums):
            return found[::-1]
        name = node.inputs[0]


def _shown(node: Node, turned: bool = False) -> Shown:
    return Shown(node.name, node.type.quantization.qmin, turned)
