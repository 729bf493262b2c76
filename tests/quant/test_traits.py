"""The table of traits is complete, and what it does not hold is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import isabstract
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

import hyq_hls.capture.elementwise
from hyq_hls.capture.elementwise import Elementwise, Mish
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import Add, Input, Linear, Softmax
from hyq_hls.capture.unknown import Unknown
from hyq_hls.errors import QuantizationError
from hyq_hls.ops import OPERATIONS
from hyq_hls.quant import traits
from hyq_hls.quant.config import Exponential, Swish
from hyq_hls.quant.image_codes import CentredInput
from hyq_hls.quant.lowering.lower import Lowering
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import TRAITS, Codes, Traits, has_weights, traits_of, weighted
from hyq_hls.stream.circuits import node_circuits
from tests.ops.examples import example_graph
from tests.quant.networks import lean

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, eq=False, repr=False)
class Sort(FloatOp):
    """An operation that nobody declared."""

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return inputs[0].sort(dim=-1).values


@dataclass(frozen=True, eq=False, repr=False)
class Wider(Linear):
    """A class of a class with a row has none itself."""


def graph_with(op: FloatOp) -> FloatGraph:
    return FloatGraph([FloatNode("x", Input((2, 2, 3))), FloatNode("odd", op, ("x",))], "odd")


def plan_with(op: FloatOp) -> Plan:
    images = np.zeros((2, 2, 2, 3), np.uint8)
    return Plan.of(graph_with(op), lean(), images, progress=False)


def classes(kind: type[FloatOp]) -> Iterator[type[FloatOp]]:
    """All classes of the package below one that a graph can hold."""
    for below in kind.__subclasses__():
        if below.__module__.startswith("hyq_hls.") and not isabstract(below):
            yield below
        yield from classes(below)


def test_every_float_operation_has_a_row_and_a_rule() -> None:
    everything = classes(FloatOp)  # type: ignore[type-abstract]  # nothing is instantiated
    known = {kind for kind in everything if not issubclass(kind, Elementwise)}
    # A softmax is refused where scores are prepared, with a message of its own. An unknown value is
    # in graphs that are shown only.
    wanted = known - {Softmax, Unknown}
    functions = {kind for kind in TRAITS if issubclass(kind, Elementwise)}
    assert set(TRAITS) - functions == wanted
    rules = Lowering(graph_with(Mish()), {}, {}).rules
    assert set(rules) - functions == wanted - {Input, CentredInput}
    assert Elementwise in functions & set(rules)


def test_functions_share_a_row_and_have_one_of_their_own() -> None:
    assert traits_of(FloatNode("f", Mish())) is TRAITS[Elementwise]
    silu = traits_of(FloatNode("f", hyq_hls.capture.elementwise.Silu()))
    assert silu is not TRAITS[Elementwise]
    assert silu.function


@pytest.mark.parametrize("op", [Sort(), Wider(np.ones((2, 3)), np.zeros(2)), Softmax()])
def test_an_operation_without_traits_is_refused_by_name(op: FloatOp) -> None:
    message = rf"odd: {op.kind} has no traits; known are Add, .*quant/traits.py \(see CONTRIB"
    with pytest.raises(QuantizationError, match=message):
        plan_with(op)


def test_an_operation_without_a_rule_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    odd: type[Any] = Sort
    monkeypatch.setitem(traits.TRAITS, odd, TRAITS[Elementwise])
    with pytest.raises(QuantizationError, match=r"odd: Sort has no integer operation; .*lower.py"):
        plan_with(Sort()).lowered()


def test_a_row_says_what_has_no_natural_answer() -> None:
    with pytest.raises(TypeError, match="'writes', 'reads', 'linear', and 'ratios'"):
        Traits()  # type: ignore[call-arg]


def test_only_layers_have_weights() -> None:
    node = FloatNode("sum", Add(), ("a", "b"))
    assert not has_weights(node)
    with pytest.raises(QuantizationError, match="sum: Add has no weights"):
        weighted(node)


def test_every_choice_of_the_configuration_has_its_arithmetic() -> None:
    assert set(traits.SWISH) == set(get_args(Swish))
    assert set(traits.EXPONENTIAL) == set(get_args(Exponential))
    node = FloatNode("p", OctaveSoftmax(), ("s",))
    assert traits_of(node).codes is Codes.PROBABILITIES
    for name in get_args(Exponential):
        found = traits_of(node).arithmetic(lean(exponential=name))
        assert found is traits.EXPONENTIAL[name]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_files_that_contributing_names_exist(operation: str) -> None:
    """The table of a new operation's files is what the operations of today have."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Adding an operation")[1].split("\n## ")[0]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    graph = example_graph(operation, np.random.default_rng(0))
    # An operation may take the circuit of another one, or its templates only.
    circuit = node_circuits(graph)[graph.output_name]
    own = {row: operation for row in rows if "<operation>" in row}
    own |= {row: circuit.module for row in own if "templates/" in row}
    own |= {row: type(circuit).__module__.rpartition(".")[2] for row in own if "circuits/" in row}
    files = [row.replace("<operation>", name) for row, name in own.items()]
    assert len(files) == 5
    for file in files:
        assert (ROOT / file).is_file(), file
    for shared in (row for row in rows if "<operation>" not in row):
        assert (ROOT / shared).is_file(), shared
