"""Ports: how many words of a memory, and of a stream, an iteration moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from verif.intervals.addresses import Address, Sum, address_of, sum_of, variable
from verif.intervals.ir import Constant, Function, Instruction, Module, Symbol, Value
from verif.intervals.loops import Loop

#: A block RAM has two ports. So has a memory of LUTs that is written through one of them.
PORTS = 2


Dimensions = dict[str, list[tuple[int, int]]]


@dataclass
class Directives:
    """What the directives of a function, and of those that hand it arrays, say of its arrays.

    Attributes:
        partitions: pairs of distances in bytes of the dimensions that are split into memories.
        reshapes: pairs of distances in bytes of the dimensions that lie in one word.
        roms: memories with as many ports as they need.
        claims: after how many iterations a memory is read where it was written, at the earliest;
            ``NEVER`` for one that is claimed to be never read there.
    """

    partitions: Dimensions = field(default_factory=dict)
    reshapes: Dimensions = field(default_factory=dict)
    roms: set[str] = field(default_factory=set)
    claims: dict[str, int] = field(default_factory=dict)

    def hand_over(self, name: str, other: Directives, parameter: str) -> None:
        """Tell a function that is called what is known of an argument."""
        for mine, theirs in (
            (self.partitions, other.partitions),
            (self.reshapes, other.reshapes),
        ):
            for pair in mine.get(name, ()):
                if pair not in theirs.setdefault(parameter, []):
                    theirs[parameter].append(pair)
        if name in self.roms:
            other.roms.add(parameter)
        if name in self.claims:
            other.claims.setdefault(parameter, self.claims[name])


#: More iterations than any loop has; ``directives.h`` has the same number.
NEVER = 0x7FFFFFFF


def directives_of(module: Module) -> dict[str, Directives]:
    """Read the directives of all functions about arrays, by the symbol of the function.

    A directive often stands where an array is declared, and the loops in a function that takes it.
    """
    known = {f.symbol: _own_directives(f, module) for f in module.functions}
    bodies = {f.symbol: f for f in module.functions}
    for _ in module.functions:  # from callers to callees, as deep as calls go
        before = repr(known)
        for function in module.functions:
            for call in function.instructions():
                if callee := bodies.get(call.callee):
                    for parameter, value in zip(callee.parameters, call.operands, strict=False):
                        name = address_of(value, module.sizes).memory
                        known[function.symbol].hand_over(
                            name, known[callee.symbol], variable(parameter)
                        )
        if repr(known) == before:
            break
    return known


def _own_directives(function: Function, module: Module) -> Directives:
    result = Directives()
    for call in function.instructions():
        first = call.operands[0] if call.operands else None
        name = module.strings.get(first.name, "") if isinstance(first, Symbol) else ""
        numbers = [o.value for o in call.operands[1:] if isinstance(o, Constant)]
        if call.callee in ("hyq_partition", "hyq_reshape"):
            table = result.partitions if call.callee == "hyq_partition" else result.reshapes
            table.setdefault(name, []).append((numbers[0], numbers[1]))
        elif call.callee == "hyq_rom":
            result.roms.add(name)
        elif call.callee == "hyq_dependence":
            result.claims[name] = numbers[0]
    return result


@dataclass(frozen=True)
class Access:
    """A load or a store.

    Attributes:
        instruction: the instruction.
        address: what it reaches.
    """

    instruction: Instruction
    address: Address

    @property
    def is_store(self) -> bool:
        """Whether it writes."""
        return self.instruction.opcode == "store"


def accesses_of(loop: Loop, module: Module) -> list[Access]:
    """Return the loads and stores of a loop's own blocks."""
    return [
        Access(i, address_of(i.operands[-1], module.sizes))
        for i in loop.instructions()
        if i.opcode in ("load", "store")
    ]


@dataclass(frozen=True)
class _Word:
    """A word of a memory that an iteration moves.

    Attributes:
        part: the part of a split memory, None where it varies.
        constant: bytes from the begin of the part, without the place in the word.
        terms: values and their factors in bytes, which are added.
    """

    part: tuple[int, ...] | None
    constant: int
    terms: frozenset[tuple[Value, int]]

    def across(self, loop: Loop, source: str, target: str) -> _Word:
        """Return the word as it is known before control goes from ``source`` to ``target``."""
        if target not in loop.own_blocks:
            return self
        place = Sum(self.constant)
        for value, factor in self.terms:
            if isinstance(value, Instruction) and (value.opcode, value.block) == ("phi", target):
                place.add(sum_of(value.operands[value.incoming.index(source)]), factor)
            else:
                place.add(Sum(0, {value: 1}), factor)
        return _Word(self.part, place.constant, frozenset(place.terms.items()))


