"""Find out what a model expects for image bytes: ask, read it from the model, or run the model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.utils._pytree import tree_leaves

from hyq_hls.capture import copied
from hyq_hls.errors import InputError, InputRangeWarning
from hyq_hls.normalization import Normalization

_LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm)
#: A model whose first layer sees less of the contrast than this divides by 255, or nearly so.
_DIVIDED = 0.05
#: Statistics of training that miss the variances of images by this factor speak of other images.
_MISSED = 100.0
#: So small a factor is no accident, even where nothing says that the model was trained.
_MET = 3.0
#: Outputs that differ by less than this share of their size between images are suspicious,
_NUMB = 0.01
#: if they differ by this factor more when the images are 255 times as large.
_MORE = 20.0
_IMAGES = 16
_TINY = 1e-12


def expected_normalization(
    model: nn.Module,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    input_range: tuple[float, float] | None = None,
) -> Normalization | None:
    """Return what the arguments, or timm's ``pretrained_cfg`` of the model, say; None if nothing.

    Raises:
        InputError: the arguments make no sense.
    """
    white = None if input_range is None else _white(input_range)
    if mean is not None or std is not None:
        return Normalization.of(mean, std, white, "the arguments")
    stated = getattr(model, "pretrained_cfg", None)
    if isinstance(stated, Mapping) and stated.get("mean") is not None:
        source = "pretrained_cfg of the model"
        return Normalization.of(stated["mean"], stated.get("std"), white, source)
    return None if white is None else Normalization(white=white, source="the arguments")


def range_of_training(model: nn.Module, images: NDArray[np.uint8]) -> Normalization:
    """Return whether the model takes bytes or bytes / 255, by its values on both.

    A model that divides its input by 255, or whose first BatchNorm saw variances 255**2 times as
    large in training, takes bytes. Where only the outputs are suspicious, there is a warning.

    Args:
        model: the model; it is not changed.
        images: bytes (B, H, W, C).
    """
    some = torch.from_numpy(images[:_IMAGES]).permute(0, 3, 1, 2).float()
    try:
        unit, whole = (_run(model, some * scale) for scale in (1 / 255, 1.0))
    except Exception:  # the capture says what is wrong with the model
        return Normalization()
    gain = unit.spread / max(float(some.std()) / 255, _TINY)
    if gain < _DIVIDED:
        found = f"its first layer sees the contrast of images in [0, 1] divided by {1 / gain:.0f}"
    elif unit.missed > _MISSED * whole.missed and (whole.trained or whole.missed < _MET):
        found = (
            f"the variances at its first BatchNorm differ from those of training by a factor of "
            f"{unit.missed:.0f} for images in [0, 1], of {whole.missed:.1f} for [0, 255]"
        )
    else:
        # A BatchNorm is the better witness: outputs of deep random networks hardly react either.
        if not whole.normalizes and unit.reaction < min(_NUMB, whole.reaction / _MORE):
            _warn(
                "the outputs of the model hardly differ between images in [0, 1], but do between "
                "images in [0, 255]. Bytes / 255 are given to it"
            )
        return Normalization()
    _warn(f"the model takes images in [0, 255], as it seems: {found}. Bytes are given to it")
    return Normalization(white=255.0, source="its values on the calibration images")


def with_normalization(model: nn.Module, normalization: Normalization) -> nn.Module:
    """Return a model that takes ``byte / 255``; it is the model itself, or a copy with a hook."""
    if normalization.is_plain:
        return model
    changed = copied(model)
    changed.register_forward_pre_hook(_Normalize(normalization), prepend=True)
    return changed


class _Normalize:
    """A hook that normalizes the image before a module sees it."""

    def __init__(self, normalization: Normalization) -> None:
        self._multiplier = normalization.multiplier.tolist()
        self._offset = normalization.offset.tolist()

    def __call__(self, module: nn.Module, images: tuple[torch.Tensor, ...]) -> torch.Tensor:
        (x,) = images
        # The export traces float32. A check in float64 must see the same, rounded numbers.
        multiplier, offset = (
            torch.tensor(values, dtype=torch.float32, device=x.device).to(x.dtype).reshape(-1, 1, 1)
            for values in (self._multiplier, self._offset)
        )
        return x * multiplier + offset


def _white(input_range: tuple[float, float]) -> float:
    try:
        low, high = (float(end) for end in input_range)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if low != 0 or high not in (1.0, 255.0):
        raise InputError(
            f"input_range={input_range!r}: (0, 1) or (0, 255) is wanted, the values of black and "
            "white before mean and std; for [-1, 1] give mean=0.5, std=0.5"
        )
    return high


def _warn(text: str) -> None:
    advice = "say input_range=(0, 255), or input_range=(0, 1) if it takes bytes / 255"
    warnings.warn(f"{text}; {advice}", InputRangeWarning, stacklevel=4)


@dataclass
class _Values:
    """Measures of what a model makes of some images.

    Attributes:
        spread: standard deviation at its first layer.
        missed: factor by which the variances at its first BatchNorm miss those of training, 1
            without BatchNorm.
        normalizes: whether it has a BatchNorm with statistics.
        trained: whether that BatchNorm has seen batches.
        reaction: deviation of the outputs between images, relative to their size.
    """

    spread: float = math.inf
    missed: float = 1.0
    normalizes: bool = False
    trained: bool = False
    reaction: float = 1.0


def _run(model: nn.Module, images: torch.Tensor) -> _Values:
    """Run the model and look at its first layers."""
    found, network = _Values(), copied(model).cpu().float().eval()
    started: set[str] = set()

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        x = inputs[0]
        if "layer" not in started:
            found.spread = float(x.std())
        if "norm" not in started and isinstance(module, nn.modules.batchnorm._BatchNorm):
            started.add("norm")
            if module.running_var is not None:
                variance = x.transpose(0, 1).flatten(1).var(dim=1).clamp(min=_TINY)
                ratio = torch.log(variance / module.running_var.clamp(min=_TINY))
                found.missed = float(ratio.abs().mean().exp())
                found.normalizes = True
                batches = module.num_batches_tracked
                found.trained = batches is not None and bool(batches.item())
        started.add("layer")

    for module in network.modules():
        if isinstance(module, _LAYERS):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        output = next(v for v in tree_leaves(network(images)) if isinstance(v, torch.Tensor))
    mean = output.mean(dim=0, keepdim=True)
    found.reaction = float((output - mean).norm() / output.norm().clamp(min=_TINY))
    return found
