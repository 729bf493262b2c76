"""The error of the logits when one layer's weights, or one tensor, has few bits.

One rounding at a time is put into the float network, and all else stays exact. Roundings are nearly
independent noise, so the error of several of them is about the sum of their single errors
(second-order Taylor expansion without mixed terms, as HAWQ and its followers use it; here the error
itself is measured instead of a Hessian).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import escape
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from tqdm import tqdm

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.graph import Quantization
from hyq_hls.plots import sensitivity as plot_sensitivity
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.config import NodeBits, QuantConfig
from hyq_hls.quant.hidden import stored
from hyq_hls.quant.judge.simulate import FakeQuantize
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.assign import assign
from hyq_hls.quant.scales.weights import quantize_weights, weight_steps
from hyq_hls.quant.traits import Codes, has_weights, traits_of, weighted
from hyq_hls.support import Shown, aligned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["weights", "activations"]
#: A node, and whether its weights or its output are meant.
Key = tuple[str, Kind]
#: Tensors by name, for every width.
TensorsByBits = Mapping[int, Mapping[str, Quantization]]

#: Number of images whose values are held at once.
_BATCH = 16
#: Logits that are all zero get this power.
_TINY = 2.0**-40


@dataclass(frozen=True)
class Sensitivity:
    """The effect of the width of one layer's weights, or of one tensor, on the logits.

    Attributes:
        node: name of the node whose weights or whose output it is.
        kind: ``weights`` or ``activations``.
        count: weights of the layer (without biases), or elements of the tensor for one image.
        errors: squared error of the logits over their squared sum, by width in bits.
    """

    node: str
    kind: Kind
    count: int
    errors: Mapping[int, float]

    @property
    def key(self) -> Key:
        """Node and kind."""
        return self.node, self.kind


class SensitivityReport(list[Sensitivity], Shown):
    """The sensitivities of everything whose width is free, in the order of the graph."""

    def plot(self, axes: Axes | None = None) -> Axes:
        """Plot the most sensitive layers and tensors; see :func:`hyq_hls.plots.sensitivity`.

        Raises:
            InputError: nothing was measured.
            MissingPackageError: matplotlib is not installed.
        """
        return plot_sensitivity(self, axes=axes)

    def __str__(self) -> str:
        """Return a table with the relative error of the logits in dB by width."""
        widths = sorted({bits for one in self for bits in one.errors})
        rows = [("node", "kind", "count", *(f"{bits} bits" for bits in widths))]
        for one in self:
            errors = (one.errors.get(bits, 0.0) for bits in widths)
            decibels = (f"{10 * np.log10(e):.1f} dB" if e > 0 else "-" for e in errors)
            rows.append((one.node, one.kind, f"{one.count:,}", *decibels))
        return "\n".join(aligned(rows))


def sensitivity_curve(
    plan: Plan, choices: Iterable[int] = (4, 5, 6, 7, 8), images: int = 64
) -> SensitivityReport:
    """Return the sensitivity of everything whose width is free, in the order of the graph.

    The weights of convolutions and linear layers are free, and the tensors that get a quantization
    of their own. Image, probabilities (``softmax_bits``), output (``output_bits``), and everything
    that ``overrides`` of the configuration fix are not free. Tensors that only activation functions
    read are free too, also below ``preactivation_bits``. Data that only moves (Unfold, Fold) is the
    same tensor.

    Args:
        plan: plan whose configuration says how ranges are found; it is not changed.
        choices: widths in bits.
        images: number of calibration images, evenly spaced; all where there are fewer.

    Raises:
        QuantizationError: a width is not between 2 and 16.
    """
    widths = sorted(set(choices))
    tensors = tensors_by_bits(plan, plan.config, widths)
    free = [*free_keys(plan)]
    changes: list[tuple[Key, int, FloatNode, Callable[..., torch.Tensor]]] = []
    for key in free:
        node = plan.graph[key[0]]
        for bits in widths:
            if key[1] == "weights":
                changes.append((key, bits, node, _rounded(plan, node, bits).forward))
            else:
                codes = stored(node.op, tensors[bits][node.name], plan.config)
                changes.append((key, bits, node, FakeQuantize(codes)))
    errors, power = {key: dict.fromkeys(widths, 0.0) for key in free}, 0.0
    batches = list(_batches(plan, images))
    total = len(batches) * len(changes)
    with torch.no_grad(), tqdm(total=total, desc="sensitivity", disable=not plan.progress) as bar:
        for batch in batches:
            values = plan.graph.run(batch)
            wanted = values[plan.graph.output].double()
            power += float((wanted**2).sum())
            for key, bits, node, change in changes:
                inputs = node.inputs if key[1] == "weights" else (node.name,)
                changed = change(*(values[i] for i in inputs))
                logits = plan.graph.output_with(values, node.name, changed)
                errors[key][bits] += float(((logits.double() - wanted) ** 2).sum())
                bar.update()
    scale = 1 / max(power, _TINY)
    return SensitivityReport(
        Sensitivity(
            *key, count_of(plan.graph, *key), {bits: e * scale for bits, e in found.items()}
        )
        for key, found in errors.items()
    )


def count_of(graph: FloatGraph, name: str, kind: Kind) -> int:
    """Return the number of weights of a layer, or of elements of a tensor for one image."""
    if kind == "activations":
        return prod(graph.shape(name))
    return weighted(graph[name]).matrix.size


def with_bits(config: QuantConfig, bits: Mapping[Key, int]) -> QuantConfig:
    """Return the configuration with overrides for weights and tensors, by their exact names."""
    found = dict(config.overrides)
    for (name, kind), width in bits.items():
        pattern = escape(name)  # Names may hold characters that have a meaning in a pattern.
        field = "weight_bits" if kind == "weights" else "activation_bits"
        mine = replace(_fixed(found, name), **{field: width})
        found.pop(pattern, None)  # The last match wins.
        found[pattern] = mine
    return replace(config, overrides=found)


def tensors_by_bits(plan: Plan, config: QuantConfig, widths: Sequence[int]) -> TensorsByBits:
    """Return the quantizations of all tensors where everything that is free has the same width."""
    free = [*free_keys(plan)]
    return {
        bits: assign(plan.graph, plan.statistics, with_bits(config, dict.fromkeys(free, bits)))
        for bits in widths
    }


def free_keys(plan: Plan) -> Iterator[Key]:
    """Yield everything that has a width to choose, in the order of the graph."""
    for node in plan.graph:
        fixed = _fixed(plan.config.overrides, node.name)
        if has_weights(node) and fixed.weight_bits is None:
            yield node.name, "weights"
        own = traits_of(node).codes is Codes.CHOSEN and node.name != plan.graph.output
        if own and fixed.activation_bits is None:
            yield node.name, "activations"


def _fixed(overrides: Mapping[str, NodeBits], name: str) -> NodeBits:
    """Return the overrides of a node; fields are None where no override sets them."""
    found = NodeBits()
    for pattern, bits in overrides.items():
        if fnmatchcase(name, pattern):
            found = NodeBits(
                bits.weight_bits or found.weight_bits,
                bits.activation_bits or found.activation_bits,
            )
    return found


def _batches(plan: Plan, images: int) -> Iterator[torch.Tensor]:
    count = min(images, len(plan.images))
    chosen = plan.images[np.arange(count) * len(plan.images) // count]
    for start in range(0, count, _BATCH):
        yield to_float(chosen[start : start + _BATCH])


def _rounded(plan: Plan, node: FloatNode, bits: int) -> FloatOp:
    """Return the layer with weights and biases that have codes."""
    layer = weighted(node)
    config = replace(plan.config.for_node(node.name), weight_bits=bits)
    found = quantize_weights(plan.graph, node, plan.tensors, plan.statistics, config)
    matrix = found.codes * weight_steps(node, plan.tensors[node.inputs[0]], found.scales)
    return layer.with_parameters(matrix, np.rint(layer.bias / found.scales) * found.scales)
