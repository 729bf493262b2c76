"""The way from a trained module to integers, ``quantize()``."""

from __future__ import annotations

from typing import Any

import torch

from hyq_hls.capture import CaptureReport, FloatGraph, capture
from hyq_hls.errors import QuantizationError
from hyq_hls.images import image_bytes
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.prepare import scores_in_octaves
from hyq_hls.quantized_model import QuantizedModel


def quantize(
    model: torch.nn.Module,
    calibration_images: Any,
    config: QuantConfig | None = None,
    *,
    progress: bool = True,
) -> QuantizedModel:
    """Quantize a trained module after training, to integers only.

    Args:
        model: trained module from float images (B, C, H, W) in [0, 1] to logits (B, classes); it is
            not changed.
        calibration_images: some unlabelled images like those it will see, usually 100 to 500:
            uint8 (B, H, W, C) or (B, C, H, W), or float in [0, 1].
        config: choices about quantization; None takes the defaults of
        :class:`~hyq_hls.quant.config.QuantConfig`.
        progress: whether to show progress bars.

    Raises:
        InputError: calibration images are unusable.
        UnsupportedModelError: some nodes of the module cannot be captured; all are named.
        QuantizationError: a node has no integer operation, or an override names no node.
        GraphError: widths do not fit 62-bit integers.
    """
    config = QuantConfig() if config is None else config
    if not isinstance(config, QuantConfig):
        raise QuantizationError(f"a QuantConfig is wanted, found {config!r:.80}; a preset makes one")
    methods = [method for method in config.methods if isinstance(method, Method)]
    if len(methods) < len(config.methods):
        raise QuantizationError(
            f"methods={config.methods!r}: instances of Method are wanted; call the class, as Qads()"
        )
    if not isinstance(model, torch.nn.Module):
        raise QuantizationError(f"a torch.nn.Module is wanted, found {type(model).__name__}")
    images = image_bytes(calibration_images)
    prepared, report = float_graph_of(model, images.shape[1:])
    config.check_names(node.name for node in prepared)
    metadata = {
        "model": type(model).__name__,
        "config": config.to_json(),
        "calibration_images": len(images),
    }
    plan = Plan.of(prepared, config, images, progress)
    for method in methods:
        plan = method.apply(plan)
    return QuantizedModel(plan.lowered(metadata), plan.graph, report)


def float_graph_of(
    model: torch.nn.Module, shape: tuple[int, ...]
) -> tuple[FloatGraph, CaptureReport]:
    """Return the float graph whose nodes the integer graph follows, for images (H, W, C)."""
    height, width, channels = shape
    graph, report = capture(model, (channels, height, width))
    return scores_in_octaves(graph), report
