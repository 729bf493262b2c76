"""Rewrites of the float graph that change no value but suit integers."""

from __future__ import annotations

from dataclasses import replace
from math import log

from hyq_hls.capture.channel_affine import PositionConstant
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import AttentionScores, Softmax
from hyq_hls.capture.transpose import Transpose
from hyq_hls.errors import QuantizationError
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.traits import has_weights, weighted

LOG2_E = 1 / log(2)


def scores_in_octaves(graph: FloatGraph) -> FloatGraph:
    """Fold the attention scale and log2(e) into the query weights; softmax gets base 2.

    ``exp(s * q.k) = 2**((s * log2(e) * q).k)``: with scores in octaves, the range reduction of the
    linear softmax is a shift, and ``d**-0.5`` costs nothing. Learned queries take up the factor
    too. Where the query comes from elsewhere, the factor stays in ``AttentionScores.scale``, and
    requantization pays for it with a multiplier.

    Raises:
        QuantizationError: a softmax reads something else than attention scores.
    """
    prepared = octave_scores(graph)
    for node in prepared:
        check_softmax(node)
    return prepared


def octave_scores(graph: FloatGraph) -> FloatGraph:
    """Do what :func:`scores_in_octaves` does, and leave every other softmax as it is."""
    changed: dict[str, FloatOp] = {}
    for node in graph:
        if type(node.op) is not AttentionScores:
            continue
        biases, readers = _on_the_way(graph, node.name)
        softmaxes = [r for r in readers if type(graph[r].op) is Softmax]
        mixed = all(type(graph[r].op) is Transpose for r in readers)
        if not mixed and len(softmaxes) < len(readers):
            continue
        octaves = 1.0 if mixed else LOG2_E  # A layer that mixes heads takes the factor up itself.
        factor = node.op.scale * octaves
        query = graph[node.inputs[0]]
        alone = graph.consumers(query.name) == (node.name,) and query.name != node.inputs[1]
        if alone and isinstance(query.op, Constant):
            changed[query.name] = replace(query.op, value=query.op.value * factor)
            factor = 1.0
        elif alone and has_weights(query):
            layer = weighted(query)
            changed[query.name] = layer.with_parameters(layer.matrix * factor, layer.bias * factor)
            factor = 1.0
        changed[node.name] = replace(node.op, scale=factor)
        changed.update({name: op.scaled(octaves) for name, op in biases.items()})
        changed.update({r: OctaveSoftmax() for r in softmaxes})
    changed |= _mixed_in_octaves(graph)
    return graph.replace(changed)


def _mixed_in_octaves(graph: FloatGraph) -> dict[str, FloatOp]:
    """Fold log2(e) into the layers that mix the heads of scores for a softmax."""
    changed: dict[str, FloatOp] = {}
    for node in graph:
        if type(node.op) is not Softmax or type(graph[node.inputs[0]].op) is not Transpose:
            continue
        turned = graph[node.inputs[0]]
        mixing = graph[turned.inputs[0]]
        alone = all(len(graph.consumers(n.name)) == 1 for n in (turned, mixing))
        if alone and has_weights(mixing):
            layer = weighted(mixing)
            matrix, bias = layer.matrix * LOG2_E, layer.bias * LOG2_E
            changed[mixing.name] = layer.with_parameters(matrix, bias)
            changed[node.name] = OctaveSoftmax()
    return changed


def check_softmax(node: FloatNode) -> None:
    """Raise ``QuantizationError`` for a softmax that reads something else than scores."""
    if type(node.op) is Softmax:
        raise QuantizationError(
            f"{node.name}: a softmax of the values of {node.inputs[0]!r} found; a softmax of "
            "the scores of an attention is wanted, of tokens whose weighted keys are summed up, or "
            "of the values of a linear layer over all positions; return the values before the "
            "softmax, and apply it to the network's output"
        )


def _on_the_way(
    graph: FloatGraph, name: str
) -> tuple[dict[str, PositionConstant], tuple[str, ...]]:
    """Return the biases and masks that are added to scores, and what reads the sums."""
    biases: dict[str, PositionConstant] = {}
    readers: tuple[str, ...] = ()
    for reader in graph.consumers(name):
        op = graph[reader].op
        if isinstance(op, PositionConstant):
            more, behind = _on_the_way(graph, reader)
            biases |= {reader: op} | more
            readers += behind
        else:
            readers += (reader,)
    return biases, readers
