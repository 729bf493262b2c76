"""Post-training quantization by torchao's PT2E, everything quantized.

A PT2E backend is a ``Quantizer`` that says which tensors get a grid; this one leaves out none. The
result is fake-quantized float: a quantize/dequantize pair on every tensor, between them softmax,
LayerNorm, SiLU and all sums in float32. So it says what the grids cost, nothing about the kernels.

In float stay biases, scale and shift of LayerNorm, and factors that are no weight of a convolution
or a linear layer, as LayerScale's; constants that multiply a whole tensor move no code. The input
has its own grid already: image bytes. Logits are left as they are; those of hyq_hls have 16 bits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn
from torch.export import Dim
from torch.nn import functional
from torchao.quantization.pt2e import (
    HistogramObserver,
    MinMaxObserver,
    PerChannelMinMaxObserver,
)
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import (
    QuantizationAnnotation,
    QuantizationSpec,
    Quantizer,
)

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.calibrate import batches

Observer = Literal["minmax", "histogram"]

#: Operation to the output channels' axis of its weight.
_WEIGHTED = {"conv1d": 0, "conv2d": 0, "linear": 0, "conv_transpose2d": 1}
#: They move values and make none, so that what was on a grid remains on it.
_MOVES = {
    *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "expand"),
    *("permute", "transpose", "t", "movedim", "contiguous", "clone", "alias", "detach", "detach_"),
    *("slice", "select", "unbind", "split", "split_with_sizes", "chunk", "index", "index_select"),
    *("im2col", "pad", "constant_pad_nd", "roll", "flip", "repeat", "pixel_shuffle", "unfold"),
    *("channel_shuffle", "max_pool2d", "dropout", "dropout_", "to", "_to_copy", "getitem"),
}
#: Every backend fuses them into the convolution before: no grid in between.
_FUSED = {"relu", "relu_", "relu6", "relu6_", "hardtanh", "hardtanh_"}


class _Histogram(HistogramObserver):  # type: ignore[misc]  # torchao is not typed
    """Searches for the grid of so many levels; the original assumes 256, whatever ``quant_max``."""

    def __init__(self, levels: int, **options: Any) -> None:
        super().__init__(**options)
        self.dst_nbins = levels


class EveryTensor(Quantizer):  # type: ignore[misc]
    """Weights symmetric per channel, every computed activation asymmetric per tensor.

    Args:
        weight_bits: 2 to 8.
        activation_bits: 2 to 8.
        observer: observer of activations.
    """

    def __init__(self, weight_bits: int, activation_bits: int, observer: Observer) -> None:
        super().__init__()
        self.weight_bits = weight_bits
        self.activation_bits = activation_bits
        self.observer = observer

    def annotate(self, model: fx.GraphModule) -> fx.GraphModule:
        """Mark the tensors of an exported graph that are to be quantized."""
        outputs = model.graph.output_node().all_input_nodes
        for node in model.graph.nodes:
            if node.op != "call_function":
                continue
            annotation = QuantizationAnnotation(_annotated=True)
            axis = _WEIGHTED.get(_name(node))
            if axis is not None and node.args[1].op == "get_attr":
                annotation.input_qspec_map[node.args[1]] = self._weights(axis)
            if _computes(node) and not _fused(node) and node not in outputs:
                annotation.output_qspec = self._activations()
            node.meta["quantization_annotation"] = annotation
        return model

    def validate(self, model: fx.GraphModule) -> None:
        """Accept every graph: ``annotate`` leaves no tensor out."""

    def _weights(self, axis: int) -> QuantizationSpec:
        largest = 2 ** (self.weight_bits - 1) - 1
        return QuantizationSpec(
            dtype=torch.int8,
            observer_or_fake_quant_ctr=PerChannelMinMaxObserver,
            quant_min=-largest,
            quant_max=largest,
            qscheme=torch.per_channel_symmetric,
            ch_axis=axis,
        )

    def _activations(self) -> QuantizationSpec:
        levels = 2**self.activation_bits
        kinds: dict[Observer, Any] = {
            "minmax": MinMaxObserver,
            "histogram": _Histogram.with_args(levels=levels),
        }
        return QuantizationSpec(
            dtype=torch.uint8,
            observer_or_fake_quant_ctr=kinds[self.observer],
            quant_min=0,
            quant_max=levels - 1,
            qscheme=torch.per_tensor_affine,
        )


def quantized(
    model: nn.Module,
    calibration: NDArray[np.uint8],
    weight_bits: int,
    activation_bits: int,
    observer: Observer = "minmax",
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Quantize a network; the result computes on floats that lie on the grids.

    Args:
        model: in evaluation mode; not changed.
        calibration: image bytes (N, H, W, 3), of which the grids are made.
        weight_bits: 2 to 8, per output channel, symmetric.
        activation_bits: 2 to 8, per tensor, asymmetric.
        observer: observer of activations; weights have their range.

    Returns:
        A function of float images (B, 3, H, W) in [0, 1] to logits (B, classes).

    Raises:
        QuantizationError: a width that a byte does not hold; attention that stays one operation.
    """
    for name, bits in (("weight_bits", weight_bits), ("activation_bits", activation_bits)):
        if not 2 <= bits <= 8:
            raise QuantizationError(f"{name} {bits}: 2 to 8 are wanted, codes are kept in bytes")
    examples = next(batches(calibration, 2))
    graph = _exported(model, examples)
    prepared = prepare_pt2e(graph, EveryTensor(weight_bits, activation_bits, observer))
    with torch.no_grad():
        for images in batches(calibration):
            prepared(images)
    converted: Callable[[torch.Tensor], torch.Tensor] = convert_pt2e(prepared)
    return converted


def _exported(model: nn.Module, images: torch.Tensor) -> fx.GraphModule:
    """Export the graph for any number of images, with attention as products and softmax."""
    # A module calls it by this name; calls in another way are found below.
    with mock.patch.object(functional, "scaled_dot_product_attention", _attention):
        program = torch.export.export(
            copy.deepcopy(model).eval(),
            (images,),
            dynamic_shapes=({0: Dim("batch", min=2, max=4096)},),
            strict=False,
        )
    graph = program.module()
    left = [node.name for node in graph.graph.nodes if "attention" in _name(node)]
    if left:
        raise QuantizationError(
            f"attention of {left} is one operation, so that its scores would stay in float; "
            "products and softmax are wanted: write them out in the model"
        )
    return graph


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Compute attention of (..., N, D) in its parts, as its documentation defines it."""
    if dropout_p or is_causal or enable_gqa:
        raise QuantizationError("attention with dropout, a causal mask or shared heads")
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.transpose(-2, -1) * factor
    if attn_mask is not None:
        scores = scores + attn_mask
    return torch.softmax(scores, dim=-1) @ value


def _name(node: fx.Node) -> str:
    """Name of an ATen operation without its overload."""
    return str(getattr(node.target, "_opname", getattr(node.target, "__name__", node.target)))


def _computes(node: fx.Node) -> bool:
    """Return whether the node makes new floating values from the image."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return False
    name = _name(node)
    if name in _MOVES or not _reads_image(node):
        return False
    scaled = name in {"mul", "div"} and not isinstance(node.args[1], fx.Node)
    return not scaled


def _reads_image(node: fx.Node) -> bool:
    pending, seen = [node], set()
    while pending:
        current = pending.pop()
        if current.op == "placeholder":
            return True
        if current not in seen:
            seen.add(current)
            pending.extend(current.all_input_nodes)
    return False


def _fused(node: fx.Node) -> bool:
    return len(node.users) == 1 and _name(next(iter(node.users))) in _FUSED
