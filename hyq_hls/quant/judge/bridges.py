"""Bridge blocks of Q-HyViT: the layers between maps and tokens (Lee et al., arXiv 2303.12557)."""

from __future__ import annotations

from collections.abc import Iterator

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.quant.traits import has_weights, traits_of, weighted


def bridge_blocks(graph: FloatGraph) -> list[tuple[str, ...]]:
    """Return the layers that change between the representations of convolutions and transformer.

    A bridge block is a chain of layers and activations, each the only reader of the one before. It
    holds its last convolution with neighbours, and every 1x1 layer and activation behind it. Where
    something else comes first, such as an addition or a concatenation, the chain starts behind it.
    A chain without a layer is no bridge block. The chain ends

    - before an :class:`~hyq_hls.capture.float_ops.Unfold`, where a map becomes tokens. A flattened
      map is an Unfold with patches of one pixel. Unfolds of the same chain share it;
    - before an addition that only an Unfold reads. The chain is the branch that is added;
    - before an attention between the positions of a map and other tokens, which fit the map's
      channels by queries, keys or values of their own.

    In MobileViT v1 and v2 a bridge block is conv_kxk, SiLU and conv_1x1, once for each of its
    blocks. In EfficientFormer it is the perceptron of the last block of maps, in V2 the queries and
    keys of every attention, and in Mobile-Former the layers of both bridges. The layers that lead
    from tokens back to the map (Fold) form no bridge block, as in the paper's count for MobileViT.

    Returns:
        Names of the layers in order; bridge blocks stand in the order of what reads them.
    """
    found: dict[str, tuple[str, ...]] = {}
    for node in graph:
        for end, readers in _ends(graph, node):
            if chain := _chain(graph, graph[end], readers):
                found[chain[-1]] = chain
    return list(found.values())


def _ends(graph: FloatGraph, node: FloatNode) -> Iterator[tuple[str, set[str]]]:
    """Yield what may be the last of a bridge block before a node, and who may read it."""
    if traits_of(node).tokens:
        (name,) = node.inputs
        readers = {r for r in graph.consumers(name) if traits_of(graph[r]).tokens}
        yield name, readers
        if traits_of(graph[name]).adds and set(graph.consumers(name)) == readers:
            yield from ((branch, {name}) for branch in graph[name].inputs)
    elif traits_of(node).product_factor and any(_is_map(graph, n) for n in node.inputs):
        softmaxes = graph.consumers(node.name)
        products = [graph[reader] for name in softmaxes for reader in graph.consumers(name)]
        for product in (node, *(p for p in products if traits_of(p).reads_probabilities)):
            operands = [n for n in product.inputs if n not in softmaxes]
            others = (n for n in operands if not _is_map(graph, n))
            yield from ((name, {product.name}) for name in others)


def _is_map(graph: FloatGraph, name: str) -> bool:
    """Return whether tokens are the positions of a map."""
    return traits_of(graph[name]).tokens


def _chain(graph: FloatGraph, node: FloatNode, readers: set[str]) -> tuple[str, ...]:
    """Return the chain that ends in a node which nobody but ``readers`` reads."""
    chain: list[str] = []
    while set(graph.consumers(node.name)) <= readers:
        if not has_weights(node) and not traits_of(node).function:
            break
        chain.insert(0, node.name)
        if has_weights(node) and not weighted(node).pointwise:
            break
        readers, node = {node.name}, graph[node.inputs[0]]
    while chain and not has_weights(graph[chain[0]]):
        chain.pop(0)
    return tuple(chain)
