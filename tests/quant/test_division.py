"""A reciprocal in integers is a table behind a sum of squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls import quantize
from hyq_hls.ops import Table
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
