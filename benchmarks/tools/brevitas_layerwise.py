"""Post-training quantization by brevitas, as far as it goes with these networks.

Its ``layerwise`` mode quantizes the input and the weight of every convolution and linear layer. In
float stay: residual additions, concatenation, SiLU and other activations, softmax, LayerNorm, both
products of attention, pooling, the logits, and BatchNorm where brevitas cannot trace the network
to merge it and to equalize channels (``merge_error`` says why). So its accuracy is that of far less
quantization than torchao's or ours. Its graph modes ``fx`` and ``flexml`` put additions and
concatenation on grids as well; where they fail ``graph_mode_error`` gives the reason.

Options are those of brevitas' own example (brevitas_examples/imagenet_classification/ptq): biases
of 32 bits, percentile 99.999, 20 iterations of graph equalization where it can trace, bias
correction. Instead of its defaults: weights per channel without the most negative code, activations
asymmetric, which is what the others have here; and the tracer that knows the values of an example
(``value_trace``), because the plain one stops at checks of the image's shape.
"""

from __future__ import annotations

import copy
import inspect
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

import numpy as np
import torch
from brevitas.fx.brevitas_tracer import value_trace
from brevitas.graph.calibrate import bias_correction_mode, calibration_mode
from brevitas.graph.quantize import layerwise_quantize, preprocess_for_quantize, quantize
from brevitas.graph.target.flexml import preprocess_for_flexml_quantize, quantize_flexml
from brevitas.inject import value
from brevitas_examples.imagenet_classification.ptq.ptq_common import create_quant_maps
from numpy.typing import NDArray
from torch import nn

from hyq_hls.quant.calibrate import batches

GraphMode = Literal["fx", "flexml"]
Logits = Callable[[torch.Tensor], torch.Tensor]

IMAGE_BITS = 8
_IMAGE_CHANNELS = 3
_EQUALIZE = 20
_PERCENTILE = 99.999


def quantized(
    model: nn.Module, calibration: NDArray[np.uint8], weight_bits: int, activation_bits: int
) -> Logits:
    """Quantize convolutions and linear layers, each for itself.

    Args:
        model: in evaluation mode; not changed.
        calibration: image bytes (N, H, W, 3).
        weight_bits: per output channel, symmetric.
        activation_bits: per tensor, asymmetric; the image keeps ``IMAGE_BITS``.

    Returns:
        A function of float images (B, 3, H, W) in [0, 1] to logits (B, classes).
    """

    @value  # type: ignore[untyped-decorator]  # brevitas is not typed
    def bits(module: nn.Module) -> int:
        """Return the width at the input of a layer.

        The layer that reads the image has as many channels as it.
        """
        first = getattr(module, "in_channels", None) == _IMAGE_CHANNELS
        return IMAGE_BITS if first else activation_bits

    with _quiet():
        if merge_error(model, calibration) is None:
            merged = _merged(model, calibration)
        else:
            merged = copy.deepcopy(model)
        layers = _maps(weight_bits, bits)[1]
        return _calibrated(layerwise_quantize(merged, compute_layer_map=layers), calibration)


def merge_error(model: nn.Module, calibration: NDArray[np.uint8]) -> str | None:
    """Say why brevitas cannot merge BatchNorm into convolutions; None if it can."""
    try:
        with _quiet(), torch.no_grad():
            _merged(model, calibration)(next(batches(calibration, 3)))
    except Exception as error:  # its tracer lets through whatever the network raises
        return _line(error)
    return None


def graph_quantized(
    model: nn.Module,
    calibration: NDArray[np.uint8],
    weight_bits: int,
    activation_bits: int,
    mode: GraphMode = "fx",
) -> Logits:
    """Quantize by a graph mode: additions and concatenation have grids, what it knows does.

    Arguments and result are those of ``quantized``; any error of brevitas goes through.
    """
    with _quiet():
        layers, _, activations, identities = _maps(weight_bits, activation_bits)
        if mode == "fx":
            graph, quantizer = _merged(model, calibration), quantize
        else:
            images = next(batches(calibration, 2))
            graph = preprocess_for_flexml_quantize(
                _traced(model, calibration), images, trace_model=False, equalize_iters=_EQUALIZE
            )
            quantizer = quantize_flexml
        graph = quantizer(
            graph,
            compute_layer_map=layers,
            quant_act_map=activations,
            quant_identity_map=identities,
        )
        return _calibrated(graph, calibration)


def graph_mode_error(
    model: nn.Module, calibration: NDArray[np.uint8], mode: GraphMode = "fx", seconds: int = 900
) -> str | None:
    """Return type and first line of the error of a graph mode; None if it works.

    Args:
        model: in evaluation mode; not changed.
        calibration: a few images, to run it.
        mode: mode of brevitas.
        seconds: time after which it is given up. Its search for common scales of residual branches
            can take 20 minutes and fail then. Only the main thread of a process can stop it.
    """
    try:
        with _limit(seconds):
            graph_quantized(model, calibration, 8, 8, mode)
    except Exception as error:
        return _line(error)
    return None


def _traced(model: nn.Module, calibration: NDArray[np.uint8]) -> nn.Module:
    (name,) = inspect.signature(model.forward).parameters
    images = next(batches(calibration, 2))
    traced: nn.Module = value_trace(copy.deepcopy(model), value_args={name: images})
    return traced


def _merged(model: nn.Module, calibration: NDArray[np.uint8]) -> nn.Module:
    """Merge BatchNorm into the convolutions and equalize channels."""
    traced = _traced(model, calibration)
    prepared: nn.Module = preprocess_for_quantize(
        traced, trace_model=False, equalize_iters=_EQUALIZE
    )
    return prepared


def _maps(weight_bits: int, activation_bits: Any) -> tuple[dict[Any, Any], ...]:
    """Return what replaces which layer: graph modes, layerwise, activations, identities."""
    maps: tuple[dict[Any, Any], ...] = create_quant_maps(
        dtype=torch.float32,
        bias_bit_width=32,
        weight_bit_width=weight_bits,
        weight_param_method="stats",
        weight_scale_type="float_scale",
        weight_quant_type="sym",
        weight_quant_granularity="per_channel",
        weight_narrow_range=True,
        weight_quant_format="int",
        act_quant_format="int",
        act_bit_width=activation_bits,
        act_scale_type="float_scale",
        act_scale_computation_type="static",
        act_param_method="stats",
        act_quant_type="asym",
        act_quant_granularity="per_tensor",
        act_quant_percentile=_PERCENTILE,
    )
    return maps


def _calibrated(model: nn.Module, calibration: NDArray[np.uint8]) -> Logits:
    """Find the scales, then correct the biases, as the example does."""
    model.eval()
    with torch.no_grad():
        model(next(batches(calibration)))
        for mode in (calibration_mode, bias_correction_mode):
            with mode(model):
                for images in batches(calibration):
                    model(images)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence brevitas' warnings about deprecated parts of torch and about speed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"no result after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")
