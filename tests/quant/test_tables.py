"""Tables of functions: an entry for every code, equal to the function that PyTorch computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import quantize
from hyq_hls.capture.elementwise import Elementwise, Gelu, Relu, Silu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_ops import Input
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization
from hyq_hls.ops import Table
from hyq_hls.quant.lowering.lower import Lowering
from tests.quant.networks import lean

FUNCTIONS: dict[str, tuple[Elementwise, nn.Module]] = {
    "silu": (Silu(), nn.SiLU()),
    "gelu": (Gelu(), nn.GELU()),
    "gelu_tanh": (Gelu("tanh"), nn.GELU(approximate="tanh")),
    "relu": (Relu(), nn.ReLU()),
}


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_table_is_the_function_of_pytorch(name: str, bits: int) -> None:
    """The tanh form of GELU was captured as tanh, and its table held erf."""
    op, module = FUNCTIONS[name]
    x = Quantization(bits, False, (2.0 ** (3 - bits),), (1 << (bits - 1),))
    y = Quantization(bits, False, (2.0 ** (3 - bits),), (1 << (bits - 2),))
    nodes = [FloatNode("x", Input((1, 1, 4)), ()), FloatNode("f", op, ("x",))]
    lowering = Lowering(FloatGraph(nodes, "f"), {"x": x, "f": y}, {})
    table = lowering.steps(nodes[1], lean(swish="table"))["f"]
    assert isinstance(table, Table)
    codes = np.arange(1 << bits)
    wanted = y.quantize(module(torch.from_numpy(x.dequantize(codes))).numpy())
    assert np.array_equal(table.reference(codes), wanted)


def test_class_in_the_place_of_a_method_is_refused() -> None:
    config = lean(methods=(Elementwise,))
    with pytest.raises(QuantizationError, match="instances of Method are wanted"):
        quantize(nn.Identity(), np.zeros((1, 4, 4, 3), np.uint8), config)
