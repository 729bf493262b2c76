"""Loops of a function, their directives, and the flow of control inside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx

from verif.intervals.ir import Constant, Function, Instruction, Place

#: A node behind all ends of an iteration.
_END = "(end)"


@dataclass(eq=False)
class Loop:
    """A natural loop.

    Attributes:
        function: the function that it is in.
        header: the block that every iteration begins with.
        blocks: names of its blocks, those of inner loops too.
        latches: the blocks that branch back to the header.
        inner: the loops directly inside it.
    """

    function: Function
    header: str
    blocks: set[str]
    latches: list[str]
    inner: list[Loop] = field(default_factory=list)

    @cached_property
    def own_blocks(self) -> list[str]:
        """Return the blocks that are in no inner loop."""
        inside = {block for loop in self.inner for block in loop.blocks}
        return [b for b in self.function.blocks if b in self.blocks and b not in inside]

    def instructions(self) -> Iterator[Instruction]:
        """Yield the instructions of its own blocks."""
        for block in self.own_blocks:
            yield from self.function.blocks[block]

    def calls(self, callee: str) -> list[Instruction]:
        """Return its own calls of a function."""
        return [i for i in self.instructions() if i.callee == callee]

    @cached_property
    def interval(self) -> int | None:
        """The cycles between iterations that the directive asks for; None without a directive."""
        wanted = [c.operands[0] for c in self.calls("hyq_pipeline")]
        return min((v.value for v in wanted if isinstance(v, Constant)), default=None)

    @cached_property
    def place(self) -> Place | None:
        """The line of its directive, or that of the loop itself."""
        marked = [c.place for c in self.calls("hyq_pipeline")]
        return next(iter([*marked, *map(self.function.loop_places.get, self.latches)]), None)

    @cached_property
    def iteration(self) -> nx.DiGraph:
        """The blocks of one iteration, without the way back and the ways out."""
        graph = nx.DiGraph()
        for block in (b for b in self.function.blocks if b in self.blocks):
            graph.add_node(block)
            for target in self.function.successors[block]:
                stays = target in self.blocks and target != self.header
                graph.add_edge(block, target if stays else _END)
        return graph

    @cached_property
    def dominators(self) -> dict[str, str]:
        """The closest block that every way to a block passes, from the header on."""
        return dict(nx.immediate_dominators(self.iteration, self.header))

    @cached_property
    def post_dominators(self) -> dict[str, str]:
        """The closest block that every way from a block passes, to the end of the iteration."""
        return dict(nx.immediate_dominators(self.iteration.reverse(), _END))

    def conditions(self, block: str) -> Iterator[Instruction]:
        """Yield the conditions that decide by which branch control comes to ``block``.

        These select the values of its phis. A branch whose ways meet again before ``block`` decides
        nothing there.
        """
        above = self.dominators[block]
        region = nx.ancestors(self.iteration, block) & (
            nx.descendants(self.iteration, above) | {above}
        )
        for other in region:
            branch = self.function.blocks[other][-1]
            meets = self.post_dominators.get(other)
            if len(self.function.successors[other]) < 2 or meets in region - {block}:
                continue
            condition = branch.operands[0]
            if isinstance(condition, Instruction):
                yield condition


def find_loops(function: Function) -> list[Loop]:
    """Return all loops of a function, outer ones before inner ones."""
    graph = nx.DiGraph()
    graph.add_node(function.entry)
    graph.add_edges_from((b, s) for b, targets in function.successors.items() for s in targets)
    above = nx.immediate_dominators(graph, function.entry)
    loops: dict[str, Loop] = {}
    for block in nx.descendants(graph, function.entry) | {function.entry}:
        for target in graph.successors(block):
            if _dominates(above, function.entry, target, block):
                loop = loops.setdefault(target, Loop(function, target, {target}, []))
                loop.latches.append(block)
                loop.blocks |= _body(graph, target, block)
    ordered = sorted(loops.values(), key=lambda loop: -len(loop.blocks))
    for i, loop in enumerate(ordered):
        for outer in reversed(ordered[:i]):
            if loop.header in outer.blocks:
                outer.inner.append(loop)
                break
    return ordered


def _dominates(above: dict[str, str], entry: str, target: str, block: str) -> bool:
    while block not in (target, entry):
        block = above[block]
    return block == target


def _body(graph: nx.DiGraph, header: str, latch: str) -> set[str]:
    body, work = {header}, [latch]
    while work:
        block = work.pop()
        if block not in body:
            body.add(block)
            work += graph.predecessors(block)
    return body
