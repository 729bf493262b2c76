"""What every node costs: its own error alone, carried by the float network to the output."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import QuantizedModel, quantize
from hyq_hls.quant.calibrate import to_float
from hyq_hls.support.sqnr import power_and_noise
from hyq_hls.verify.sensitivity import node_sensitivities

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def small() -> QuantizedModel:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, 1),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    ).eval()
    return quantize(model, PIXELS, progress=False)


def test_single_errors_add_up_to_that_of_the_network(small: QuantizedModel) -> None:
    assert small.float_graph is not None
    found = node_sensitivities(small, PIXELS)
    assert [s.node for s in found] == [n.name for n in small.float_graph][1:]
    assert sum(s.share for s in found) == pytest.approx(1)
    wanted = small.float_graph(to_float(PIXELS).double()).numpy()
    power, noise = power_and_noise(wanted, small.predict(PIXELS))
    predicted = sum(10 ** (-s.output_db / 10) for s in found)
    assert noise / power / 2 < predicted < 2 * noise / power


def test_the_last_node_costs_its_own_error(small: QuantizedModel) -> None:
    """Nothing lies behind it, so what it costs is the error of its codes on the same inputs."""
    graph = small.float_graph
    assert graph is not None
    codes = dict(small.emulator.trace(PIXELS))
    meant = {n: small.graph.type(n).quantization.dequantize(c) for n, c in codes.items()}
    last = graph[graph.output]
    exact = last.op.forward(*(torch.from_numpy(meant[n]) for n in last.inputs)).detach().numpy()
    real = graph(to_float(PIXELS).double()).numpy()
    power = power_and_noise(real, real)[0]
    noise = power_and_noise(exact, meant[last.name])[1]
    found = node_sensitivities(small, PIXELS)[-1]
    assert found.output_db == pytest.approx(10 * np.log10(power / noise))


def test_a_node_that_is_exact_costs_nothing() -> None:
    """A maximum of bytes is one of them."""
    model = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(3, 2, 1), nn.Flatten()).eval()
    found = node_sensitivities(quantize(model, PIXELS, progress=False), PIXELS[:1])
    assert found[0].output_db > 120
    assert found[0].share < 1e-6
    assert found[1].share == pytest.approx(1)
