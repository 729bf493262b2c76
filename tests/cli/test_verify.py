"""``hyq-hls verify`` compares a loaded network with the PyTorch model that it came from."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from hyq_hls import QuantizedModel, quantize
from hyq_hls.cli import sources
from hyq_hls.cli.verify import restore_float_graph
from hyq_hls.verify.module_agreement import module_agreement
from tests.capture.hybrids import settle


@pytest.mark.slow
def test_a_normalized_network_finds_its_float_model_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = settle(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten()))
    images = np.random.default_rng(0).integers(0, 256, (16, 6, 5, 3), dtype=np.uint8)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    qmodel = quantize(model, images, mean=mean, std=std, progress=False)
    loaded = QuantizedModel(qmodel.graph)
    monkeypatch.setattr(sources, "model", lambda spec: model)
    restore_float_graph(loaded, "a.module:net")
    for found in (qmodel, loaded):
        assert found.float_graph is not None
        assert [n.name for n in found.float_graph if n.name in loaded.graph.nodes] == list(
            loaded.graph.nodes
        )
        agreement = module_agreement(found, images)
        assert agreement is not None
        assert agreement.ok
        assert agreement.integer_db > 30
