"""Situations from public reports: a network does what its module does, or the message says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from benchmarks.situations.situation import Place, Situation, Wrong
from hyq_hls import QuantizedModel, quantize
from hyq_hls.emulate import Emulator
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Dense

#: Correlation of the logits of integers and module, image by image.
_ALIKE = 0.97


class Network(nn.Module):
    """A convolution, something with its map, and what is returned.

    Args:
        head: from the network and the map (B, 8, 8, 8) to the outputs.
        scale: what happens to the image first.
    """

    def __init__(
        self,
        head: Callable[[Network, torch.Tensor], torch.Tensor],
        scale: Callable[[torch.Tensor], torch.Tensor] = lambda x: x,
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.head, self.scale = head, scale
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc, self.other = nn.Linear(8, 6), nn.Linear(8, 6)
        self.norm = nn.BatchNorm1d(8)
        self.norm.running_var = torch.rand(8) + 0.5
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the outputs of images (B, 3, 8, 8)."""
        outputs: torch.Tensor = self.head(self, torch.relu(self.conv(self.scale(x))))
        return outputs


def alike(module: nn.Module, place: Place) -> QuantizedModel:
    """Quantize a module, compare its outputs with the module itself, and return the integers.

    Raises:
        HyqError: it is refused.
        Wrong: the outputs are others, or in another order.
    """
    module.eval()
    qmodel = quantize(module, place.images, progress=False)
    with torch.inference_mode():
        images = torch.from_numpy(place.images).permute(0, 3, 1, 2).float() / 255
        given = images.to(next(module.parameters()).dtype)
        (wanted,) = (
            leaf.float().numpy() for leaf in tree_leaves(module(given)) if leaf is not None
        )
    found = qmodel(place.images)
    if found.shape != wanted.shape:
        raise Wrong(f"outputs {found.shape}, the module gives {wanted.shape}")
    found, wanted = (v.reshape(len(v), -1) for v in (found, wanted))
    worst = min(np.corrcoef(a, b)[0, 1] for a, b in zip(found, wanted, strict=True))
    if not worst > _ALIKE:
        raise Wrong(f"correlation {worst:.2f} with the module")
    return qmodel


def network(*parts: Any) -> Callable[[Place], object]:
    """Return an act that compares such a network."""
    return lambda place: alike(Network(*parts), place)


def pooled(x: torch.Tensor) -> torch.Tensor:
    """Return the mean of every channel."""
    return torch.mean(x, (2, 3))


def tokens(x: torch.Tensor) -> torch.Tensor:
    """Return the positions as tokens (B, N, C)."""
    return x.flatten(2).transpose(1, 2)


def simple(n: Network, x: torch.Tensor) -> torch.Tensor:
    """Return the usual classifier."""
    logits: torch.Tensor = n.fc(pooled(x))
    return logits


def spoiled(value: float) -> nn.Module:
    """Return a network with one weight of this value."""
    module = Network(simple)
    with torch.no_grad():
        module.fc.weight[0, 0] = value
    return module


def calibrated(images: Callable[[Place], Any], place: Place) -> None:
    """Quantize the place's module with these images."""
    quantize(place.module, images(place), progress=False)


