"""Designs of one network that differ in speed and size, and those that none other beats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cost import engine_utilization
from hyq_hls.engine.cost.choice import PIXELS
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine import Machine
from hyq_hls.machine.budget import capacity, fits
from hyq_hls.report.content import ParetoPoint, Unmeasured
from hyq_hls.stream.choose.solve import FoldingProblem
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.tools.yosys import Utilization

#: Speeds of a stream for which the smallest design is searched.
_SPEEDS = 7
#: The slowest of them, against the design of the page.
_SLOWEST = 8


def pareto_front(
    graph: Graph, machine: Machine, chosen: Utilization
) -> Sequence[ParetoPoint] | Unmeasured:
    """Return the designs that no other one beats in both speed and LUTs, and the chosen one.

    A stream is folded anew for some speeds (half a minute for a small network); an engine gets
    other numbers of pixels.

    Args:
        graph: what the designs compute.
        machine: the design of the page.
        chosen: the sites that it takes by estimate.
    """
    mine = _point(machine, "this design", machine.cycles_per_frame, chosen)
    if isinstance(machine, StreamMachine):
        others = _streams(graph, machine)
    elif isinstance(machine, EngineMachine):
        others = _engines(graph, machine)
    else:
        return Unmeasured(
            f"nobody searches other designs of the machine {machine.architecture!r}",
            "convert for a stream or an engine",
        )
    found = [point for point in others if point.cycles != mine.cycles]
    front = [p for p in found if not any(_beats(other, p) for other in (*found, mine))]
    return sorted([*front, replace(mine, chosen=True)], key=lambda p: p.cycles)


def _beats(one: ParetoPoint, other: ParetoPoint) -> bool:
    """Return whether a design is no slower and no larger than another, and better in one."""
    sizes = one.used.lut, other.used.lut
    no_worse = one.cycles <= other.cycles and sizes[0] <= sizes[1]
    return no_worse and (one.cycles < other.cycles or sizes[0] < sizes[1])


def _streams(graph: Graph, machine: StreamMachine) -> Iterator[ParetoPoint]:
    problem = FoldingProblem(graph, machine.flow.circuits, capacity(machine.part))
    speeds = problem.speeds()
    slowest = min(speeds[-1], max(speeds[0], machine.cycles_per_frame) * _SLOWEST)
    for cycles in np.geomspace(speeds[0], slowest, _SPEEDS):
        solution = problem.smallest(int(cycles))
        if solution is not None:
            label = f"at most {int(cycles):,} cycles per frame"
            yield _point(machine, label, solution.cycles, solution.used)


def _engines(graph: Graph, machine: EngineMachine) -> Iterator[ParetoPoint]:
    for pixels in PIXELS:
        sizes = replace(machine.sizes, pixels=pixels)
        try:
            program = compile_graph(graph, sizes)
            used = engine_utilization(sizes).total
        except ConversionError:
            continue  # an engine of this size cannot run the network
        other = replace(machine, program=program)
        yield _point(machine, f"{pixels} pixels at a time", other.cycles_per_frame, used)


def _point(machine: Machine, label: str, cycles: int, used: Utilization) -> ParetoPoint:
    fps = machine.clock_mhz * 1e6 / cycles
    return ParetoPoint(label, cycles, fps, used, fits(used, machine.part))
