"""A message names place, what was found, what is wanted and what to do; and doing that helps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import capture
from hyq_hls.errors import CaptureError
from tests.capture.nets import Net

IMAGE = (4, 6, 6)


@dataclass(frozen=True)
class Situation:
    """A model that is refused, and the same model when the user did what the message says.

    Attributes:
        make: makes the refused model.
        place: what the message blames.
        found: a part of what it found.
        mended: makes a model that is captured; None where the advice is no change of the model.
    """

    make: Callable[[], Any]
    place: str
    found: str
    mended: Callable[[], nn.Module] | None = None


@dataclass
class Output:
    """An output as some libraries return it.

    Attributes:
        logits: the result.
    """

    logits: torch.Tensor


def _with_product() -> nn.Module:
    model = _conv()
    model.last = next(model.parameters()) * 2
    return model


def _old_weight_norm() -> nn.Module:
    model = nn.Sequential(torch.nn.utils.weight_norm(nn.Conv2d(4, 3, 1)))
    model(torch.zeros(1, 4, 2, 2))
    return model


class _Autocast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result: torch.Tensor = self.conv(x)
        return result.float()


def _net(forward: Callable[..., Any], **layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: Net(forward, **layers)


def _poisoned(name: str, value: float, model: nn.Module) -> nn.Module:
    tensor = model.get_parameter(name) if "running" not in name else model.get_buffer(name)
    tensor.data.reshape(-1)[1] = value
    return model


def _conv() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 3, 1), nn.BatchNorm2d(3))


def _scripted_child() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 3, 1), torch.jit.script(nn.ReLU()))


def _not_copied() -> nn.Module:
    model = _conv()
    model.lock = threading.Lock()  # type: ignore[assignment]
    return model


class _Counting(nn.Module):
    """Its output depends on how often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        result: torch.Tensor = x.relu().mean((2, 3))
        return result if self.runs < 4 else result + result


