"""A reciprocal in integers is a table behind a sum of squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls import quantize
from hyq_hls.capture import capture
from hyq_hls.capture.elementwise import InversePower
from hyq_hls.capture.multiply import Multiply
from hyq_hls.ops import Table
from hyq_hls.quant.calibrate import calibrate
from hyq_hls.support import sqnr_db
from tests.capture.hybrids import settle
from tests.capture.nets import Net

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("way", ["rms", "channels", "positions"])
def test_normalizations_without_a_mean_keep_their_accuracy(way: str) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.stem(x).flatten(2).mT
        axis = 1 if way == "positions" else 2
        y = m.norm(y) if way == "rms" else functional.normalize(y, dim=axis)
        result: torch.Tensor = m.head(m.mix(y).relu().mean(1))
        return result

    layers = {"stem": nn.Conv2d(3, 8, 3, padding=1), "norm": nn.RMSNorm(8)}
    layers |= {"mix": nn.Linear(8, 8), "head": nn.Linear(8, 10)}
    model = settle(Net(forward, **layers))
    qmodel = quantize(model, IMAGES, progress=False)
    with torch.no_grad():
        logits = model.double()(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).double() / 255)
    assert sqnr_db(logits.numpy(), qmodel.predict(IMAGES)) > 27
    tables = [n.operation for n in qmodel.graph.nodes.values() if isinstance(n.operation, Table)]
    assert any(np.all(np.diff(table.values) <= 0) and np.ptp(table.values) for table in tables)


def test_the_range_of_an_inverse_root_is_judged_by_its_products() -> None:
    """Behind ReLU some vectors are zero: their inverse roots are huge, and multiply zeros."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.norm((m.stem(x) - 2).relu().flatten(2).mT)
        result: torch.Tensor = m.head(y.mean(1))
        return result

    layers = {"stem": nn.Conv2d(3, 4, 3, padding=1), "norm": nn.RMSNorm(4)}
    model = settle(Net(forward, **layers, head=nn.Linear(4, 10)))
    with torch.no_grad():
        images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).double() / 255
        stem: Any = model.double().stem
        vectors = (stem(images) - 2).relu().amax(1)
        assert 0.1 < (vectors == 0).double().mean() < 0.9
        logits = model(images)
    qmodel = quantize(model.float(), IMAGES, progress=False)
    assert sqnr_db(logits.numpy(), qmodel.predict(IMAGES)) > 27


def test_weights_of_a_factor_are_the_squares_of_what_it_multiplies() -> None:
    layers = {"stem": nn.Conv2d(3, 4, 1), "norm": nn.RMSNorm(4)}
    module = Net(lambda m, x: m.norm(m.stem(x).flatten(2).mT), **layers)
    graph, _ = capture(settle(module), (3, 8, 8))
    statistics = calibrate(graph, IMAGES, 0.1, progress=False)
    (root,) = (node for node in graph if isinstance(node.op, InversePower))
    (product,) = (node for node in graph if isinstance(node.op, Multiply))
    x = statistics[product.inputs[0]].rows
    weights = statistics[root.name].weights
    assert weights is not None
    np.testing.assert_allclose(weights[:, 0], np.square(x).sum(axis=1), rtol=1e-4)
    assert all(statistics[node.name].weights is None for node in graph if node is not root)
