"""Designs for a part: optimal, within the budget, or an error that says what to do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import milp

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.machine.budget import RESOURCES, capacity, fits
from hyq_hls.ops import Add, GlobalAveragePool
from hyq_hls.parts import part
from hyq_hls.stream.choose.backends import BACKENDS
from hyq_hls.stream.choose.design import design
from hyq_hls.stream.choose.fit import fit, pareto
from hyq_hls.stream.choose.options import edge_utilization
from hyq_hls.stream.choose.solve import GAP, FoldingProblem
from hyq_hls.stream.circuits import node_circuits
from hyq_hls.stream.cost import estimate_design, plan_hls
from hyq_hls.stream.flow.depths import safe_hls_flow
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.yosys import Utilization
from tests.stream.hls.conftest import small_graph
from tests.stream.hls.hybrid import hybrid_graph

PART = part("xc7z020")


def cost(used: Utilization) -> float:
    has = capacity(PART)
    return float(sum(getattr(used, name) / has[name] for name in RESOURCES))


def designs(problem: FoldingProblem) -> list[tuple[int, Utilization]]:
    """Every design there is: cycles and what it takes, added up without a solver."""
    names = list(problem.options)
    found = []
    for chosen in product(*problem.options.values()):
        options = dict(zip(names, chosen, strict=True))
        used = sum((o.utilization for o in chosen), Utilization())
        for edge in problem.edges:
            read = problem.read(edge, options[edge.reader].folding)
            written = options[edge.writer].folding.outputs if edge.writer else read
            used += edge_utilization(edge, written, read)
        found.append((max(o.cycles for o in chosen), used))
    return found


@pytest.fixture(scope="module")
def tiny() -> FoldingProblem:
    return FoldingProblem(small_graph(), node_circuits(small_graph()), capacity(PART))


def test_smallest_is_the_smallest_of_all(tiny: FoldingProblem) -> None:
    every = designs(tiny)
    for cycles in tiny.speeds():
        best = min(cost(used) for speed, used in every if speed <= cycles)
        solution = tiny.smallest(cycles)
        assert solution is not None
        assert solution.cycles <= cycles
        assert best * (1 - 1e-9) <= cost(solution.used) <= best * (1 + 2 * GAP)


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES)
def test_fastest_is_the_fastest_of_all_that_fit(tiny: FoldingProblem, resource: str) -> None:
    every = designs(tiny)
    least = min(getattr(used, resource) for _, used in every)
    most = max(getattr(used, resource) for _, used in every)
    for limit in (least, (least + most) // 2, most):
        budget = {**capacity(PART), resource: limit}
        best = min(
            speed for speed, used in every if all(getattr(used, r) <= budget[r] for r in RESOURCES)
        )
        solution = tiny.fastest(budget)
        assert solution is not None
        assert solution.cycles == best
        assert getattr(solution.used, resource) <= limit
    assert least == 0 or tiny.fastest({**capacity(PART), resource: least - 1}) is None


@pytest.mark.slow
@pytest.mark.parametrize("less", [50, 150, 300])
def test_a_design_leaves_room_for_its_forks_and_ports(less: int) -> None:
    """The program of foldings does not know them; a design with less room is tried then."""
    graph = hybrid_graph()
    needed = plan_hls(safe_hls_flow(design(graph, PART, 100, share=1.0))).total.lut
    tight = replace(PART, luts=needed - less)
    assert plan_hls(safe_hls_flow(design(graph, tight, 100, share=1.0))).total.lut <= tight.luts


@pytest.mark.slow
def test_the_cpp_counts_where_it_is_asked_for() -> None:
    """Vitis HLS puts a line buffer into block RAM that the RTL has in LUTs."""
    graph = hybrid_graph()
    circuits, budget = node_circuits(graph), {**capacity(PART), "bram18": 20.0}
    rtl = FoldingProblem(graph, circuits, capacity(PART)).fastest(budget)
    both = FoldingProblem(graph, circuits, capacity(PART), BACKENDS).fastest(budget)
    assert rtl is not None
    assert both is not None
    assert rtl.planned.bram18 > 20 >= both.planned.bram18
    assert both.cycles >= rtl.cycles
    assert both.planned.dsp == sum(used.dsp for used in both.planned_nodes.values())
    none = {**budget, "bram18": 0.0}
    assert FoldingProblem(graph, circuits, capacity(PART), BACKENDS).fastest(none) is None


def pools_graph() -> Graph:
    """Three sums over one map, each with 96 counters, which are more than 1,024 bits."""
    q = Quantization(8, True)
    one = np.array([1])
    graph = Graph("image", TensorType((4, 4, 96), q), {})
    for name in ("a", "b", "c"):
        pool = GlobalAveragePool((0,), Requantize(q, np.array([4]), one))
        graph.add(name, pool, "image")
    for name, inputs in (("d", ("a", "b")), ("e", ("d", "c"))):
        graph.add(name, Add((one, one), ((0,), (0,)), Requantize(q, one, one)), *inputs)
    return graph


def test_a_part_that_is_too_small_for_the_cpp_alone() -> None:
    graph, small = pools_graph(), replace(PART, bram36=1)
    narrow = dict.fromkeys("abc", Folding(1, 1))
    flow = design(graph, small, 100, must_fit="rtl", folding=narrow)
    assert fits(estimate_design(flow).total, small)
    assert plan_hls(flow).total.bram18 == 3
    message = (
        r'the HLS C\+\+ \(must_fit="rtl" asks only for the RTL\) of this folding does not fit '
        r"100% of xc7z020: it needs 3 RAMB18 of 2; most for a, b, c"
    )
    for must_fit in (True, "hls"):
        with pytest.raises(ConversionError, match=message):
            design(graph, small, 100, must_fit=must_fit, folding=narrow)
    assert plan_hls(design(graph, small, 100)).total.bram18 <= 2
    free = design(graph, small, 100, must_fit=False, folding=narrow)
    assert free.cycles_per_frame == flow.cycles_per_frame


def test_no_folding_makes_the_cpp_small_enough() -> None:
    graph = hybrid_graph()
    circuits = node_circuits(graph)
    with pytest.raises(
        ConversionError, match=r"the HLS C\+\+ .* of the slowest design does not fit"
    ):
        fit(graph, circuits, PART, 100, share=0.001, backends=frozenset({"hls"}))


def test_what_counts_has_a_name() -> None:
    with pytest.raises(
        ConversionError, match=r'must_fit=\'cpp\': True \(RTL and HLS C\+\+\), "rtl"'
    ):
        design(small_graph(), PART, 100, must_fit="cpp")


@pytest.mark.slow
def test_more_room_is_never_slower() -> None:
    """Every share of the part is compared with all smaller ones."""
    graph = hybrid_graph()
    shares = np.random.default_rng(0).uniform(0.2, 1, 7)
    rates = [
        fit(graph, node_circuits(graph), PART, 100, share=share).fps for share in sorted(shares)
    ]
    assert rates == sorted(rates), sorted(shares)


@pytest.mark.slow
def test_a_frame_rate_is_reached_and_not_overpaid() -> None:
    graph = hybrid_graph()
    fastest = fit(graph, node_circuits(graph), PART, 100)
    slow = fit(graph, node_circuits(graph), PART, 100, target_fps=fastest.fps / 8)
    exact = fit(graph, node_circuits(graph), PART, 100, target_fps=fastest.fps)
    assert slow.fps >= fastest.fps / 8
    assert exact.fps >= fastest.fps
    assert cost(slow.solution.used) < cost(exact.solution.used)
    assert fits(exact.solution.used, PART)


def test_pareto_front() -> None:
    front = pareto(hybrid_graph(), node_circuits(hybrid_graph()), PART, 100, points=6)
    rates = [point.fps for point in front]
    costs = [cost(point.solution.used) for point in front]
    assert len(front) >= 4
    assert rates == sorted(rates)
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0}, "above 0 and at most 1"),
        ({"share": 1.1}, "above 0 and at most 1"),
        ({"target_fps": 0}, "a positive frame rate"),
        ({"target_fps": -3}, "a positive frame rate"),
        ({"target_fps": float("nan")}, "a positive frame rate"),
        ({"target_fps": 1e7}, r"takes [\d,]+ cycles per frame at its fastest folding; lower"),
        (
            {"share": 0.05},
            r"the slowest design does not fit 5% of xc7z020: it needs .* LUT of 2,660.*; "
            r"most for .*; the smallest part that would do is xc",
        ),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    graph: Graph = hybrid_graph()
    with pytest.raises(ConversionError, match=message):
        fit(graph, node_circuits(graph), PART, 100, **options)


def test_what_nodes_alone_exceed_needs_no_whole_program(
    tiny: FoldingProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(c: np.ndarray[Any, Any], **options: Any) -> Any:
        sizes.append(len(c))
        return milp(c, **options)

    monkeypatch.setattr("hyq_hls.stream.choose.solve.milp", counted)
    cycles, foldings = tiny.speeds()[-1], sum(map(len, tiny.options.values()))
    assert tiny.smallest(cycles, {**capacity(PART), "lut": 1}) is None
    assert sizes == [foldings]
    assert tiny.smallest(cycles, capacity(PART)) is not None
    assert sizes[1] == foldings < sizes[2]


@pytest.mark.slow
def test_half_of_two_foldings_is_no_design(tiny: FoldingProblem) -> None:
    """Between the budgets of two designs the relaxed program would mix their foldings."""
    cycles = tiny.speeds()[4]  # At the fastest ones few foldings are left to mix.
    fast = [used for speed, used in designs(tiny) if speed <= cycles]
    sizes = [used.lut for used in fast]
    for luts in range(min(sizes), max(sizes) + 1, 25):
        best = min(cost(used) for used in fast if used.lut <= luts)
        solution = tiny.smallest(cycles, {**capacity(PART), "lut": luts})
        assert solution is not None
        assert solution.used.lut <= luts
        assert best * (1 - 1e-9) <= cost(solution.used) <= best * (1 + 2 * GAP)
