"""Models as people write them: blocks in a small network, and whole models in all their wrappers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.situations import attention_blocks, channel_gates, convolution_blocks, ways_to_write
from benchmarks.situations.reports import alike
from benchmarks.situations.situation import Place, Situation, Wrong

#: What is refused, and what the message says of it.
_REFUSED = {
    "CBAM": "over an axis",
    "global context": "take their mean and fine-tune",
    "probabilities": "apply it to the network's output",
    "log of probabilities": "apply log_softmax to the output",
    "an argmax": "apply argmax to the output",
    "two outputs": "returns one of them",
    "a dictionary of two": "returns one of them",
    "a dataclass": "returns the tensor",
    "a script": "before torch.jit.script",
}


class Whole(nn.Module):
    """A convolution before a block."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.stem, self.block = nn.Conv2d(3, 8, 3, padding=1), block

    def forward(self, x: Tensor) -> Any:
        """Return what the block makes of a map (B, 8, 8, 8)."""
        return self.block(torch.relu(self.stem(x)))


def trained(module: nn.Module) -> nn.Module:
    """Give BatchNorm statistics that are none of its first ones."""
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(torch.randn(norm.num_features) * 0.2)
            norm.running_var.copy_(torch.rand(norm.num_features) + 0.5)
    return module


def same(make: Callable[[], nn.Module], place: Place) -> None:
    """Compare integers with the module, and the emulation with the reference.

    Raises:
        HyqError: the model is refused.
        Wrong: something differs.
    """
    torch.manual_seed(0)
    module = trained(make())
    qmodel = alike(module, place)
    emulated = dict(qmodel.emulator.trace(place.images[:1]))
    for name, codes in qmodel.graph.reference(place.images[:1].astype(np.int64)):
        if name in emulated and not np.array_equal(emulated[name], codes):
            raise Wrong(f"{name}: the emulation differs from the reference")


def _block(make: Callable[[], nn.Module]) -> nn.Module:
    return Whole(make())


def situations() -> list[Situation]:
    """Return all of them."""
    blocks = {**convolution_blocks.BLOCKS, **channel_gates.BLOCKS, **attention_blocks.BLOCKS}
    models = {name: partial(_block, make) for name, make in blocks.items()}
    models.update(ways_to_write.MODELS)  # type: ignore[arg-type]
    return [
        Situation(name, partial(same, make), _REFUSED.get(name)) for name, make in models.items()
    ]
