"""Whole models in the ways in which people hold them; images are (B, 3, 8, 8)."""

# Modules of PyTorch return anything, as mypy sees it.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize
from torch.utils.checkpoint import checkpoint


class Small(nn.Module):
    """A convolution, BatchNorm, a head; what is returned is a function of the logits."""

    def __init__(self, result: Callable[[Tensor], Any] = lambda logits: logits) -> None:
        super().__init__()
        self.result = result
        self.conv, self.bn, self.fc = (
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.Linear(8, 6),
        )

    def forward(self, x: Tensor) -> Any:
        """Return the result of images."""
        x = functional.relu(self.bn(self.conv(x)), inplace=True)
        return self.result(self.fc(functional.adaptive_avg_pool2d(x, (1, 1)).view(x.size(0), -1)))


@dataclass
class Output:
    """An output as some libraries return it.

    Attributes:
        logits: scores of the classes (B, 6).
        features: the features that they came from, where these were asked for.
    """

    logits: Tensor
    features: Tensor | None = None


class Head(nn.Module):
    """A wrapper that returns one of the outputs, as the message advises."""

    def __init__(self, model: nn.Module, choose: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model, self.choose = model, choose

    def forward(self, x: Tensor) -> Tensor:
        """Return the chosen output."""
        return self.choose(self.model(x))


class Twice(nn.Module):
    """One module and one weight that are used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.act = (
            nn.Conv2d(3, 8, 1),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
        )
        self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of images."""
        x = self.act(self.stem(x))
        x = self.act(self.block(self.act(self.block(x))))
        x = x.mean(dim=[-2, -1])
        result: Tensor = self.second(self.act(self.first(x)))
        return result


class Options(Small):
    """Arguments that have a default."""

    def forward(self, x: Tensor, return_features: bool = False, mask: Tensor | None = None) -> Any:
        """Return the logits, or more."""
        logits = super().forward(x)
        return (logits, x) if return_features else logits


class Checkpointed(Small):
    """Activations are computed again in the backward pass."""

    def forward(self, x: Tensor) -> Any:
        """Return the logits."""
        return checkpoint(super().forward, x, use_reentrant=False)


class Autocast(Small):
    """Half precision in the middle of forward()."""

    def forward(self, x: Tensor) -> Any:
        """Return the logits."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(x).float()


class Symmetric(nn.Module):
    """A parametrization."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a symmetric matrix."""
        return x.triu() + x.triu(1).mT


def _flat() -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(3, 4, 3, stride=2, padding=1), relu=nn.ReLU(True), pool=nn.AdaptiveAvgPool2d((2, 2)),
            flat=nn.Flatten(), drop=nn.Dropout(0.5), fc=nn.Linear(16, 6),
        )
    )  # fmt: skip


def _parametrized() -> nn.Module:
    model = Twice()
    parametrize.register_parametrization(model.first, "weight", Symmetric())
    return model


def _normed(norm: Callable[[nn.Module], nn.Module]) -> nn.Module:
    model = Small()
    model.conv = norm(model.conv)  # type: ignore[assignment]
    return model


def _hooked() -> nn.Module:
    model = Small()
    model.conv.register_forward_hook(lambda module, inputs, output: output * 2)
    return model


def _channels_last() -> nn.Module:
    model = Small()
    model.conv.weight.data = model.conv.weight.data.contiguous(memory_format=torch.channels_last)
    return model


def _compiled() -> nn.Module:
    model: Any = torch.compile(Small(), backend="eager")
    assert isinstance(model, nn.Module)
    return model


def _grey(x: Tensor) -> Tensor:
    return 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]


#: Models that work as they are.
MODELS: dict[str, Callable[[], nn.Module]] = {
    "a dictionary": lambda: Small(lambda y: {"logits": y}),
    "a tuple of one": lambda: Small(lambda y: (y,)),
    "a list of one and None": lambda: Small(lambda y: [y, None]),
    "probabilities": lambda: Small(lambda y: y.softmax(-1)),
    "nn.Sequential with Flatten": _flat,
    "half": lambda: Small().half(),
    "bfloat16": lambda: Small().bfloat16(),
    "double": lambda: Small().double(),
    "channels last": _channels_last,
    "torch.compile": _compiled,
    "DataParallel": lambda: nn.DataParallel(Small()),
    "torch.fx": lambda: torch.fx.symbolic_trace(Small().eval()),
    "weight_norm": lambda: _normed(parametrizations.weight_norm),
    "weight_norm of old": lambda: _normed(nn.utils.weight_norm),
    "spectral_norm": lambda: _normed(parametrizations.spectral_norm),
    "spectral_norm of old": lambda: _normed(nn.utils.spectral_norm),
    "parametrize": _parametrized,
    "modules and weights used twice": Twice,
    "optional arguments": Options,
    "checkpoints": Checkpointed,
    "a forward hook": _hooked,
    "frozen": lambda: Small().requires_grad_(False),
    "a part in training": lambda: Small().train(),
    "grey images": lambda: nn.Sequential(Head(nn.Identity(), _grey), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 6)),
    "log of probabilities": lambda: Small(lambda y: functional.log_softmax(y, dim=1)),
    "an argmax": lambda: Small(lambda y: y.argmax(1)),
    "two outputs": lambda: Small(lambda y: (y, y.relu())),
    "a dictionary of two": lambda: Small(lambda y: {"logits": y, "aux": y * 2}),
    "a dataclass": lambda: Small(Output),
    "autocast": Autocast,
    "a script": lambda: torch.jit.script(_flat()),
    "images last": lambda: Head(Small(), lambda y: y),
}  # fmt: skip
