"""LUTs and flip-flops of the functions of a C++ file, from LLVM IR.

Counted are operators, pipeline registers and counters. Not counted are memories and FIFOs, which
follow from rules (``hyq_hls/stream/cost/plan.py``), and the control of a process, which only the
HLS compiler knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from verif.area.operators import operators
from verif.area.pipeline import Pipeline
from verif.area.values import Values
from verif.intervals.dependences import counters
from verif.intervals.ir import Function, Instruction, Module
from verif.intervals.loops import Loop, find_loops
from verif.intervals.widths import Widths


@dataclass(frozen=True)
class Area:
    """What a function takes, with the functions that it calls.

    Attributes:
        lut: look-up tables.
        ff: flip-flops.
    """

    lut: float
    ff: float

    def __add__(self, other: Area) -> Area:
        """Add two functions that stand side by side."""
        return Area(self.lut + other.lut, self.ff + other.ff)


def areas(module: Module, mhz: float) -> dict[str, Area]:
    """Return the area of every function by its symbol; each call is a circuit of its own.

    Args:
        module: a C++ file as LLVM IR.
        mhz: the clock that the pipelines are made for.
    """
    bodies = {function.symbol: function for function in module.functions}
    own = {symbol: _own_area(function, module, mhz) for symbol, function in bodies.items()}

    def whole(symbol: str) -> Area:
        calls = (i.callee for i in bodies[symbol].instructions() if i.opcode == "call")
        return sum((whole(callee) for callee in calls if callee in bodies), own[symbol])

    return {symbol: whole(symbol) for symbol in bodies}


def _own_area(function: Function, module: Module, mhz: float) -> Area:
    loops = find_loops(function)
    widths = Widths(function.instructions(), counters(loops))
    values = Values(_in_order(function), module)
    states = {loop: _states(loop) for loop in loops}
    known = {phi for found in states.values() for phi in found}
    lut = sum(operators().of(i, widths, values) for i in function.instructions() if i not in known)
    area = Area(lut, 0)
    for loop in loops:
        if loop.interval is None:
            # A state that an inner loop begins with is a register of that loop.
            handed = {o for inner in loop.inner for phi in states[inner] for o in phi.operands}
            own = [phi for phi in states[loop] if phi not in handed]
            area += Area(0, sum(widths.result(phi) for phi in own))
        else:
            pipeline = Pipeline(loop, widths, values, mhz)
            area += Area(pipeline.lut, pipeline.ff)
    return area


def _states(loop: Loop) -> list[Instruction]:
    """Return what an iteration hands to the next one."""
    return [phi for phi in loop.function.blocks[loop.header] if phi.opcode == "phi"]


def _in_order(function: Function) -> Iterator[Instruction]:
    """Yield all instructions, operands first where no loop makes that impossible."""
    graph = nx.DiGraph((b, s) for b, targets in function.successors.items() for s in targets)
    graph.add_node(function.entry)
    for block in reversed(list(nx.dfs_postorder_nodes(graph, function.entry))):
        yield from function.blocks[block]
