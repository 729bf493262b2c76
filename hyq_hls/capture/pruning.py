"""Remove what does not reach the output from an exported graph, before anything is examined.

An unused result, such as the weights in ``out, _ = attention(x, x, x)``, can neither be refused
then, nor count as a reader of the values that it reads.
"""

from __future__ import annotations

from torch import fx

from hyq_hls.capture.nodes import is_mutable, storage


def prune(graph: fx.Graph) -> None:
    """Erase the nodes that the output does not depend on.

    An operation in place is needed where a needed node reads its memory later. Placeholders stay.
    """
    needed: set[fx.Node] = set()
    memories: set[int | None] = set()
    unused = []
    for node in reversed(graph.nodes):
        changes = is_mutable(node) and storage(node.all_input_nodes[0]) in memories
        if node.op in ("output", "placeholder") or node in needed or changes:
            needed.update(node.all_input_nodes)
            memories.update(storage(used) for used in (node, *node.all_input_nodes))
        else:
            unused.append(node)
    for node in unused:
        graph.erase_node(node)
