"""What cannot be captured is refused with all reasons at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import UnsupportedModelError, capture, elementwise
from hyq_hls.errors import CaptureError, CaptureMismatchError, HyqError
from tests.capture.hybrids import Hybrid, settle
from tests.capture.nets import Forward, Net


def _refused(
    forward: Forward, shape: tuple[int, int, int] = (4, 6, 6), **layers: nn.Module
) -> UnsupportedModelError:
    with pytest.raises(UnsupportedModelError) as caught:
        capture(Net(forward, **layers), shape)
    error = caught.value
    assert isinstance(error, CaptureError)
    assert isinstance(error, HyqError)
    return error


def _only(error: UnsupportedModelError, node: str, found: str) -> None:
    (entry,) = error.report.unsupported
    assert entry.node == node
    assert found in entry.found
    assert entry.wanted
    assert entry.advice
    for part in (entry.node, entry.found, entry.wanted, entry.advice):
        assert part in str(error)
        assert part in str(error.report)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(
    ("layer", "found"),
    [
        (nn.Conv2d(4, 4, 2, padding="same"), "padding"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "padding with 'reflect'"),
        (nn.LogSigmoid(), "activation log_sigmoid"),
        (nn.PReLU(), "activation prelu"),
        (nn.GroupNorm(2, 4), "GroupNorm of 2 groups"),
        (nn.MaxPool2d(2, dilation=2), "pooling max_pool2d with dilation (2, 2)"),
        (nn.MaxPool2d(4, ceil_mode=True), "windows reach beyond the padding"),
        (nn.AdaptiveMaxPool2d(4), "pooling adaptive_max_pool2d"),
        (nn.AvgPool2d(4, ceil_mode=True), "windows reach beyond the padding"),
        (
            nn.AvgPool2d(3, 1, 1, count_include_pad=False, divisor_override=5),
            "a divisor of its own at the border",
        ),
        (nn.AdaptiveAvgPool2d(4), "of (6, 6) to (4, 4), whose windows differ in size"),
        (nn.ReflectionPad2d(1), "padding"),
        (nn.LayerNorm((6, 6)), "LayerNorm over the axes (6, 6)"),
        (nn.LayerNorm(6), "an order that mixes channels and positions"),
        (nn.Linear(6, 6), "an order that mixes channels and positions"),
    ],
)
def test_layers(layer: nn.Module, found: str) -> None:
    error = _refused(lambda m, x: m.layer(x), layer=layer)
    (entry,) = error.report.unsupported
    assert entry.module == "layer"
    _only(error, entry.node, found)


@pytest.mark.parametrize(
    ("forward", "node", "found"),
    [
        (lambda m, x: x + torch.ones(2, 4, 6, 6), "add", "a constant tensor (2, 4, 6, 6)"),
        (lambda m, x: x + x.mean((2, 3), keepdim=True), "add", "add of shapes"),
        (lambda m, x: torch.maximum(x, x.mean(1, keepdim=True)), "maximum", "maximum of shapes"),
        (lambda m, x: functional.silu(x.mean(2)).mean(2), "mean", "over 6 elements at a time"),
        (lambda m, x: x.sum(3)[:, :, 0], "sum_1", "over 6 elements at a time"),
        (lambda m, x: x[0], "output", "(4, 6, 6) for one image and (4, 6, 6) for two"),
        (lambda m, x: x.movedim(0, 1), "output", "(4, 1, 6, 6) for one image and (4, 2, 6, 6)"),
        (lambda m, x: x.reshape(1, -1), "output", "(1, 144) for one image and (1, 288) for two"),
        (lambda m, x: x.reshape(144), "output", "without an axis for the batch"),
        (lambda m, x: x.flip(0), "output", "changes with the other images of its batch"),
        (lambda m, x: x @ torch.ones(4, 4, 6, 6), "matmul", "a constant tensor"),
        (
            lambda m, x: m.conv((x.flatten(2) @ x[:, :1].flatten(2).mT).unsqueeze(-1)),
            "conv2d",
            "the product (1, 4, 1, 1) of two activations",
        ),
        (lambda m, x: x @ x, "matmul", "differ from position to position"),
        (lambda m, x: x.half().float(), "to", "a cast to torch.float16"),
        (lambda m, x: functional.unfold(x, 2, padding=1), "im2col", "over the border"),
        (lambda m, x: m.bn(m.conv(x)) + m.conv.weight.sum(), "batch_norm", "statistics"),
        (lambda m, x: torch.zeros(3), "output", "does not depend on the image"),
    ],
)
def test_expressions(forward: Forward, node: str, found: str) -> None:
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    error = _refused(forward, conv=nn.Conv2d(4, 4, 1), bn=norm)
    assert found in error.report[node].found


def _attention(change: Callable[..., torch.Tensor]) -> Forward:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(x.flatten(2).mT).unflatten(-1, (3, 2, 2)).permute(2, 0, 3, 1, 4)
        return change(q, k, v).transpose(1, 2).flatten(2)

    return forward


@pytest.mark.parametrize(
    ("change", "node", "found"),
    [
        (lambda q, k, v: (q @ k.mT).softmax(-2) @ v, "softmax", "over axis -2"),
        (lambda q, k, v: (q @ k.mT)[:, :1].softmax(-1) @ v, "matmul_1", "a part of"),
    ],
)
def test_attention(change: Callable[..., torch.Tensor], node: str, found: str) -> None:
    error = _refused(_attention(change), qkv=nn.Linear(4, 12))
    assert found in error.report[node].found


class _Resizing(Hybrid):
    """Resizes odd maps, as the public MobileViT does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        height, width = x.shape[2:]
        ph, pw = self.block.patch
        size = (-(-height // ph) * ph, -(-width // pw) * pw)
        if size != (height, width):
            x = functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
        result: torch.Tensor = self.head(self.block(x).mean((2, 3)))
        return result


@pytest.mark.slow
def test_interpolation_names_the_sizes_that_work() -> None:
    model = settle(_Resizing())
    with pytest.raises(UnsupportedModelError) as caught:
        capture(model, (3, 14, 14))
    (entry,) = caught.value.report.unsupported
    assert entry.target.startswith("aten.upsample_bilinear2d")
    assert "from (7, 7) to (8, 8)" in entry.found
    assert "image size (14, 14)" in entry.found
    assert "divisible by 4, as 12x12 or 16x16" in entry.advice
    for size in (12, 16):
        capture(model, (3, size, size))


def test_all_problems_are_collected() -> None:
    model = nn.Sequential(
        nn.GroupNorm(2, 4),
        nn.BatchNorm2d(4),
        nn.PReLU(),
        nn.Conv2d(4, 4, 1),
        nn.BatchNorm2d(4),
        nn.PReLU(),
        nn.AdaptiveAvgPool2d(1),
    )
    with pytest.raises(UnsupportedModelError, match="3 unsupported nodes") as caught:
        capture(model, (4, 8, 8))
    report = caught.value.report
    assert [entry.module for entry in report.unsupported] == ["0", "2", "5"]
    # What follows an unsupported node is not blamed for it.
    assert report["batch_norm"].status == "skipped"
    assert report["batch_norm_1"].status == "absorbed"
    assert str(caught.value).count("activation prelu") == 1
    assert "prelu_1 (aten.prelu.default) in module 5" in str(caught.value)


def test_control_flow_on_values() -> None:
    error = _refused(lambda m, x: x.relu() if x.sum() > 0 else x)
    assert "forward() of Net" in str(error)
    assert "control flow" in str(error)
    assert error.report.nodes == ()


def test_inputs_and_outputs() -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return x + y

    with pytest.raises(UnsupportedModelError, match=r"needs 2 inputs \['x', 'y'\]"):
        capture(Two(), (4, 6, 6))
    error = _refused(lambda m, x: (x, x.relu()))  # type: ignore[arg-type, return-value]
    _only(error, "output", "2 outputs")


def test_arguments() -> None:
    with pytest.raises(CaptureError, match=r"must be a torch\.nn\.Module"):
        capture(lambda x: x, (3, 8, 8))  # type: ignore[arg-type]
    for shape in ((8, 8), (3, 0, 8), (3, 8.0, 8)):
        with pytest.raises(CaptureError, match="input_shape must be"):
            capture(nn.ReLU(), shape)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedModelError, match="fails on an image of shape"):
        capture(nn.Conv2d(3, 4, 3), (5, 8, 8))


def test_a_wrong_graph_is_noticed() -> None:
    class Wrong(elementwise.Relu):
        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return inputs[0].clamp(min=1e-2)

    with (
        mock.patch.object(elementwise.Relu, "forward", Wrong.forward),
        pytest.raises(CaptureMismatchError, match=r"relative error .*\n.* at most 1e-05"),
    ):
        capture(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), (3, 6, 6))


def test_modules_that_cannot_compute_in_float64() -> None:
    class Float32(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.dtype != torch.float32:
                raise RuntimeError("float32, please")
            result: torch.Tensor = self.fc(x.mean((2, 3)))
            return result

    _, report = capture(Float32(), (3, 6, 6))
    assert report.relative_error is not None
    assert report.relative_error < 1e-5
