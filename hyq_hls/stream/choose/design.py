"""A graph becomes the design that is built: foldings, streams and FIFO depths within the part."""

from __future__ import annotations

from collections.abc import Mapping

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine.budget import check_clock, fits, too_large
from hyq_hls.parts import Part
from hyq_hls.stream.choose.backends import LABELS, counted
from hyq_hls.stream.choose.balance import balance
from hyq_hls.stream.choose.circuits import choose_circuits
from hyq_hls.stream.choose.fit import cycles_of, fit
from hyq_hls.stream.circuits import AnyCircuit
from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.cost.plan import plan_hls
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths, safe_hls_flow
from hyq_hls.stream.folding import Folding

#: Shares of the room that are left for the forks and ports of a design, tried one after another:
#: the integer program of foldings does not know them.
_SPARED = (0.0, 0.03, 0.06)


def design(
    graph: Graph,
    part: Part,
    clock_mhz: float,
    *,
    target_fps: float | None = None,
    share: float | None = None,
    folding: Mapping[str, Folding] | None = None,
    circuits: Mapping[str, str] | None = None,
    must_fit: bool | str = True,
) -> Dataflow:
    """Design a streaming machine of a graph for a part.

    Args:
        graph: what is built.
        part: the part that it is built on.
        clock_mhz: clock at which frames are counted.
        target_fps: the smallest design with that many frames per second.
        share: share of the part that may be used; without ``target_fps``, the fastest design in it.
        folding: lanes of some or all nodes by name, instead of what would be chosen.
        circuits: circuits of some nodes, by pattern of their names, such as
            ``{"*.act": "arithmetic"}``; the others get the cheapest of those with the same
            integers.
        must_fit: raise an error where the part, or its share, is too small for the RTL by its
            estimate, or for the HLS C++ by its plan; "rtl" or "hls" counts only one of them. By
            default, without ``target_fps`` and ``share``, a balanced design of about 200
            multiply-accumulates per cycle is tried first.

    Raises:
        ConversionError: the clock is not between 1 and 1000 MHz, the frame rate is out of reach,
            the part is too small, or a circuit is not one of its node.
    """
    check_clock(clock_mhz)
    backends, given = counted(must_fit), folding or {}
    chosen = choose_circuits(graph, part, circuits)
    asked = target_fps is not None or share is not None
    if not (backends and asked):
        cycles = None if target_fps is None else cycles_of(target_fps, clock_mhz)
        flow = _built(graph, chosen, {**balance(chosen, cycles), **given})
        error = _excess(flow, part, backends)
        if error is None:
            return flow
        if given:
            raise error
    room = 1.0 if share is None else share
    failure: ConversionError | None = None
    for spared in _SPARED:
        try:
            found = fit(
                graph,
                chosen,
                part,
                clock_mhz,
                share=room * (1 - spared),
                target_fps=target_fps,
                backends=backends,
            )
        except ConversionError as error:
            raise failure or error from None
        flow = _built(graph, chosen, {**found.solution.foldings, **given})
        excess = _excess(flow, part, backends)
        if excess is None:
            return flow
        failure = failure or excess
    assert failure is not None
    raise failure


def _excess(flow: Dataflow, part: Part, backends: frozenset[str]) -> ConversionError | None:
    """Return the error for a design that is too large for a part in one of its back ends."""
    for backend in sorted(backends):
        if backend == "rtl":
            used = estimate_design(flow)
            total, operations = used.total, used.operations
        else:
            plan = plan_hls(safe_hls_flow(flow))
            total = plan.total
            operations = {name: planned.used for name, planned in plan.operations.items()}
        if not fits(total, part):
            return too_large(total, operations, part, 1.0, f"{LABELS[backend]} of this folding")
    return None


def _built(
    graph: Graph, circuits: Mapping[str, AnyCircuit], foldings: Mapping[str, Folding]
) -> Dataflow:
    flow = build_dataflow(graph, foldings, circuits)
    return flow.with_depths(safe_depths(flow))
