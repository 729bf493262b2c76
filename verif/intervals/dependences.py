"""Dependences between iterations: the longest delay of a cycle of operations per iteration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx

from verif.intervals.addresses import sum_of
from verif.intervals.delays import Delays
from verif.intervals.ir import Constant, Instruction, Value
from verif.intervals.loops import Loop
from verif.intervals.memories import NEVER, Access, Directives
from verif.intervals.widths import Widths


@dataclass(frozen=True)
class Recurrence:
    """A cycle of dependences: every iteration waits for an earlier one.

    Attributes:
        picoseconds: delay of the cycle per iteration.
        path: its operations with their delays in picoseconds, from the one that the next iteration
            begins with.
    """

    picoseconds: Fraction
    path: list[tuple[Instruction, int]]

    @property
    def nanoseconds(self) -> float:
        """The same in nanoseconds."""
        return float(self.picoseconds) / 1000


def counters(loops: Sequence[Loop]) -> dict[Instruction, int]:
    """Return the largest number of every phi that counts to a constant in a loop's own condition.

    Vitis HLS gives such a counter the width that it needs.
    """
    result = {}
    for loop in loops:
        for phi in loop.function.blocks[loop.header]:
            if phi.opcode == "phi" and (last := _last_number(loop, phi)) is not None:
                result[phi] = last
    return result


def _last_number(loop: Loop, phi: Instruction) -> int | None:
    steps = [o for o, block in zip(phi.operands, phi.incoming, strict=True) if block in loop.blocks]
    first = [o for o in phi.operands if o not in steps]
    step = steps[0] if len(steps) == 1 else None
    if not (isinstance(step, Instruction) and step.opcode == "add" and step.operands[0] is phi):
        return None
    if not all(isinstance(value, Constant) and value.value >= 0 for value in first):
        return None
    for block in loop.blocks:
        end = loop.function.blocks[block][-1]
        leaves = any(s not in loop.blocks for s in loop.function.successors[block])
        test = end.operands[0] if leaves and end.operands else None
        if (
            isinstance(test, Instruction)
            and test.opcode == "icmp"
            and test.operands[0] in (phi, step)
        ):
            bound = test.operands[1]
            if isinstance(bound, Constant) and bound.value >= 0:
                return bound.value
    return None


def worst_recurrence(
    loop: Loop,
    accesses: Sequence[Access],
    directives: Directives,
    widths: Widths,
    delays: Delays,
    budget: int,
) -> Recurrence | None:
    """Return the cycle with the longest delay per iteration; None where nothing depends.

    Args:
        loop: an innermost loop.
        accesses: its loads and stores.
        directives: those of its function.
        widths: widths of the values of its function.
        delays: the table.
        budget: picoseconds of a cycle. A memory takes one for the address that it is read at.
    """
    graph = nx.DiGraph()
    inside = set(loop.instructions())
    for instruction in inside:
        is_start = instruction.opcode == "phi" and instruction.block == loop.header
        delay = 0 if is_start else delays.of(instruction, widths)
        graph.add_node(instruction, delay=delay + (budget if instruction.opcode == "load" else 0))
    for source, target, distance in _edges(loop):
        if source in inside:
            _connect(graph, source, target, distance)
    for pair in carried(loop, accesses):
        claim = directives.claims.get(pair.store.address.memory, 1)
        if claim != NEVER:
            distance = max(pair.distance, claim)
            _connect(graph, pair.store.instruction, pair.load.instruction, distance)
    found = [_worst(graph.subgraph(c)) for c in nx.strongly_connected_components(graph)]
    worst = max((f for f in found if f), key=lambda f: f[0], default=None)
    if worst is None:
        return None
    cycle = worst[1]
    start = next(
        (i for i, x in enumerate(cycle) if x.block == loop.header and x.opcode == "phi"), 0
    )
    path = [(x, graph.nodes[x]["delay"]) for x in (*cycle[start:], *cycle[:start])]
    return Recurrence(worst[0], path)


def _edges(loop: Loop) -> Iterator[tuple[Instruction, Instruction, int]]:
    """Yield what an operation waits for, and how many iterations before."""
    for target in loop.instructions():
        if target.opcode == "phi":
            starts = target.block == loop.header
            for operand, block in zip(target.operands, target.incoming, strict=True):
                if isinstance(operand, Instruction) and (not starts or block in loop.blocks):
                    yield operand, target, int(starts)
            if not starts:
                for condition in loop.conditions(target.block):
                    yield condition, target, 0
        else:
            for operand in target.operands:
                if isinstance(operand, Instruction):
                    yield operand, target, 0


def _connect(graph: nx.DiGraph, source: Instruction, target: Instruction, distance: int) -> None:
    if graph.has_edge(source, target):
        distance = min(distance, graph.edges[source, target]["distance"])
    graph.add_edge(source, target, distance=distance)


@dataclass(frozen=True)
class Carried:
    """A load of a word that an earlier iteration stored.

    Attributes:
        store: the store.
        load: the load.
        distance: after how many iterations it loads; 1 where that is unknown.
        is_known: whether the addresses tell the distance.
    """

    store: Access
    load: Access
    distance: int
    is_known: bool


def carried(loop: Loop, accesses: Sequence[Access]) -> Iterator[Carried]:
    """Yield the loads that may meet a word of an earlier iteration."""
    for store in accesses:
        for load in accesses:
            if store.is_store and not load.is_store and store.address.memory == load.address.memory:
                stride = _stride(loop, store, load)
                if stride is None:
                    yield Carried(store, load, 1, is_known=False)
                elif distance := _distance(loop, store, load, stride):
                    yield Carried(store, load, distance, is_known=True)


def _stride(loop: Loop, store: Access, load: Access) -> int | None:
    """Return by how many bytes both addresses grow in an iteration; None where that is unknown."""
    if store.address.place.terms != load.address.place.terms:
        return None
    stride = 0
    for value, factor in store.address.place.terms.items():
        step = _step(loop, value)
        if step is None:
            return None
        stride += step * factor
    return stride


def _distance(loop: Loop, store: Access, load: Access, stride: int) -> int:
    """Return after how many iterations ``load`` reads what ``store`` wrote; 0 for never.

    When the loop begins again, as inner loops do, it meets the words of its last run.
    """
    offset = store.address.place.constant - load.address.place.constant
    if stride == 0:
        return int(offset == 0)
    distance, rest = divmod(offset, stride)
    if distance <= 0:
        runs = [n for phi, n in counters([loop]).items() if phi in store.address.place.terms]
        distance = runs[0] + distance if runs else 0
    return max(0, distance) if rest == 0 else 0


def _step(loop: Loop, value: Value) -> int | None:
    """Return by how much a value grows in an iteration; None where that is unknown."""
    if not isinstance(value, Instruction) or value.block not in loop.blocks:
        return 0
    if value.opcode != "phi" or value.block != loop.header:
        return None
    steps = [
        sum_of(o) for o, b in zip(value.operands, value.incoming, strict=True) if b in loop.blocks
    ]
    known = len(steps) == 1 and steps[0].terms == {value: 1}
    return steps[0].constant if known else None


def _worst(graph: nx.DiGraph) -> tuple[Fraction, list[Instruction]] | None:
    """Return the cycle of a strongly connected graph with the largest delay per distance.

    A cycle with a larger ratio than the best one so far has a positive sum when every distance
    costs that ratio.
    """
    ratio, best = Fraction(-1), None
    while cycle := _positive_cycle(graph, ratio):
        edges = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        distance = sum(graph.edges[edge]["distance"] for edge in edges)
        ratio = Fraction(sum(graph.nodes[node]["delay"] for node in cycle), distance)
        best = ratio, cycle
    return best


def _positive_cycle(graph: nx.DiGraph, ratio: Fraction) -> list[Instruction] | None:
    """Return a cycle whose delays exceed its distances times ``ratio`` (Bellman and Ford)."""
    gains = [
        (u, v, graph.nodes[u]["delay"] * ratio.denominator - ratio.numerator * edge["distance"])
        for u, v, edge in graph.edges(data=True)
    ]
    total: dict[Instruction, int] = dict.fromkeys(graph, 0)
    before: dict[Instruction, Instruction] = {}
    last = None
    for _ in range(len(graph)):
        last = None
        for u, v, gain in gains:
            if total[u] + gain > total[v]:
                total[v], before[v], last = total[u] + gain, u, v
        if last is None:
            return None
    if last is None:
        return None
    for _ in range(len(graph)):  # from anywhere behind a cycle into it
        last = before[last]
    cycle = [last]
    while (previous := before[cycle[-1]]) is not last:
        cycle.append(previous)
    return cycle[::-1]
