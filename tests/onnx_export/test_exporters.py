"""onnxruntime gives the reference's integers, for every operation and for sums of any width."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, checker, helper

from hyq_hls.graph import Node, TensorType
from hyq_hls.onnx_export.arithmetic import code_type, exact_type
from hyq_hls.onnx_export.export import IR_VERSION, OPSET, add_node, onnx_model
from hyq_hls.onnx_export.exporters import EXPORTERS
from hyq_hls.onnx_export.writer import FLOAT32, FLOAT64, INT64, GraphWriter
from hyq_hls.ops import OPERATIONS
from tests.emulate.random_operations import MAKERS, SWITCHES, Made, made
from tests.emulate.test_fuzz import extreme_codes
from tests.onnx_export.session import outputs
from tests.ops.examples import example_graph
from tests.ops.harness import random_codes

SEEDS = range(4)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_node_of_a_graph_around_every_operation(name: str) -> None:
    rng = np.random.default_rng(3)
    graph = example_graph(name, rng)
    model = onnx_model(graph)
    first, last = (output.name for output in model.graph.output)
    model.graph.output.extend(model.graph.value_info)
    codes = random_codes(graph.input_type, rng, 6)
    found = outputs(model, {graph.input_name: codes})
    expected = codes
    for node, expected in graph.reference(codes):
        assert node == graph.input_name or np.array_equal(found[node], expected), node
    values = graph.output_type.quantization.dequantize(expected).astype(np.float32)
    assert np.array_equal(found[first], expected)
    assert np.array_equal(found[last], values)


def side_by_side(cases: dict[str, Made]) -> ModelProto:
    """One model of all cases, each with inputs of its own; a session for each would take longer."""
    names = [f"{name}.{i}" for name, (_, types) in cases.items() for i in range(len(types))]
    writer, inputs, results = GraphWriter([*cases, *names]), [], []
    for name, (operation, types) in cases.items():
        own = tuple(f"{name}.{i}" for i in range(len(types)))
        kind, bounds = operation.output_type(*types), operation.accumulator(*types)
        node = Node(name, operation, own, kind, bounds)
        add_node(writer, node, types, own, own[0])
        inputs += [described(i, x) for i, x in zip(own, types, strict=True)]
        results.append(described(name, kind))
    graph = helper.make_graph(writer.nodes, "cases", inputs, results, writer.constants)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    checker.check_model(model, full_check=True)
    return model


def described(name: str, tensor: TensorType) -> ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(code_type(tensor.quantization))
    return helper.make_tensor_value_info(name, kind, ["batch", *tensor.shape])


@pytest.mark.parametrize("name", MAKERS)
def test_sums_at_every_switch(name: str) -> None:
    """Sums near the mantissas of float32 and float64, and near the limit of int64."""
    found = {(switch, seed): made(name, switch, seed) for switch in SWITCHES for seed in SEEDS}
    cases = {f"{name}.{s}.{seed}": case for (s, seed), case in found.items() if case is not None}
    given: dict[str, NDArray[np.int64]] = {}
    expected = {}
    for seed, (case, (operation, types)) in enumerate(cases.items()):
        codes = extreme_codes(operation, types, np.random.default_rng(seed))
        given |= {f"{case}.{i}": some for i, some in enumerate(codes)}
        expected[case] = operation.reference(*codes)
    results = outputs(side_by_side(cases), given)
    for case, wanted in expected.items():
        assert np.array_equal(results[case], wanted), case


def test_every_operation_has_an_exporter() -> None:
    assert EXPORTERS.keys() == OPERATIONS.keys()


def test_the_number_type_follows_the_largest_integer() -> None:
    assert [exact_type(1 << 24), exact_type((1 << 24) + 1)] == [FLOAT32, FLOAT64]
    assert [exact_type(1 << 53), exact_type((1 << 53) + 1)] == [FLOAT64, INT64]


def test_narrow_sums_are_convolutions_and_wide_ones_products() -> None:
    """A reader of the graph finds the operators of the field where they are exact."""
    kinds = {
        n.op_type for n in onnx_model(example_graph("conv2d", np.random.default_rng(0))).graph.node
    }
    assert "Conv" in kinds
    wide = next(c for c in (made("conv2d", 53, seed) for seed in SEEDS) if c is not None)
    kinds = {n.op_type for n in side_by_side({"wide": wide}).graph.node}
    assert {"Conv", "ConvInteger"}.isdisjoint(kinds)
    assert {"Gather", "MatMul"} <= kinds


def test_codes_between_nodes_are_narrow_integers() -> None:
    model = onnx_model(example_graph("attention_values", np.random.default_rng(0)))
    types = {info.type.tensor_type.elem_type for info in model.graph.value_info}
    assert types == {TensorProto.UINT8}