def pairs(place: Place) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of float images and labels, as a loader does."""
    for batch in np.split(place.images, 3):
        yield torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 255, torch.zeros(len(batch))


def partial_sums(place: Place) -> None:
    """Emulate sums that fit 24 bits, whose partial sums do not.

    Raises:
        Wrong: a code differs from the reference.
    """
    rng = np.random.default_rng(0)
    weight = rng.integers(60, 128, (8, 1100))
    graph = Graph("x", TensorType((1100,), Quantization(8, False, (1.0,), (128,))))
    out = Requantize(Quantization(16, True), np.array([9]), np.array([1]))
    graph.add("fc", Dense(weight, 8, -128 * weight.sum(axis=1), out), "x")
    codes = rng.integers(200, 256, (40, 1100))
    if not np.array_equal(Emulator(graph)(codes), dict(graph.reference(codes))["fc"]):
        raise Wrong("codes differ")


_IMAGENET = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
_DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def situations() -> list[Situation]:
    """Return all of them, with the first report that was found."""
    networks: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("scores flipped (hls4ml#1054)", (lambda n, x: pooled(x).flip(1),)),
        ("classes in another order (hls4ml#1161)", (lambda n, x: n.fc(pooled(x))[:, [3, 1, 0, 2, 5, 4]],)),
        ("a sum of heads, selected", (lambda n, x: (n.fc(pooled(x)) + n.other(pooled(x)))[:, [2, 0]],)),
        ("a map, flattened", (lambda n, x: x.flatten(1),)),
        ("a map, transposed", (lambda n, x: x.transpose(2, 3),)),
        ("pixel shuffle", (lambda n, x: functional.pixel_shuffle(x, 2),)),
        ("two heads, interleaved", (lambda n, x: torch.stack([n.fc(pooled(x)), n.other(pooled(x))], 2).flatten(1),)),
        ("a branch that nobody returns (torch-mlir#4158)", (lambda n, x: (functional.max_pool2d(x, 2), simple(n, x))[1],)),
        ("attention weights that nobody reads", (lambda n, x: n.fc(n.attention(*(3 * [tokens(x)]))[0].mean(1)),)),
        ("an encoder layer of PyTorch", (lambda n, x: n.fc(n.encoder(tokens(x)).mean(1)),)),
        ("BatchNorm before a layer (TensorRT#3104)", (lambda n, x: n.fc(n.norm(pooled(x))),)),
        ("BatchNorm at the end", (lambda n, x: n.norm(pooled(x)),)),
        ("a temperature", (lambda n, x: simple(n, x) / 0.7,)),
        ("a residual with a factor", (lambda n, x: n.fc(pooled(x + 0.5 * torch.relu(x))),)),
        ("the mean of two heads", (lambda n, x: (n.fc(pooled(x)) + n.other(pooled(x))) / 2,)),
        ("means in steps", (lambda n, x: n.fc(x.mean(3).mean(2)),)),
        ("clamp from 0 to 6", (lambda n, x: n.fc(pooled(x.clamp(0, 6))),)),
        ("three tensors, concatenated", (lambda n, x: torch.cat([pooled(x), n.fc(pooled(x)), n.other(pooled(x))], 1),)),
        ("images from -1 to 1 (open_model_zoo#1969)", (simple, lambda x: 2 * x - 1)),
        ("mean and deviation of ImageNet (coremltools#244)", (simple, lambda x: (x - _IMAGENET) / _DEVIATION)),
        ("channels in the order of OpenCV", (simple, lambda x: x.flip(1))),
        ("dropout that is always on", (lambda n, x: functional.dropout(simple(n, x), 0.5, training=True),)),
    )  # fmt: skip
    return [
        *(Situation(name, network(*parts)) for name, parts in networks),
        Situation("a weight that is NaN", lambda p: alike(spoiled(float("nan")), p), " "),
        Situation("a weight that is infinite", lambda p: alike(spoiled(float("inf")), p), " "),
        Situation("a layer without weights yet", lambda p: alike(nn.Sequential(nn.Flatten(), nn.LazyLinear(4)), p), " "),
        Situation("a compiled script", lambda p: alike(torch.jit.script(p.module), p)),
        Situation("a module in training", lambda p: quantize(Network(simple).train(), p.images, progress=False)),
        Situation("images all alike", partial(calibrated, lambda p: np.full_like(p.images, 7))),
        Situation("images of half precision", partial(calibrated, lambda p: (p.images / 255).astype(np.float16))),
        Situation("a generator of images and labels", partial(calibrated, pairs)),
        Situation("images that were normalized", partial(calibrated, lambda p: p.images / 64 - 2)),
        Situation("labels in the place of images", partial(calibrated, lambda p: np.arange(12)), " "),
        Situation("partial sums beyond 24 bits", partial_sums, None),
    ]  # fmt: skip
