"""Every operation has its circuit; one without is refused by name; meaning knows no hardware."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import hyq_hls
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Bounds, Graph, Operation, Quantization, TensorType
from hyq_hls.graph.operation import Codes
from hyq_hls.ops import OPERATIONS, Unfold
from hyq_hls.stream.circuits import CIRCUITS, circuit_of, node_circuits

X = TensorType((2, 2, 3), Quantization(8, False))


@dataclass(frozen=True)
class Same(Operation):
    """An operation that nobody gave a circuit."""

    name: ClassVar[str] = "same"

    def output_type(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def reference(self, *codes: Codes) -> Codes:
        return codes[0]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return Bounds(0, 255)


def test_every_operation_has_a_circuit() -> None:
    assert set(CIRCUITS) == set(OPERATIONS.values())


def test_an_operation_without_a_circuit_is_refused_by_name() -> None:
    graph = Graph("x", X)
    graph.add("copy", Same(), "x")
    with pytest.raises(ConversionError, match=r"^copy: same has no circuit.*circuits/same\.py"):
        node_circuits(graph)


def test_what_cannot_be_chosen() -> None:
    graph = Graph("x", X)
    graph.add("tokens", Unfold((2, 2)), "x")
    with pytest.raises(ConversionError, match=r"^tokens: circuit 'table' is wanted, this unfold"):
        node_circuits(graph, {"tokens": "table"})
    with pytest.raises(ConversionError, match=r"circuits of unknown nodes \['nobody'\]"):
        node_circuits(graph, {"nobody": "unfold"})
    with pytest.raises(ConversionError, match="this unfold has unfold"):
        circuit_of(Unfold((2, 2)), X, name="table")


@pytest.mark.parametrize("room", ["graph", "ops"])
def test_meaning_knows_no_hardware(room: str) -> None:
    """A second machine is added beside the first without a change in these rooms."""
    files = sorted((Path(hyq_hls.__file__).parent / room).glob("*.py"))
    assert files
    for file in files:
        found = re.findall(r"hyq_hls\.(?:stream|parts|tools)\b", file.read_text(encoding="utf-8"))
        assert not found, file
