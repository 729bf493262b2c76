"""Small modules as a function of named layers, and how tests look at what became of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from hyq_hls.capture import FloatGraph, capture
from tests.capture.hybrids import settle

EXACT = 1e-12
Forward = Callable[..., torch.Tensor]


class Net(nn.Module):
    """Layers by name, and a forward function of them."""

    def __init__(self, forward: Forward, **layers: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self, x)


def captured(
    forward: Forward, shape: tuple[int, int, int] = (3, 4, 6), **layers: nn.Module
) -> FloatGraph:
    """The graph of a settled net, which computes what the net computes, in its shape and order."""
    graph, report = capture(settle(Net(forward, **layers)), shape)
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    return graph


def kinds(graph: FloatGraph) -> dict[str, str]:
    """The kinds of all nodes but the input, by name."""
    return {node.name: node.op.kind for node in graph if node.op.kind != "Input"}
