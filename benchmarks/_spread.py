"""The largest channel of a tensor stands out: a measure of that, and a reward in training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hyq_hls.models.digits import as_input
from hyq_hls.models.mobilevit import Attention

KINDS = ("activation input", "activation output", "normalization", "scores")


class Spread:
    """Watches the inputs and outputs of SiLU and GELU, the outputs of norms, attention scores.

    The ratio of a tensor is the largest magnitude of its largest channel over that of its median
    channel, where a head is a channel of the scores. Called, it gives what to add to a loss:
    minus ``reward`` times the mean over the tensors of ``log(min(ratio, bound))``. It covers what
    the model computed last.

    Args:
        model: a hybrid; scores are those of this package's ``Attention``.
        reward: weight of the term.
        bound: ratios above it are not rewarded.
    """

    def __init__(self, model: nn.Module, reward: float = 0.0, bound: float = 30.0) -> None:
        self.reward = reward
        self.bound = bound
        self.found: list[tuple[str, torch.Tensor]] = []
        self._hooks = [model.register_forward_pre_hook(lambda *_: self.found.clear())]
        for module in model.modules():
            if isinstance(module, nn.SiLU | nn.GELU):
                self._hooks.append(module.register_forward_hook(self._activation))
            elif isinstance(module, nn.LayerNorm | nn.GroupNorm):
                self._hooks.append(module.register_forward_hook(self._normalization))
            elif isinstance(module, Attention):
                self._hooks.append(module.qkv.register_forward_hook(self._scores(module.heads)))

    def __call__(self) -> torch.Tensor:
        """Return the scalar to add to the loss of the last forward pass."""
        logs = torch.stack([ratio for _, ratio in self.found]).log()
        return -self.reward * logs.clamp(max=math.log(self.bound)).mean()

    def remove(self) -> None:
        """Stop watching."""
        for hook in self._hooks:
            hook.remove()

    def _activation(self, _module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        axis = 1 if output.ndim == 4 else -1
        self.found += [(KINDS[0], _ratio(inputs[0], axis)), (KINDS[1], _ratio(output, axis))]

    def _normalization(self, module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        axis = 1 if isinstance(module, nn.GroupNorm) else -1
        self.found.append((KINDS[2], _ratio(output, axis)))

    def _scores(self, heads: int) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            groups, tokens, _ = output.shape
            parts = output.reshape(groups, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4)
            self.found.append((KINDS[3], _ratio(parts[0] @ parts[1].transpose(-2, -1), 1)))

        return hook


def ratios(model: nn.Module, images: NDArray[np.uint8]) -> dict[str, float]:
    """Return the mean ratio of the tensors of each kind on images ``(B, H, W, 3)``."""
    spread = Spread(model)
    try:
        with torch.no_grad():
            model(as_input(images))
    finally:
        spread.remove()
    found = {kind: [float(r) for k, r in spread.found if k == kind] for kind in KINDS}
    return {kind: round(float(np.mean(values)), 2) for kind, values in found.items() if values}


def _ratio(values: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the largest channel over the median one.

    The median of an even number is the lower of the middle two.
    """
    largest = values.abs().movedim(axis, 0).flatten(1).amax(1)
    return largest.max() / largest.median()
