"""The cost models: not stale, monotone, and as exact as they say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import log2
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls.errors import ConversionError
from hyq_hls.parts import part
from hyq_hls.stream.choose.balance import regular_foldings
from hyq_hls.stream.choose.circuits import circuit_utilization
from hyq_hls.stream.choose.design import design
from hyq_hls.stream.circuits import AnyCircuit, circuit_of
from hyq_hls.stream.cost.costs import (
    POINTS_FILE,
    CostModel,
    Point,
    compared_points,
    cost_models,
    estimate,
    fitted,
    read_points,
    template_hash,
)
from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.features import features_of
from hyq_hls.stream.cost.memories import LUTS_PER_BLOCK, dissolves, memory_utilization
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.plumbing import Fork, Plumbing
from hyq_hls.stream.synthesis import template_job
from hyq_hls.tools.yosys import Utilization, synthesize_modules
from tests.stream.hls.hybrid import hybrid_graph

POINTS = read_points()
PLUMBING = ("hyq_fifo", "hyq_width_converter", "hyq_fork", "hyq_axis_input", "hyq_axis_output")


def module_of(point: Point) -> str:
    return point.model.split(",")[0]


def modelled(models: dict[str, CostModel], point: Point) -> Utilization:
    """What a model says of a point."""
    memories = Utilization(lut=point.memory_luts, bram18=point.bram18)
    return models[point.model].utilization(point.features, memories, point.dsp)


def again(points: list[Point], folder: Path) -> list[Utilization]:
    """Synthesis of plumbing, whose parameters say everything; each by itself.

    In company the numbers in names of cells differ, which decide ties in logic optimization.
    """
    jobs = [template_job(module_of(p), p.origin["parameters"]) for p in points]
    results = [result for job in jobs for result in synthesize_modules([job], folder)]
    return [result for result in results if isinstance(result, Utilization)]


@pytest.mark.slow
def test_the_table_is_what_synthesis_gives(tmp_path: Path) -> None:
    some = [next(p for p in POINTS if p.model == module) for module in list(PLUMBING)[::2]]
    assert len(some) >= 3
    assert again(some, tmp_path) == [p.utilization for p in some]


def test_the_table_belongs_to_these_templates() -> None:
    recorded = json.loads(POINTS_FILE.read_text(encoding="utf-8"))["templates"]
    stale = [m for m, known in recorded.items() if template_hash(m) != known]
    assert not stale, "run benchmarks/characterize.py: these modules have changed since"
    assert {module_of(p) for p in POINTS} == set(recorded)


def test_rules_of_dsp_slices_and_block_rams_are_exact() -> None:
    wrong = [
        (p.model, p.origin, p.dsp, p.bram18, p.utilization)
        for p in POINTS
        if (p.dsp, p.bram18) != (p.utilization.dsp, p.utilization.bram18)
    ]
    assert not wrong


def test_estimates_stand_beside_what_synthesis_found() -> None:
    pairs = compared_points()
    assert [found for _, found in pairs] == [p.utilization for p in POINTS]
    assert all((said.dsp, said.bram18) == (found.dsp, found.bram18) for said, found in pairs)
    estimated, found = (sum(used.lut for used in side) for side in zip(*pairs, strict=True))
    assert estimated == pytest.approx(found, rel=0.1)


@pytest.mark.parametrize("resource", ["lut", "ff"])
def test_the_default_design_within_ten_percent(resource: str) -> None:
    """Circuits of the default design; those that it has more than once count once."""
    usual = [p for p in POINTS if p.origin["network"] == "default" and p.origin["usual"]]
    models = cost_models()
    estimated = sum(
        getattr(
            models[p.model].utilization(p.features, Utilization(lut=p.memory_luts), 0), resource
        )
        for p in usual
    )
    found = sum(getattr(p.utilization, resource) for p in usual)
    assert estimated == pytest.approx(found, rel=0.1)


def test_points_that_were_not_fitted() -> None:
    """Fitted to every other point, the models are no more than a fifth off for the rest."""
    for resource in ("lut", "ff"):
        estimated = found = 0
        for first in (0, 1):
            models = fitted(POINTS[first::2])
            for p in POINTS[1 - first :: 2]:
                estimated += getattr(modelled(models, p), resource)
                found += getattr(p.utilization, resource)
        assert estimated == pytest.approx(found, rel=0.2), resource


def kinds(circuit: AnyCircuit, folding: Folding) -> set[str]:
    """Where the constants of a circuit lie: nowhere (one word), in logic, in LUTs, block RAM.

    Other memories may be there or not: a vector that is one word is kept in registers.
    """
    found = set()
    for memory in circuit.memories(folding):
        if not memory.constant:
            found.add("variable")
        else:
            small = "word" if memory.depth == 1 else "logic" if dissolves(memory) else "LUT"
            found.add("block" if memory_utilization(memory).bram18 else small)
    return found


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_more_lanes_never_take_less(data: st.DataObject) -> None:
    """Unless constants move, a memory vanishes or counters of fewer words get narrower.

    Memories between LUTs and block RAM are weighed as the rule does.
    """
    graph = hybrid_graph()
    node = data.draw(st.sampled_from(list(graph.nodes.values())))
    circuit = circuit_of(node.operation, *graph.input_types(node))
    foldings = list(regular_foldings(circuit))
    small = data.draw(st.sampled_from(foldings))
    larger = [f for f in foldings if f.outputs >= small.outputs and f.inputs >= small.inputs]
    large = data.draw(st.sampled_from(larger))
    few, many = (circuit_utilization(node, circuit, folding) for folding in (small, large))
    assert few.dsp <= many.dsp
    if kinds(circuit, small) == kinds(circuit, large):
        halvings = log2(large.outputs * large.inputs / (small.outputs * small.inputs))
        assert few.ff <= many.ff + halvings  # a bit of a counter each
        weight = LUTS_PER_BLOCK
        assert few.lut + weight * few.bram18 <= many.lut + weight * many.bram18 + 8


def test_every_operation_has_a_model() -> None:
    used = estimate_design(design(hybrid_graph(), part("xc7z020"), 100, must_fit=False))
    assert used.total.lut > 0
    assert list(used.operations) == list(hybrid_graph().nodes)


@dataclass(frozen=True)
class Magic(Fork):
    module = "hyq_magic"


def test_a_module_without_a_model() -> None:
    with pytest.raises(ConversionError, match="hyq_magic has no cost model; add points"):
        estimate(Magic(8, 2))


def test_a_kind_of_circuit_without_a_rule() -> None:
    with pytest.raises(TypeError, match="no rule for the features"):
        features_of(Plumbing())


def test_damaged_table(tmp_path: Path) -> None:
    path = tmp_path / "points.json"
    path.write_text('{"points": [{}]}')
    with pytest.raises(ConversionError, match=r"is damaged .*characterize\.py makes it again"):
        read_points(path)
