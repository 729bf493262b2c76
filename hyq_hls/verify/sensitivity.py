"""The part of the output's error that every node causes, each by itself.

A node gets the codes that the integer network gives it, and the float operation gets the same
values. The difference is the node's own error: its rounded weights, its integer arithmetic and the
rounding of its result. This error alone is put into the float network, and all else stays exact.
Such errors are nearly independent, so the error of the whole network is about their sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls.capture.channel_affine import PositionConstant
from hyq_hls.capture.float_graph import FloatNode
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.hidden import hides
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support.sqnr import decibels, power_and_noise


@dataclass(frozen=True)
class NodeSensitivity:
    """The error of the network's output that one node causes.

    Attributes:
        node: name of the node.
        output_db: signal-to-noise of the output in dB if no other node had an error; far above 100
            where the node is exact, and only floating point rounds.
        share: its squared error over the sum of those of all nodes; 0 where all are exact.
    """

    node: str
    output_db: float
    share: float


def node_sensitivities(
    qmodel: QuantizedModel, pixels: NDArray[np.uint8], *, progress: bool = False
) -> list[NodeSensitivity]:
    """Return what every node of the float graph costs, in the order of the graph.

    Args:
        qmodel: a model with its float graph.
        pixels: bytes (B, H, W, C) of a few images; one after another is computed.
        progress: whether to show a progress bar.
    """
    graph = qmodel.float_graph
    assert graph is not None
    nodes = [node for node in graph if node.name != graph.input]
    noise = np.zeros(len(nodes))
    power = 0.0
    bar = tqdm(
        total=len(nodes) * len(pixels), desc="sensitivity", unit="node", disable=not progress
    )
    with bar, torch.inference_mode():
        for start in range(len(pixels)):
            image = pixels[start : start + 1]
            real = graph.run(to_float(image).double())
            meant = _meant(qmodel, image, real)
            wanted = real[graph.output].numpy()
            power += power_and_noise(wanted, wanted)[0]
            for index, node in enumerate(nodes):
                value = real[node.name] + _own_error(node, meant)
                found = graph.output_with(real, node.name, value).numpy()
                noise[index] += power_and_noise(wanted, found)[1]
                bar.update()
    total = noise.sum()
    return [
        NodeSensitivity(
            node.name, decibels(power, float(mine)), float(mine / total) if total else 0
        )
        for node, mine in zip(nodes, noise, strict=True)
    ]


def _meant(
    qmodel: QuantizedModel, image: NDArray[np.uint8], real: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the real values that the integers stand for, by node of the float graph."""
    graph = qmodel.float_graph
    assert graph is not None
    found = {}
    for name, codes in qmodel.emulator.trace(image):
        if name not in real:
            continue
        value = torch.from_numpy(qmodel.graph.type(name).quantization.dequantize(codes))
        op = graph[name].op
        if hides(op):  # a hidden score has a code of its own, which stands for no real value
            assert isinstance(op, PositionConstant)
            value = torch.where(torch.from_numpy(op.hidden), real[name], value)
        found[name] = value
    found[graph.input] = real[graph.input]
    return found


def _own_error(node: FloatNode, meant: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the difference between a node's integers and its function of the same inputs."""
    (image, *_) = meant.values()
    exact = node.op.forward(*([meant[name] for name in node.inputs] or [image]))
    error = meant[node.name] - exact
    if hides(node.op):
        assert isinstance(node.op, PositionConstant)
        error = error.masked_fill(torch.from_numpy(node.op.hidden), 0)
    return error
