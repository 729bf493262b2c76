"""The way from a trained module to integers, ``quantize()``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from hyq_hls.capture import CaptureReport, FloatGraph, capture, evaluation_copy, unwrapped
from hyq_hls.data import draw
from hyq_hls.errors import InputError, QuantizationError
from hyq_hls.graph.graph import CLASS_NAMES
from hyq_hls.images import image_bytes, number_array
from hyq_hls.normalization import METADATA_KEY, Normalization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.expected_input import (
    expected_normalization,
    range_of_training,
    with_normalization,
)
from hyq_hls.quant.image_codes import centred_on_codes
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.prepare import scores_in_octaves
from hyq_hls.quant.presets import as_config
from hyq_hls.quant.summary import summary
from hyq_hls.quantized_model import QuantizedModel


def quantize(
    model: torch.nn.Module,
    calibration_images: Any,
    config: QuantConfig | str | Mapping[str, Any] | None = None,
    *,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    input_range: tuple[float, float] | None = None,
    count: int | None = None,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
    progress: bool = True,
) -> QuantizedModel:
    """Quantize a trained module after training, to integers only.

    Args:
        model: trained module from float images (B, C, H, W) to logits (B, classes); it is not
            changed. Whatever it does to its images by itself, it may do.
        calibration_images: images like those it will see, usually 100 to 500; labels are not read.
            An array or tensor, uint8 (B, H, W, C) or (B, C, H, W) or float in [0, 1]; a list of
            images or of batches; a ``DataLoader``, a ``Dataset`` or a generator of images, of
            ``(images, labels)`` or of dicts; or the path of a folder of images. See
            :func:`hyq_hls.data.draw`.
        mean: mean that the images are normalized by outside of the model, one number or one per
            channel. It becomes a part of the network, which takes bytes. When None, the
            ``pretrained_cfg`` of a timm model says it. Calibration images may be normalized too.
        std: standard deviation that the images are divided by afterwards.
        input_range: values of black and white before ``mean`` and ``std``, (0, 1) or (0, 255). When
            None, numbers above 1 in ``mean`` or ``std`` speak of (0, 255). Without them, a model
            that gets bytes is run on both, and takes (0, 1) unless its values speak against it.
        count: number of images that are drawn; None takes all of what lies in memory, and up to
            512 of the rest.
        seed: seed of the drawing: the same images for the same seed.
        config: choices about quantization, or the name of a recipe of
            :mod:`hyq_hls.quant.presets` such as ``"best"``, or a dict of the fields of
            :class:`~hyq_hls.quant.config.QuantConfig` that differ from those of the recipe
            ``fast``. None takes ``fast``.
        class_names: names of the outputs, for reports and for the driver of the board.
        progress: whether to show progress bars, what is drawn, and at the end one line that says
            how close the integers come to the model.

    Raises:
        InputError: calibration images are unusable.
        UnsupportedModelError: some nodes of the module cannot be captured; all are named.
        QuantizationError: a node has no integer operation, or an override names no node.
        GraphError: widths do not fit 62-bit integers.
    """
    config = as_config(config)
    methods = [method for method in config.methods if isinstance(method, Method)]
    if len(methods) < len(config.methods):
        raise QuantizationError(
            f"methods={config.methods!r}: instances of Method are wanted; call the class, as Qads()"
        )
    if not isinstance(model, torch.nn.Module):
        raise QuantizationError(
            f"a torch.nn.Module is wanted, found {_described(model)}; "
            "give the trained module itself"
        )
    model = unwrapped(model)
    drawn = draw(calibration_images, count, seed, progress)
    stated = expected_normalization(model, mean, std, input_range)
    given = number_array(drawn.images)
    images = image_bytes(
        given if stated is None else stated.undone(given), channels=_channels(model)
    )
    _check_variety(images)
    if stated is None:
        stated = Normalization() if given.dtype.kind == "f" else range_of_training(model, images)
    stated.check_channels(images.shape[-1])
    if progress:
        tqdm.write(f"calibrate on {drawn.origin}", file=sys.stderr)
        if not stated.is_plain:
            tqdm.write(f"normalization inside the network: {stated}", file=sys.stderr)
    whole = with_normalization(model, stated)
    prepared, report = float_graph_of(whole, images.shape[1:], config.activation_bits)
    config.check_names(node.name for node in prepared)
    metadata = {
        "model": type(model).__name__,
        "config": config.to_json(),
        "calibration_images": len(images),
        "calibration_origin": drawn.origin,
        METADATA_KEY: stated.to_json(),
        **_named(class_names, math.prod(prepared.output_shape)),
    }
    plan = Plan.of(prepared, config, images, progress)
    for method in methods:
        plan = method.apply(plan)
    qmodel = QuantizedModel(plan.lowered(metadata), plan.graph, report, evaluation_copy(whole))
    if progress:
        tqdm.write(summary(qmodel, images), file=sys.stderr)
    return qmodel


def _channels(model: torch.nn.Module) -> int | None:
    """Return the input channels of the first convolution, which is the stem of most networks."""
    convolutions = (m for m in model.modules() if isinstance(m, torch.nn.Conv2d))
    first = next(convolutions, None)
    return None if first is None else first.in_channels


def _named(class_names: Sequence[str] | None, outputs: int) -> dict[str, list[str]]:
    if class_names is None:
        return {}
    listed = isinstance(class_names, Iterable) and not isinstance(class_names, str)
    if not listed or not all(isinstance(name, str) for name in class_names):
        raise InputError(f"class_names={class_names!r}: a list of texts, one per class, is wanted")
    if len(class_names) != outputs:
        raise InputError(f"{len(class_names)} class_names found; the network has {outputs} outputs")
    return {CLASS_NAMES: list(class_names)}


def _described(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, torch.nn.Module):
        return f"the class {value.__name__}, which is not built yet"
    return type(value).__name__


def _check_variety(images: NDArray[np.uint8]) -> None:
    """Raise :class:`InputError` for images from which no range can be learned."""
    first = images[0]
    if not (images == first).all():
        return
    if (first == first.flat[0]).all():
        raise InputError(
            f"{len(images)} calibration image(s), every pixel {first.flat[0]}; the ranges of the "
            "network cannot be seen in them: give images like those that it will see"
        )
    if len(images) > 1:
        raise InputError(
            f"all {len(images)} calibration images are the same; give different ones, like those "
            "that the network will see"
        )


def float_graph_of(
    model: torch.nn.Module, shape: tuple[int, ...], activation_bits: int = 8
) -> tuple[FloatGraph, CaptureReport]:
    """Return the float graph whose nodes the integer graph follows.

    Args:
        model: takes ``byte / 255``; a normalization is a part of it.
        shape: of an image, (H, W, C).
        activation_bits: width of the activations, which decides the code of a normalized border.
    """
    height, width, channels = shape
    graph, report = capture(model, (channels, height, width))
    return centred_on_codes(scores_in_octaves(graph), activation_bits), report
