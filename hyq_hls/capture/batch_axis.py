"""Reductions over the axis of the batch, which make outputs of several images one."""

from __future__ import annotations

import torch
from torch import fx

from hyq_hls.capture.drafts import Unsupported
from hyq_hls.capture.nodes import operation

_REDUCTIONS = ("mean", "sum", "amax", "amin", "max", "min", "std", "var", "prod")


def reduction_over_batch(graph: fx.Graph) -> tuple[fx.Node, Unsupported] | None:
    """Return the first reduction over axis 0 of size 1, and what is wrong with it."""
    for node in graph.nodes:
        read = node.all_input_nodes[0].meta.get("val") if node.all_input_nodes else None
        if operation(node) not in _REDUCTIONS or not isinstance(read, torch.Tensor):
            continue
        axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        given = [axes] if isinstance(axes, int) else list(axes or range(read.ndim))
        if read.ndim and read.shape[0] == 1 and 0 in [axis % read.ndim for axis in given]:
            name = operation(node)
            return node, Unsupported(
                f"{name} over axis 0, which is the batch",
                "an output of each image that depends on this image alone",
                f"give the axes of one image, as {name}((2, 3)) for a map or {name}(1) for tokens",
            )
    return None
