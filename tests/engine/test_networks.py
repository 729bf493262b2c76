"""Whole networks: every node equals its reference; what the engine cannot run is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls import QuantizedModel, ops, quantize
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.forms import FORMS, forms_of
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.models import digits, mobilevit_digits, mobilevit_xxs
from hyq_hls.quant import QuantConfig, presets
from tests.engine.graphs import check_graph
from tests.engine.members import MEMBERS, member
from tests.engine.test_forms import attention
from tests.golden.network import golden_graph
from tests.ops.examples import EXAMPLES, example_graph

SMALL = Sizes(pixels=8, feature_words=512)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_golden_network(rng: np.random.Generator) -> None:
    check_graph(golden_graph(), rng.integers(0, 256, (4, 4, 3)), Sizes())


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [Sizes(multiplier=False), SMALL], ids=["default", "small"])
def test_the_default_network(default_qmodel: QuantizedModel, sizes: Sizes) -> None:
    check_graph(default_qmodel.graph, digits.calibration(1)[0].astype(np.int64), sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        presets.minmax(),
        QuantConfig(6, 6),
        replace(presets.best(), methods=()),
        presets.hyq(steps=1),
    ],
    ids=["minmax", "w6a6", "best", "hyq"],
)
def test_recipes(config: QuantConfig) -> None:
    model = mobilevit_digits(pretrained=True)
    graph = quantize(model, digits.calibration(16), config, progress=False).graph
    check_graph(graph, digits.calibration(1)[0].astype(np.int64), Sizes(pixels=4))


@pytest.mark.slow
def test_mobilevit_xxs(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    graph = quantize(mobilevit_xxs().eval(), images, progress=False).graph
    check_graph(graph, images[0].astype(np.int64), Sizes(pixels=8))


@pytest.mark.slow
@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_other_families(name: str) -> None:
    for sizes in (Sizes(pixels=2), Sizes(pixels=8, feature_words=1024)):
        check_graph(*member(name), sizes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_operation_has_a_form_or_is_refused_by_name(
    name: str, rng: np.random.Generator
) -> None:
    graph = example_graph(name, rng)
    operations: list[type[Operation]] = [type(n.operation) for n in graph.nodes.values()]
    if all(operation in FORMS for operation in operations):
        assert forms_of(graph).keys() == graph.nodes.keys()
    else:
        without = "|".join(o.name for o in operations if o not in FORMS)
        with pytest.raises(ConversionError, match=rf": ({without}) has no form for the engine"):
            forms_of(graph)


def test_wide_exponentials_are_refused() -> None:
    graph = golden_graph()
    # The second and the third together are half of the first, which no 32 bits show.
    table = np.zeros(1 << graph.type("scores").quantization.bits, np.int64)
    table[:4] = 1 << 35, (1 << 34) - 24, 24, 1
    graph = graph.with_operations({"softmax": ops.TableSoftmax(table, 4, "log2")})
    with pytest.raises(ConversionError, match="softmax: exponentials of 36 bits"):
        forms_of(graph)


def test_scores_without_values_are_refused() -> None:
    whole = golden_graph()
    graph = Graph(whole.input_name, whole.input_type)
    for name, node in whole.nodes.items():
        if name not in ("value", "softmax", "values", "map", "sum"):
            graph.add(name, node.operation, *node.inputs)
    with pytest.raises(ConversionError, match="scores: attention_scores stands apart"):
        compile_graph(graph, Sizes())


def test_positions_that_begin_inside_of_a_beat_are_refused() -> None:
    graph = Graph("x", TensorType((2, 4, 4), Quantization(8, False)))
    graph.add("y", ops.SelectPositions((0, 1), (1, 2)), "x")
    with pytest.raises(ConversionError, match="y: positions of 4 channels begin inside of the 8 b"):
        compile_graph(graph, Sizes())
    graph = Graph("x", TensorType((2, 4, 5), Quantization(8, False)))
    graph.add("y", ops.SelectPositions((0, 1), (1, 2)), "x")
    compile_graph(graph, Sizes())


def test_a_border_that_is_too_wide_for_a_maximum_is_refused() -> None:
    def graph(padding: int) -> Graph:
        one, x = np.ones(1, np.int64), TensorType((1, 3, 5), Quantization(8, False))
        to = Requantize(x.quantization, 0 * one, one)
        found = Graph("x", x)
        found.add("a", ops.RequantizeTensor((0,), to), "x")
        found.add("m", ops.Maximum((one, one), ((0,), (0,)), to), "x", "a")
        kernel, none = np.ones((5, 1, 2 * padding), np.int64), np.zeros(5, np.int64)
        found.add("y", ops.DepthwiseConv2d(kernel, 8, none, (1, 1), (0, padding), (0,), to), "m")
        return found

    with pytest.raises(ConversionError, match="m: a largest code in front of a window"):
        compile_graph(graph(12), Sizes())
    compile_graph(graph(8), Sizes())


def test_what_does_not_fit_is_named() -> None:
    for sizes, message in (
        (Sizes(feature_words=8), r"conv: 2 pixels need \d+ words of every bank"),
        (Sizes(weight_words=4), r"conv: the weights of 16 channels take 9 words"),
        (Sizes(multiplier=False), "conv: requantization by multipliers up to 40000"),
        (Sizes(softmax_length=3), "values: attention over 4 keys"),
    ):
        with pytest.raises(ConversionError, match=message):
            compile_graph(golden_graph(), sizes)
    with pytest.raises(ConversionError, match=r"values: .* 80 channels in a head takes up to 6 gr"):
        compile_graph(attention(channels=80), Sizes(parameter_groups=5))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pixels": 3}, "3 pixels; 2, 4 or 8"),
        ({"softmax_lanes": 3}, "3 softmax lanes; 1, 2 or 4"),
        ({"norm_lanes": 8}, "8 norm lanes; 1, 2 or 4"),
        ({"weight_words": 0}, "weight_words of 0; 1 to 65536"),
        ({"softmax_length": 1025}, "softmax_length of 1025; 1 to 1024"),
        ({"norm_channels": 96}, "norm_channels of 96; a power of two from 8 on"),
        ({"norm_channels": 4}, "norm_channels of 4; a power of two from 8 on"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        Sizes(**wrong)  # type: ignore[arg-type]
