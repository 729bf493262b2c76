"""A network gives its outputs in the shape and order of its module, at every level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls import QuantizedModel, quantize
from hyq_hls.capture import capture
from hyq_hls.errors import InputError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Table
from hyq_hls.support import sqnr_db
from hyq_hls.verify.module_agreement import ModuleAgreement, module_agreement
from tests.capture.hybrids import settle

BYTE = Quantization(8, False)
Head = Callable[["_Heads", torch.Tensor], Any]


class _Heads(nn.Module):
    """A few convolutions, two heads, and a function of their results."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 4, 3, 2, 1))
        self.first, self.second = nn.Linear(4, 5), nn.Linear(4, 5)
        self.head = head

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self, self.stem(x))

    def scores(self, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores of both heads."""
        pooled = y.mean((2, 3))
        return self.first(pooled), self.second(pooled)


HEADS: dict[str, Head] = {
    "pooled scores, flipped": lambda m, y: y.mean((2, 3)).flip(1),
    "some classes of the sum of two heads": lambda m, y: sum(m.scores(y)).index_select(  # type: ignore[union-attr]
        1, torch.tensor([4, 2, 0])
    ),
    "heads one after the other": lambda m, y: torch.cat(m.scores(y), 1),
    "interleaved heads": lambda m, y: (
        torch.cat(m.scores(y), 1).unflatten(1, (2, 5)).transpose(1, 2).flatten(1)
    ),
    "map": lambda m, y: y,
    "transposed map": lambda m, y: y.transpose(2, 3),
    "flattened map": lambda m, y: y.flatten(1),
    "map with channels last": lambda m, y: y.permute(0, 2, 3, 1),
    "pixel shuffle": lambda m, y: functional.pixel_shuffle(y, 2),
    "one channel": lambda m, y: y[:, 2],
    "a part of the map": lambda m, y: y[:, :, 1:, ::2],
    "repeated map": lambda m, y: y.repeat_interleave(2, 2).repeat(1, 2, 1, 1),
    "tokens": lambda m, y: y.flatten(2).transpose(1, 2),
    "squeezed": lambda m, y: y.mean((2, 3), keepdim=True).squeeze(),
    "a number": lambda m, y: m.first(y.mean((2, 3)))[:, 3],
    "dictionary": lambda m, y: {"out": y.mean((2, 3)), "aux": None},
}


@pytest.mark.parametrize("name", HEADS)
def test_the_float_graph_has_the_outputs_of_the_module(name: str) -> None:
    model = settle(_Heads(HEADS[name])).double()
    graph, _ = capture(model, (3, 16, 12))
    images = torch.rand(3, 3, 16, 12, dtype=torch.float64)
    with torch.no_grad():
        wanted = model(images)
        wanted = wanted["out"] if isinstance(wanted, dict) else wanted
        found = graph(images)
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) < 1e-6  # The parameters were captured in float32.


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pooled scores, flipped", "transposed map", "pixel shuffle"])
def test_the_integers_have_the_outputs_of_the_module(name: str) -> None:
    model = settle(_Heads(HEADS[name]))
    pixels = np.random.default_rng(0).integers(0, 256, (24, 16, 12, 3), dtype=np.uint8)
    qmodel = quantize(model, pixels, progress=False)
    with torch.no_grad():
        wanted = model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
    found = qmodel(pixels)
    assert found.shape == qmodel.codes(pixels).shape == wanted.shape
    assert sqnr_db(wanted, found) > 25
    agreement = module_agreement(qmodel, pixels)
    assert agreement is not None
    assert agreement.ok
    assert agreement.integer_db == pytest.approx(sqnr_db(wanted, found), abs=0.1)
    assert qmodel.graph.output_index is not None
    qmodel.graph.output_index = np.flip(qmodel.graph.output_index).copy()
    wrong = module_agreement(qmodel, pixels)
    assert wrong is not None
    assert wrong.integer_db < 10


def test_an_accuracy_needs_logits() -> None:
    graph = Graph("x", TensorType((2, 3, 3), BYTE), output_index=np.array([4, 1]))
    graph.add("table", Table(np.arange(256), BYTE), "x")
    pixels = np.zeros((2, 2, 3, 3), np.uint8)
    pixels[1].reshape(-1)[4] = 1
    assert QuantizedModel(graph).evaluate(pixels, [0, 1]) == 50
    graph.output_index = np.array([[4, 1]])
    with pytest.raises(InputError, match="logits"):
        QuantizedModel(graph).evaluate(pixels, [0, 1])


def test_an_agreement_needs_the_shape_and_the_function_of_the_module() -> None:
    assert ModuleAgreement((4, 10), (4, 10), 130.0, 30.0, 4).ok
    assert not ModuleAgreement((4, 10), (4, 10), 10.0, 30.0, 4).ok
    other = ModuleAgreement((4, 10), (4, 5, 2), 130.0, 30.0, 4)
    assert not other.ok
    assert str(other) == "network: outputs (4, 5, 2), but the module gives (4, 10)"


def test_a_module_for_a_batch_of_one_image() -> None:
    def head(m: _Heads, y: torch.Tensor) -> Any:
        return m.first(y.mean((2, 3)).reshape(4)).unsqueeze(0)

    graph, _ = capture(settle(_Heads(head)), (3, 16, 12))
    assert graph.output_index is None