class _Masked(nn.Module):
    """An infinite mask is no broken weight."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 1)
        self.register_buffer("mask", torch.full((3,), -torch.inf))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.mask + self.conv(x).mean((2, 3))
        result: torch.Tensor = self.conv(x)
        return result


def _relu(m: Any, x: torch.Tensor) -> torch.Tensor:
    return x.relu()


def _random(m: Any, x: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = m.conv(x) + torch.rand(())
    return result


SITUATIONS: dict[str, Situation] = {
    "a class": Situation(lambda: nn.ReLU, "model", "the class ReLU", nn.ReLU),
    "weights": Situation(
        lambda: _conv().state_dict(), "model", "such as the weights of a model", _conv
    ),
    "a path": Situation(lambda: "model.pt", "model", "the text 'model.pt'", _conv),
    "a function": Situation(lambda: abs, "model", "a builtin_function_or_method"),
    "no layer": Situation(nn.Identity, "output (output)", "the image itself", _conv),
    "TorchScript": Situation(
        lambda: torch.jit.script(_conv()), "module (root)", "a ScriptModule", _conv
    ),
    "TorchScript inside": Situation(_scripted_child, "module 1", "a ScriptModule", _conv),
    "lazy": Situation(
        lambda: nn.Sequential(nn.LazyConv2d(3, 1)),
        "parameter 0.weight",
        "a lazy parameter without values",
        lambda: nn.Sequential(nn.Conv2d(4, 3, 1)),
    ),
    "meta": Situation(
        lambda: nn.Conv2d(4, 3, 1, device="meta"),
        "parameter weight",
        "the meta device",
        lambda: nn.Conv2d(4, 3, 1),
    ),
    "NaN": Situation(
        lambda: _poisoned("0.weight", float("nan"), _conv()),
        "parameter 0.weight",
        "1 of 12 values are NaN or infinite",
        _conv,
    ),
    "infinite statistics": Situation(
        lambda: _poisoned("1.running_var", float("inf"), _conv()),
        "buffer 1.running_var",
        "1 of 3 values are NaN or infinite",
        _conv,
    ),
    "a copy that fails": Situation(_not_copied, "Sequential", "copy.deepcopy", _conv),
    "two inputs": Situation(
        lambda: nn.Bilinear(2, 2, 2), "forward() of Bilinear", "2 inputs ['input1', 'input2']"
    ),
    "channels": Situation(
        lambda: nn.Conv2d(5, 3, 1), "forward() of Conv2d", "it fails on an image of shape (1, 4"
    ),
    "control flow": Situation(
        _net(lambda m, x: x.relu() if x.sum() > 0 else x),
        "forward() of Net",
        "control flow",
        _net(lambda m, x: x.relu()),
    ),
    "random numbers": Situation(
        _net(_random, conv=nn.Conv2d(4, 3, 1)),
        "rand (aten.rand.default) in module (root)",
        "random numbers",
        _net(_relu),
    ),
    "a counter": Situation(_Counting, "output", "differs from run to run", _net(_relu)),
    "functional dropout": Situation(
        _net(lambda m, x: functional.dropout(x.relu(), 0.1)),
        "dropout (aten.dropout.default) in module (root)",
        "dropout that is active in evaluation mode too",
        _net(lambda m, x: functional.dropout(x.relu(), 0.1, training=m.training)),
    ),
    "several outputs": Situation(
        _net(lambda m, x: (x.relu(), x)), "output", "2 outputs", _net(lambda m, x: (x.relu(),))
    ),
    "argmax": Situation(
        _net(lambda m, x: x.mean((2, 3)).argmax(1)),
        "argmax (aten.argmax.default) in module (root)",
        "argmax of activations",
        _net(lambda m, x: x.mean((2, 3))),
    ),
    "the first image only": Situation(
        _net(lambda m, x: x.relu()[0]),
        "output",
        "(4, 6, 6) for one image and (4, 6, 6) for two",
        _net(lambda m, x: x.relu()),
    ),
    "the batch comes second": Situation(
        _net(lambda m, x: x.relu().flatten(2).permute(2, 0, 1)),
        "output",
        "(36, 1, 4) for one image and (36, 2, 4) for two",
        _net(lambda m, x: x.relu().flatten(2).permute(2, 0, 1).transpose(0, 1)),
    ),
    "attention over the batch": Situation(
        _net(
            lambda m, x: m.attn(*[x.flatten(2).mT] * 3)[0].mean(1),
            attn=nn.MultiheadAttention(4, 2),
        ),
        "bmm (aten.bmm.default) in module attn",
        "attention over sequences of a single position",
        _net(
            lambda m, x: m.attn(*[x.flatten(2).mT] * 3)[0].mean(1),
            attn=nn.MultiheadAttention(4, 2, batch_first=True),
        ),
    ),
    "a dictionary of two": Situation(
        _net(lambda m, x: {"logits": x.relu(), "aux": x.sigmoid()}),
        "output",
        "2 outputs",
        lambda: nn.Sequential(
            _net(lambda m, x: {"logits": x.relu(), "aux": x.sigmoid()})(),
            _net(lambda m, outputs: outputs["logits"])(),
        ),
    ),
    "a dataclass": Situation(
        _net(lambda m, x: Output(x.relu())),
        "forward() of Net",
        "it returns a Output",
        lambda: nn.Sequential(
            _net(lambda m, x: Output(x.relu()))(), _net(lambda m, outputs: outputs.logits)()
        ),
    ),
    "a mean over the batch": Situation(
        _net(lambda m, x: m.conv(x).mean(0), conv=nn.Conv2d(4, 3, 1)),
        "mean (aten.mean.dim) in module (root)",
        "mean over axis 0, which is the batch",
        _net(lambda m, x: m.conv(x).mean(1), conv=nn.Conv2d(4, 3, 1)),
    ),
    "padding by reflection": Situation(
        _net(
            lambda m, x: m.conv(functional.pad(x, (1, 1, 1, 1), "reflect")), conv=nn.Conv2d(4, 3, 3)
        ),
        "pad (aten.pad.default) in module (root)",
        "padding with 'reflect'",
        _net(lambda m, x: m.conv(x), conv=nn.Conv2d(4, 3, 3, padding=1, padding_mode="zeros")),
    ),
    "an assignment by a mask of the image": Situation(
        _net(lambda m, x: x.relu().masked_fill(x > 0.5, 0.5)),
        "gt (aten.gt.Scalar) in module (root)",
        "a comparison gt of activations",
        _net(lambda m, x: x.relu().clamp(max=0.5)),
    ),
    "a maximum over channels": Situation(
        _net(lambda m, x: x.amax(1)),
        "amax (aten.amax.default) in module (root)",
        "amax over an axis",
        _net(lambda m, x: x.mean(1)),
    ),
    "a negative power of what may be negative": Situation(
        _net(lambda m, x: x.tanh().pow(-0.5)),
        "pow",
        "a negative power of it, which may be negative",
        _net(lambda m, x: x.tanh().clamp(min=1e-6).pow(-0.5)),
    ),
    "a division by what may be negative": Situation(
        _net(lambda m, x: x / x.sum(1, keepdim=True)),
        "div (aten.div.Tensor) in module (root)",
        "a division by",
        _net(lambda m, x: functional.normalize(x, dim=1)),
    ),
    "a mean over rows": Situation(
        _net(lambda m, x: x.relu().mean(2)),
        "mean (aten.mean.dim) in module (root)",
        "a mean or sum over 6 elements at a time",
        _net(lambda m, x: functional.avg_pool2d(x.relu(), (6, 1)).squeeze(2)),
    ),
    "adaptive max-pooling": Situation(
        _net(lambda m, x: functional.adaptive_max_pool2d(x, 4)),
        "adaptive_max_pool2d (aten.adaptive_max_pool2d.default) in module (root)",
        "adaptive_max_pool2d",
        _net(lambda m, x: functional.max_pool2d(x, 2)),
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", SITUATIONS)
def test_the_message_has_four_parts_and_its_advice_works(name: str) -> None:
    situation = SITUATIONS[name]
    with pytest.raises(CaptureError) as caught:
        capture(situation.make(), IMAGE)
    text = str(caught.value)
    lines = [line.strip() for line in text.splitlines()]
    assert situation.place in text
    assert situation.found in text
    for part in ("found: ", "wanted: ", "to do: "):
        assert sum(line.startswith(part) for line in lines) == 1, text
    if situation.mended is not None:
        capture(situation.mended(), IMAGE)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.DataParallel(_conv()),
        lambda: torch.compile(_conv()),
        lambda: _conv().half(),
        lambda: _conv().train(),
        lambda: torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 1)),
        _old_weight_norm,
        _with_product,
        _Autocast,
        _Masked,
        lambda: _poisoned("unused.weight", float("nan"), _net(_relu, unused=nn.Linear(2, 2))()),
    ],
)
def test_models_as_people_hold_them(make: Callable[[], nn.Module]) -> None:
    _, report = capture(make(), IMAGE)
    assert report.relative_error is not None, "graph and module were compared"
    assert not report.unsupported
