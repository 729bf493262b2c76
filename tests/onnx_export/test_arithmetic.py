"""Integer arithmetic of onnxruntime at the ends of 64 bits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from hyq_hls.onnx_export.arithmetic import floor_divided, integer_root, row_sums
from hyq_hls.onnx_export.export import IR_VERSION, OPSET
from hyq_hls.onnx_export.writer import INT64, GraphWriter, Value
from hyq_hls.ops.layer_norm import integer_root as numpy_root
from tests.onnx_export.session import outputs


def computed(function: Callable[[Value], Value], x: NDArray[np.int64]) -> NDArray[np.int64]:
    """What onnxruntime gives for a function of one int64 tensor."""
    writer = GraphWriter(["x"])
    result = function(Value(writer, "f", "x", INT64)).name
    ends = [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in ("x", result)]
    graph = helper.make_graph(writer.nodes, "f", ends[:1], ends[1:], writer.constants)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    found: NDArray[np.int64] = outputs(model, {"x": x})[result]
    return found


def test_sums_of_60_bits() -> None:
    x = np.random.default_rng(0).integers(-(1 << 59), 1 << 59, (50, 2, 6))
    found = computed(partial(row_sums, length=6, largest=1 << 61), x)
    assert np.array_equal(found, x.sum(axis=-1, keepdims=True))


def test_quotients_are_rounded_down() -> None:
    """Divisors that are no powers of two come from sums, whose dividends have 62 bits."""
    few = np.array([-(1 << 62) + 1, -7, -1, 0, 1, 7, (1 << 62) - 1])
    all_bits = np.append(few, [-(1 << 63), (1 << 63) - 1])
    for ends, divisors in ((few, (3, 1000003)), (all_bits, (1, 2, 1 << 20, 1 << 62))):
        for divisor in divisors:
            found = computed(partial(floor_divided, divisor=divisor), ends)
            assert np.array_equal(found, ends // divisor), divisor


def test_roots_beside_every_square() -> None:
    roots = np.array([0, 1, 2, 3, 1 << 20, (1 << 26) + 1, 94906267, (1 << 31) - 1])
    values = (roots**2)[:, None] + np.arange(-1, 2)
    values = np.append(values[values >= 0], (1 << 62) - 1)
    assert np.array_equal(computed(integer_root, values), numpy_root(values))
    assert computed(integer_root, np.array([(1 << 62) - 1]))[0] == (1 << 31) - 1
