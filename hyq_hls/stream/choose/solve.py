"""Folding as an integer program: the smallest design for a speed, the fastest for a part.

Every node takes one of its foldings. For a number of cycles per frame the program is::

    minimize    sum of cost[node, folding] * x[node, folding]
              + sum of cost[edge, lanes written, lanes read] * y[edge, lanes written, lanes read]
    subject to  sum of x over the foldings of a node that are fast enough = 1
                sums of y over lanes read (written) = sums of x over foldings with those lanes
                usage of every resource <= budget, by RTL and by C++ where both count

where the cost is the share of the part that is used, added over its resources. HiGHS solves it
through scipy. The fastest design follows by bisection over the cycles that foldings have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from hyq_hls.graph import Graph
from hyq_hls.machine.budget import RESOURCES
from hyq_hls.stream.choose.backends import RTL
from hyq_hls.stream.choose.options import (
    Edge,
    Option,
    edge_plan,
    edge_utilization,
    edges,
    node_options,
)
from hyq_hls.stream.circuits import AnyCircuit
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.yosys import Utilization

Array = NDArray[np.float64]

#: Relative distance to the best design at which the solver may stop.
GAP = 0.005
#: Seconds after which it takes the best design that it has found.
TIME_LIMIT = 60.0
#: Status of a linear program that has no solution, by scipy.
_INFEASIBLE = 2


@dataclass(frozen=True)
class Solution:
    """A design.

    Attributes:
        foldings: lanes of every node, by name.
        cycles: cycles per frame of its slowest node.
        used: estimate of what it takes; streams are included, forks and AXI4-Stream ports are not.
        nodes: what every node takes of that, by name.
        planned: what its C++ takes by plan.
        planned_nodes: what every node takes of that, by name.
    """

    foldings: Mapping[str, Folding]
    cycles: int
    used: Utilization
    nodes: Mapping[str, Utilization]
    planned: Utilization
    planned_nodes: Mapping[str, Utilization]


class FoldingProblem:
    """The designs of a graph, and the search for the best."""

    def __init__(
        self,
        graph: Graph,
        circuits: Mapping[str, AnyCircuit],
        capacity: Mapping[str, float],
        backends: frozenset[str] = RTL,
    ) -> None:
        """Collect foldings and costs.

        Args:
            graph: what is folded.
            circuits: circuits of all nodes by name.
            capacity: capacity of the part by resource; a unit of cost is all of one resource.
            backends: back ends that a budget limits: "rtl", "hls".
        """
        self.circuits = circuits
        self.capacity = capacity
        self.backends = backends
        self.options = {n: node_options(graph.nodes[n], c) for n, c in circuits.items()}
        self.edges = edges(graph, circuits)

    def speeds(self) -> list[int]:
        """Return the cycles per frame that designs can have, ascending."""
        fastest = max(min(o.cycles for o in options) for options in self.options.values())
        found = {o.cycles for options in self.options.values() for o in options}
        return sorted(c for c in found if c >= fastest)

    def slowest_node(self, cycles: int) -> str:
        """Return a node that takes at least ``cycles`` per frame in every folding."""
        return next(
            n for n, found in self.options.items() if min(o.cycles for o in found) >= cycles
        )

    def smallest(self, cycles: int, budget: Mapping[str, float] | None = None) -> Solution | None:
        """Return the smallest design of at most ``cycles`` per frame within ``budget``, or None.

        Args:
            cycles: cycles per frame.
            budget: most that may be used of every resource; by default there is no limit.
        """
        fast = {
            name: [o for o in options if o.cycles <= cycles]
            for name, options in self.options.items()
        }
        if not all(fast.values()):
            return None
        return _Program(self, fast, budget).solve()

    def fastest(self, budget: Mapping[str, float]) -> Solution | None:
        """Return the fastest design within ``budget``; None when not even the slowest one fits."""
        speeds = self.speeds()
        best = self.smallest(speeds[-1], budget)
        low, high = 0, len(speeds) - 1
        while best and low < high:
            middle = (low + high) // 2
            found = self.smallest(speeds[middle], budget)
            if found is None:
                low = middle + 1
            else:
                best, high = found, middle
        return best

    def read(self, edge: Edge, folding: Folding) -> int:
        """Return the lanes that the reader of ``edge`` takes in ``folding``."""
        return self.circuits[edge.reader].input_lanes(folding)[edge.port]


class _Program:
    """One integer program; its columns are foldings of nodes, then pairs of lanes of edges.

    Attributes:
        nodes: number of nodes, whose equations come first.
        edges: first column of every edge.
    """

    def __init__(
        self,
        problem: FoldingProblem,
        fast: Mapping[str, Sequence[Option]],
        budget: Mapping[str, float] | None,
    ) -> None:
        self.problem, self.budget = problem, budget
        self.choices = [(name, option) for name, options in fast.items() for option in options]
        self.costs = [option.utilization for _, option in self.choices]
        self.plans = [option.planned for _, option in self.choices]
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self.sums: list[float] = []
        columns: dict[str, list[int]] = {}
        for column, (name, _) in enumerate(self.choices):
            columns.setdefault(name, []).append(column)
        for mine in columns.values():
            self._equation(mine, [], 1.0)
        self.nodes = len(self.sums)
        self.edges: list[int] = []
        for edge in problem.edges:
            self.edges.append(len(self.costs))
            self._edge(edge, columns)

    def _edge(self, edge: Edge, columns: Mapping[str, list[int]]) -> None:
        reads: dict[int, list[int]] = {}
        for column in columns[edge.reader]:
            lanes = self.problem.read(edge, self.choices[column][1].folding)
            reads.setdefault(lanes, []).append(column)
        writes: dict[int, list[int]] = {}
        for column in columns[edge.writer] if edge.writer else []:
            writes.setdefault(self.choices[column][1].folding.outputs, []).append(column)
        pairs: dict[tuple[int, int], int] = {}
        # The design's input comes in the words that its first reader wants.
        for written, read in (
            [(w, r) for w in writes for r in reads] if writes else [(r, r) for r in reads]
        ):
            pairs[written, read] = len(self.costs)
            self.costs.append(edge_utilization(edge, written, read))
            self.plans.append(edge_plan(edge, written, read))
        for lanes, mine in reads.items():
            self._equation([c for (_, r), c in pairs.items() if r == lanes], mine, 0.0)
        for lanes, mine in writes.items():
            self._equation([c for (w, _), c in pairs.items() if w == lanes], mine, 0.0)

    def _equation(self, plus: Sequence[int], minus: Sequence[int], total: float) -> None:
        row = len(self.sums)
        self.rows += [row] * (len(plus) + len(minus))
        self.columns += [*plus, *minus]
        self.values += [1.0] * len(plus) + [-1.0] * len(minus)
        self.sums.append(total)

    def solve(self) -> Solution | None:
        capacity, count = self.problem.capacity, len(self.costs)
        shares = {"rtl": self._shares(self.costs), "hls": self._shares(self.plans)}
        equations = coo_array(
            (self.values, (self.rows, self.columns)), shape=(len(self.sums), count)
        )
        constraints = [LinearConstraint(equations.tocsr(), self.sums, self.sums)]
        if self.budget is not None:
            limits = np.array([self.budget[r] / capacity[r] for r in RESOURCES])
            counted = [shares[backend] for backend in sorted(self.problem.backends)]
            if not self._may_fit(counted, limits):
                return None
            constraints += [LinearConstraint(used.T, -np.inf, limits) for used in counted]
        integral = np.zeros(count)
        integral[: len(self.choices)] = 1  # the pairs follow from them
        result = milp(
            shares["rtl"].sum(axis=1),
            integrality=integral,
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": GAP, "time_limit": TIME_LIMIT},
        )
        return None if result.x is None else self._solution(result.x)

    def _may_fit(self, counted: Sequence[Array], limits: Array) -> bool:
        """Return whether a much smaller linear program has a solution.

        It lets every edge take the least of each resource, whatever the foldings, and a node lie
        between its foldings. Every design is a solution of it, so where it has none no design fits;
        the whole program may take a hundred times as long to say so.
        """
        count = len(self.choices)  # Equations of nodes, and their columns, come first.
        entries = self.values[:count], (self.rows[:count], self.columns[:count])
        one_each = coo_array(entries, shape=(self.nodes, count)).tocsr()
        constraints = [LinearConstraint(one_each, 1, 1)]
        for used in counted:
            edges_take = np.minimum.reduceat(used, self.edges).sum(axis=0)
            constraints.append(LinearConstraint(used[:count].T, -np.inf, limits - edges_take))
        result = milp(np.zeros(count), bounds=Bounds(0, 1), constraints=constraints)
        return int(result.status) != _INFEASIBLE

    def _shares(self, costs: Sequence[Utilization]) -> Array:
        """Return the shares of a part's resources that every column takes."""
        usage = [[getattr(c, r) / self.problem.capacity[r] for r in RESOURCES] for c in costs]
        return np.array(usage, dtype=np.float64)

    def _solution(self, x: Array) -> Solution:
        taken = [i for i, value in enumerate(x) if value > 0.5]
        chosen = [self.choices[i] for i in taken if i < len(self.choices)]
        return Solution(
            {name: option.folding for name, option in chosen},
            max(option.cycles for _, option in chosen),
            sum((self.costs[i] for i in taken), Utilization()),
            {name: option.utilization for name, option in chosen},
            sum((self.plans[i] for i in taken), Utilization()),
            {name: option.planned for name, option in chosen},
        )
