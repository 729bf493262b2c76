"""``inspect`` says before any work what ``quantize`` makes, and what is missing with a remedy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hyq_hls
from benchmarks.reduced.mobilevitv2 import small
from hyq_hls.errors import CaptureError, InputError
from hyq_hls.quant import presets
from hyq_hls.stream.circuits import node_circuits
from hyq_hls.support import template_dir
from tests.capture.hybrids import Hybrid, settle
from tests.capture.nets import Net
from tests.capture.test_turning import Linear, of_tokens
from tests.quant.test_grouped_convolution import Grouped


def image_of(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, side, side, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fast", "lean"])
@pytest.mark.parametrize(
    ("model", "side"),
    [
        (Hybrid(channels=4, dim=4, heads=2, depth=1, patch=(3, 1)), 6),
        (small(), 16),
        (Grouped(), 12),
    ],
    ids=["hybrid", "mobilevitv2", "grouped"],
)
def test_it_says_what_quantize_makes(model: nn.Module, side: int, preset: str) -> None:
    """The same nodes, in the same order, become the same operations and circuits."""
    config = presets.preset(preset)
    found = hyq_hls.inspect(settle(model), side, config)
    assert found.complete
    made = hyq_hls.quantize(settle(model), image_of(side), config, progress=False).graph
    wanted = [node.operation.name for node in made.nodes.values()]
    seen = [name for node in found.nodes for name in node.operations]
    # A requantization behind a table depends on the scales that calibration chooses.
    assert [n for n in seen if n != "requantize"] == [n for n in wanted if n != "requantize"]
    modules = {module for node in found.nodes for module in node.modules}
    assert {circuit.module for circuit in node_circuits(made).values()} <= modules | {"requantize"}
    for module in modules:
        assert (template_dir() / f"{module}.h").is_file()
        assert (template_dir("rtl_templates") / f"hyq_{module}.sv").is_file()


def test_what_moves_probabilities_keeps_their_codes() -> None:
    """Those of linear attention move between their softmax and the product with the values."""
    assert hyq_hls.inspect(
        Net(of_tokens, stem=nn.Conv2d(3, 8, 3), layer=Linear("softmax")), 8
    ).complete


def test_what_is_missing_is_grouped_with_its_remedy() -> None:
    model = Net(
        lambda m, x: m.head(m.prelu(m.b(m.prelu(m.a(x)))).mean((2, 3)).log_softmax(-1)),
        a=nn.Conv2d(3, 4, 3),
        prelu=nn.PReLU(),
        b=nn.Conv2d(4, 4, 3),
        head=nn.Linear(4, 2),
    )
    found = hyq_hls.inspect(model, (12, 10))
    groups = {group.kind: group for group in found.missing}
    assert set(groups) == {"prelu", "log_softmax"}
    assert groups["prelu"].nodes == ("prelu", "prelu_1")
    assert "replace it by one of these" in groups["prelu"].remedy
    text = str(found)
    assert "prelu: 2 nodes, not captured" in text
    assert "return the scores" in text
    assert "3 of 8 nodes stop on the way" in found.verdict
    # What stands before and behind them is still followed to its circuits.
    operations = [node.operations for node in found.nodes if node.kind == "Conv2d"]
    assert operations == [("conv2d",), ("conv2d",)]


def test_what_has_no_integer_operation_says_so() -> None:
    model = Net(lambda m, x: m.a(x).flatten(2).transpose(1, 2).softmax(-1), a=nn.Conv2d(3, 4, 1))
    found = hyq_hls.inspect(model, 4)
    (group,) = found.missing
    assert (group.kind, group.level) == ("Softmax", "integers")
    assert group.remedy.startswith("return the values before the softmax")
    assert "Softmax" in str(found)
    assert "no integer operation" in str(found)


def test_html_holds_every_node_and_escapes_text(tmp_path: Path) -> None:
    found = hyq_hls.inspect(Net(lambda m, x: m.act(x * x.sign()), act=nn.ReLU()), 4)
    page = found.save(tmp_path / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    for node in found.nodes:
        assert f'<td class="left">{node.name}</td>' in page
        assert f"<td>{node.name}</td>" in found._repr_html_()
    for html in (page, found._repr_html_()):
        assert re.search(r'<tr class="?stops', html)
        assert "->" not in html


def test_the_size_of_images_is_asked_for() -> None:
    model = Net(lambda m, x: m.a(x), a=nn.Conv2d(3, 4, 1))
    with pytest.raises(InputError, match=r"give image_size=, such as image_size=224"):
        hyq_hls.inspect(model)
    with pytest.raises(InputError, match=r"image_size=\(1, 2, 3\): a side or"):
        hyq_hls.inspect(model, (1, 2, 3))  # type: ignore[arg-type]
    vars(model)["pretrained_cfg"] = {"input_size": (3, 6, 8)}
    assert hyq_hls.inspect(model).image_shape == (3, 6, 8)


def test_a_module_that_cannot_be_traced_is_an_error() -> None:
    class Chooses(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.mean() > 0 else -x

    with pytest.raises(CaptureError, match="control flow"):
        hyq_hls.inspect(Chooses(), 4)