def most_words(loop: Loop, accesses: Sequence[Access], directives: Directives) -> dict[str, int]:
    """Return the most words that one iteration moves, by memory.

    A memory that is split counts as the busiest of its parts.
    """
    by_name: dict[str, list[Access]] = defaultdict(list)
    for access in accesses:
        by_name[access.address.memory].append(access)
    written = {access.address.memory for access in accesses if access.is_store}
    result = {}
    for name, found in by_name.items():
        # An entry of a constant memory at a constant place is a constant.
        group = [access for access in found if name in written or access.address.place.terms]
        words = [(a.instruction.block, _word(a, name, directives)) for a in group]
        banks: set[tuple[int, ...] | None] = {word.part for _, word in words} - {None}
        result[name] = max(
            most_on_a_way(loop, [item for item in words if item[1].part in (bank, None)])
            for bank in banks or {None}
        )
    return result


def _word(access: Access, name: str, directives: Directives) -> _Word:
    """Return the word of a memory, after its directives."""
    constant, terms = access.address.place.constant, dict(access.address.place.terms)
    bank: list[int] | None = []
    for outer, inner in directives.partitions.get(name, ()):
        for value in [v for v, factor in terms.items() if _is_in(v, factor, outer, inner)]:
            del terms[value]
            bank = None
        if bank is not None:
            bank.append(constant % outer // inner)
        constant -= constant % outer // inner * inner
    for outer, inner in directives.reshapes.get(name, ()):
        if bank is not None:
            bank.append(constant % inner)  # a member of a structure has a memory of its own
        for value in [v for v, factor in terms.items() if _is_in(v, factor, outer, inner)]:
            del terms[value]
        constant -= constant % outer // inner * inner
    return _Word(None if bank is None else tuple(bank), constant, frozenset(terms.items()))


def _is_in(value: Value, factor: int, outer: int, inner: int) -> bool:
    """Whether a value with this factor is an index of the dimension, and stays in it."""
    if factor % outer == 0 or factor % inner != 0:
        return False
    if not isinstance(value, Instruction) or value.opcode != "select":
        return True
    choices = [c.value for c in value.operands[1:] if isinstance(c, Constant)]
    return all(0 <= choice * factor < outer for choice in choices)


def most_on_a_way(loop: Loop, items: Iterable[tuple[str, Instruction | _Word]]) -> int:
    """Return the most different items that one way through an iteration meets.

    Ways are followed from their ends. Where two of them met before, each had an address of its
    own, even if clang made one access of both.

    Args:
        loop: the loop.
        items: a block and what it does: a word of a memory, or a call.
    """
    here: dict[str, set[Instruction | _Word]] = defaultdict(set)
    for block, item in items:
        here[block].add(item)
    graph = _without_inner(loop)
    found: dict[str, set[frozenset[Instruction | _Word]]] = {}
    for block in reversed(list(nx.topological_sort(graph))):
        below = {
            frozenset(
                item.across(loop, block, target) if isinstance(item, _Word) else item
                for item in way
            )
            for target in graph.successors(block)
            for way in found[target]
        }
        ways = {way | here.get(block, set()) for way in below or {frozenset()}}
        found[block] = {way for way in ways if not any(way < other for other in ways)}
    return max(len(way) for ways in found.values() for way in ways)


def _without_inner(loop: Loop) -> nx.DiGraph:
    """The blocks of an iteration without the ways back of inner loops."""
    graph = loop.iteration.copy()
    for inner in loop.inner:
        graph.remove_edges_from([(latch, inner.header) for latch in inner.latches])
    return graph


@dataclass(frozen=True)
class Transfers:
    """What an iteration does with a stream.

    Attributes:
        stream: its name.
        bits: width of a word.
        reads: most reads in one iteration.
        writes: most writes in one iteration.
    """

    stream: str
    bits: int
    reads: int
    writes: int


def transfers_of(loop: Loop) -> list[Transfers]:
    """Return what the own blocks of a loop do with streams."""
    calls: Mapping[str, dict[str, list[Instruction]]] = {
        name: defaultdict(list) for name in ("hyq_read", "hyq_write")
    }
    bits = {}
    for callee, streams in calls.items():
        for call in loop.calls(callee):
            stream = address_of(call.operands[0], {}).memory
            streams[stream].append(call)
            width = call.operands[1]
            bits[stream] = width.value if isinstance(width, Constant) else 0
    return [
        Transfers(
            stream,
            width,
            *(
                most_on_a_way(loop, [(c.block, c) for c in calls[callee].get(stream, ())])
                for callee in calls
            ),
        )
        for stream, width in sorted(bits.items())
    ]
