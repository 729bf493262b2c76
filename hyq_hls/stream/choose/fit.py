"""Find the design for a part: the fastest that fits, or the smallest that is fast enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine.budget import binding, capacity, check_share, fits, too_large
from hyq_hls.parts import Part
from hyq_hls.stream.choose.backends import LABELS, RTL
from hyq_hls.stream.choose.solve import FoldingProblem, Solution
from hyq_hls.stream.circuits import AnyCircuit


@dataclass(frozen=True)
class Fit:
    """A design within a part.

    Attributes:
        solution: foldings, cycles, estimate.
        part: the part.
        share: share of the part that may be used.
        clock_mhz: clock at which frames are counted.
    """

    solution: Solution
    part: Part
    share: float
    clock_mhz: float

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.clock_mhz * 1e6 / self.solution.cycles

    @property
    def binding(self) -> str:
        """The resource of which the design takes the largest share."""
        return binding(self.solution.used, self.part)[0]


def fit(
    graph: Graph,
    circuits: Mapping[str, AnyCircuit],
    part: Part,
    clock_mhz: float,
    *,
    share: float = 1.0,
    target_fps: float | None = None,
    backends: frozenset[str] = RTL,
) -> Fit:
    """Return the fastest design within a share of a part, or the smallest one for a frame rate.

    Args:
        graph: what is built.
        circuits: circuits of all nodes by name.
        part: the part that it is built on.
        clock_mhz: clock at which frames are counted.
        share: share of every resource of the part that may be used, above 0 and at most 1.
        target_fps: frames per second that are wanted; None asks for as many as fit.
        backends: back ends that must fit: "rtl", "hls".

    Raises:
        ConversionError: no folding is that fast, or none fits: the message names resource, nodes
            and the smallest part that would do.
    """
    check_share(share)
    problem = FoldingProblem(graph, circuits, capacity(part), backends)
    budget = {name: share * has for name, has in capacity(part).items()}
    if target_fps is None:
        solution = problem.fastest(budget)
        if solution is None:
            raise _too_large(problem, problem.speeds()[-1], part, share, "the slowest design")
        return Fit(solution, part, share, clock_mhz)
    cycles = cycles_of(target_fps, clock_mhz)
    fastest = problem.speeds()[0]
    if cycles < fastest:
        raise ConversionError(
            f"{target_fps:,g} frames/s at {clock_mhz:g} MHz are {cycles:,} cycles per frame; "
            f"{problem.slowest_node(fastest)} takes {fastest:,} cycles per frame at its fastest "
            f"folding; lower the frame rate to {clock_mhz * 1e6 / fastest:,.0f} or raise the clock"
        )
    solution = problem.smallest(cycles, budget)
    if solution is None:
        raise _too_large(problem, cycles, part, share, f"{target_fps:,g} frames/s")
    return Fit(solution, part, share, clock_mhz)


def cycles_of(target_fps: float, clock_mhz: float) -> int:
    """Return the cycles per frame that a frame rate allows.

    Raises:
        ConversionError: the rate is not positive.
    """
    if not target_fps > 0:
        raise ConversionError(f"target_fps {target_fps}: a positive frame rate is wanted")
    return int(clock_mhz * 1e6 / target_fps)


def _too_large(
    problem: FoldingProblem, cycles: int, part: Part, share: float, what: str
) -> ConversionError:
    smallest = problem.smallest(cycles)
    if smallest is None:
        return ConversionError(f"{what}: no design was found within the time limit of the solver")
    if "rtl" in problem.backends and not fits(smallest.used, part, share):
        return too_large(smallest.used, smallest.nodes, part, share, what)
    nodes = smallest.planned_nodes
    return too_large(smallest.planned, nodes, part, share, f"{LABELS['hls']} of {what}")


def pareto(
    graph: Graph,
    circuits: Mapping[str, AnyCircuit],
    part: Part,
    clock_mhz: float,
    points: int = 12,
) -> list[Fit]:
    """List designs from the slowest to the fastest, each the smallest of its speed.

    They need not fit.

    Args:
        graph: what is built.
        circuits: circuits of all nodes by name.
        part: the part whose resources are the measure of size.
        clock_mhz: clock at which frames are counted.
        points: number of speeds, evenly spaced on a logarithmic scale.
    """
    problem = FoldingProblem(graph, circuits, capacity(part))
    speeds = problem.speeds()
    wanted = np.geomspace(speeds[-1], speeds[0], points)
    steps = sorted({min(speeds, key=lambda s: abs(s - w)) for w in wanted}, reverse=True)
    found = (problem.smallest(cycles) for cycles in steps)
    return [Fit(solution, part, 1.0, clock_mhz) for solution in found if solution]
