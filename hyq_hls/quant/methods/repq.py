"""RepQ-ViT: scale reparameterization of LayerNorm outputs (Li et al., ICCV 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import LayerNorm
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.readers import real_readers
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import is_pointwise, weighted
from hyq_hls.quant.weighted import WeightedLayer

Array = NDArray[np.float64]

#: A channel's step is not finer than this share of the mean step. A constant channel has no range,
#: and without the limit its gamma and its weights would exceed their ranges.
_FINEST = 2.0**-6


@dataclass(frozen=True)
class RepQ(Method):
    """The method keeps one quantizer per LayerNorm output that rounds like one per channel.

    The range of every channel gives its step ``d_c`` and zero point ``z_c``. The tensor has
    ``d = mean(d_c)`` and ``z``, the code nearest to ``mean(z_c)``. With ``r = d_c / d`` the network
    is rewritten to

    - LayerNorm: ``gamma / r``, ``beta / r + d (z_c - z)``;
    - linear layers that read it: ``W r`` per input channel, ``b - W r d (z_c - z)``,

    This is the same function, while the codes of the one quantizer ``(d, z)`` are those of the
    quantizers ``(d_c, z_c)`` before. The network is then calibrated again, and tensors and weights
    are quantized as configured. Choices of earlier methods are dropped, so this is the first method
    of a list. With ``observer="minmax"`` and real scales the quantizer that is found is ``(d, z)``.

    A LayerNorm stays as it is, and is named in the notes, where something else than linear layers
    reads it. A convolution pads with zeros, which would not be zero any more, and an addition has
    no weights.

    The paper's second part, log-sqrt2 codes of attention probabilities, is not implemented: the
    integer softmax gives powers of two or uniform codes, as configured. In the paper's results
    LayerNorm and softmax stay in floating point; here they do not.

    Symmetric codes have ``z_c = z = 0``. Source: arXiv 2212.08254, scale reparameterization of
    LayerNorm activations, and the authors' released code.
    """

    def apply(self, plan: Plan) -> Plan:
        """Return the plan of the rewritten graph.

        The notes name the LayerNorms that were rewritten and those that were not.
        """
        changed: dict[str, FloatOp] = {}
        rewritten: list[str] = []
        left: list[str] = []
        for node in plan.graph:
            if type(node.op) is not LayerNorm:
                continue
            readers = _linear_readers(plan.graph, node.name)
            data, config = plan.statistics[node.name], plan.config.for_node(node.name)
            if not readers or not (data.high > data.low).any():
                left.append(node.name)
                continue
            ratio, offset = channel_quantizers(data, config)
            beta = node.op.bias / ratio + offset
            changed[node.name] = replace(node.op, weight=node.op.weight / ratio, bias=beta)
            rewritten.append(node.name)
            for name, layer in readers.items():
                matrix = layer.matrix * ratio
                changed[name] = layer.with_parameters(matrix, layer.bias - matrix @ offset)
        found = plan.with_graph(plan.graph.replace(changed))
        return found.noted(repq={"rewritten": rewritten, "left": left})


def channel_quantizers(data: TensorStatistics, config: QuantConfig) -> tuple[Array, Array]:
    """Return steps of the channels over the tensor's, and the distance of their zero points.

    Args:
        data: statistics of a LayerNorm's output.
        config: scheme and bits.

    Returns:
        ``r = d_c / d`` and ``d * (z_c - z)``, both (C,).
    """
    if config.activation_scheme == "symmetric":
        steps = np.maximum(-data.low, data.high) / ((1 << (config.activation_bits - 1)) - 1)
    else:
        steps = (data.high - data.low) / ((1 << config.activation_bits) - 1)
    steps = np.maximum(steps, _FINEST * steps.mean())
    step = steps.mean()
    if config.activation_scheme == "symmetric":
        return steps / step, np.zeros_like(steps)
    # No code has to stand for the zero of a channel, whose zero point may leave the code range.
    zeros = np.rint(-data.low / steps)
    zero = np.clip(np.rint(zeros.mean()), 0, (1 << config.activation_bits) - 1)
    return steps / step, step * (zeros - zero)


def _linear_readers(graph: FloatGraph, name: str) -> dict[str, WeightedLayer]:
    """Return the layers that read a tensor, seen through data movement, if all are linear."""
    readers = real_readers(graph, name)
    found = {r.name: weighted(r) for r in readers if is_pointwise(r)}
    return found if len(found) == len(readers) else {}
