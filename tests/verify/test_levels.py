"""verify: what agrees is said to agree, and what differs is found where it begins."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import QuantizedModel, quantize
from hyq_hls.emulate import Emulator
from hyq_hls.emulate.exact import Kernel
from hyq_hls.support import sqnr_db
from hyq_hls.verify import first_difference, verify
from hyq_hls.verify.quantized_float import quantized_float


@pytest.fixture
def small() -> tuple[QuantizedModel, np.ndarray]:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.SiLU(),
        nn.Conv2d(4, 6, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    ).eval()
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)
    return quantize(model, images, progress=False), images


def break_kernel(qmodel: QuantizedModel, name: str, index: tuple[int, ...]) -> None:
    emulator = qmodel.emulator
    assert isinstance(emulator, Emulator)
    kernel: Kernel = emulator._kernels[name]

    def broken(*codes: torch.Tensor) -> torch.Tensor:
        result = kernel(*codes).clone()
        result[index] += 1
        return result

    emulator._kernels[name] = broken


@pytest.mark.slow
@pytest.mark.smoke
def test_all_agree(small: tuple[QuantizedModel, np.ndarray]) -> None:
    report = verify(*small, progress=False)
    assert report.ok
    assert report.module is not None
    assert report.module.float_db > 100
    assert [n.node for n in report.nodes] == list(small[0].graph.nodes)
    assert {n.level for n in report.nodes} == {"emulation"}
    assert str(report).endswith("all levels agree")


@pytest.mark.slow
def test_the_first_difference_is_named(small: tuple[QuantizedModel, np.ndarray]) -> None:
    qmodel, images = small
    names = list(qmodel.graph.nodes)
    codes = dict(qmodel.graph.reference(images.astype(np.int64)))[names[1]]
    break_kernel(qmodel, names[1], (2, 3, 4, 1))
    report = verify(qmodel, images, progress=False)
    assert not report.ok
    (difference,) = report.differences
    expected = int(codes[2, 3, 4, 1])
    assert (difference.level, difference.node) == ("emulation", names[1])
    assert difference.index == (2, 3, 4, 1)
    assert (difference.expected, difference.found) == (expected, expected + 1)
    assert difference.count == 1
    assert report.nodes[0].level == "emulation"
    assert report.nodes[1].level == "integer"
    text = str(report)
    assert f"emulation differs first at {names[1]}[2, 3, 4, 1]: expected {expected}" in text
    assert text.endswith("LEVELS DISAGREE")


def test_without_a_float_graph(small: tuple[QuantizedModel, np.ndarray]) -> None:
    report = verify(QuantizedModel(small[0].graph), small[1], progress=False)
    assert report.ok
    assert {(n.quantized_db, n.integer_db) for n in report.nodes} == {(None, None)}


def test_quantized_float_rounds_once_per_node(small: tuple[QuantizedModel, np.ndarray]) -> None:
    """A dense layer has no arithmetic of its own: quantized float and integers coincide there."""
    qmodel, images = small
    assert qmodel.float_graph is not None
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    values = quantized_float(qmodel.float_graph, qmodel.graph, batch)
    codes = dict(qmodel.graph.reference(images.astype(np.int64)))
    first = next(iter(qmodel.graph.nodes))
    meant = qmodel.graph.type(first).quantization
    # Half up against half to even is all that may differ.
    assert np.abs(meant.quantize(values[first]) - codes[first]).max() <= 1
    assert np.mean(meant.quantize(values[first]) != codes[first]) < 0.02


def test_first_difference() -> None:
    a = np.arange(6).reshape(2, 3)
    assert first_difference("C++", "x", a, a.copy()) is None
    b = a.copy()
    b[1, 0], b[1, 2] = 9, 9
    found = first_difference("C++", "x", a, b)
    assert found is not None
    assert (found.index, found.expected, found.found, found.count) == ((1, 0), 3, 9, 2)
    with pytest.raises(ValueError, match="shape"):
        first_difference("C++", "x", a, a.T)


def test_sqnr() -> None:
    signal = np.array([3.0, 4.0])
    assert sqnr_db(signal, signal) == inf
    assert sqnr_db(signal, np.array([3.5, 4.0])) == pytest.approx(20.0)
    assert sqnr_db(np.zeros(2), np.ones(2)) == -inf
