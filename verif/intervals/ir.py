"""LLVM IR as plain values: functions, blocks, instructions, and where they stand in the C++.

llvmlite parses the text. It has no access to comparison predicates, types in addresses and source
lines; these are read from the printed form of the instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import llvmlite.binding as llvm
import networkx as nx

_LOCATION = re.compile(
    r"^!(\d+) = (?:distinct )?!DILocation\(line: (\d+)(?:, column: \d+)?, scope: !(\d+)"
    r"(?:, inlinedAt: !(\d+))?",
    re.M,
)
_SCOPE = re.compile(r"^!(\d+) = (?:distinct )?!DI\w+\(.*?\bfile: !(\d+)", re.M)
_SUBPROGRAM = re.compile(r'^!(\d+) = distinct !DISubprogram\(name: "([^"]*)"', re.M)
_FILE = re.compile(r'^!(\d+) = !DIFile\(filename: "([^"]*)"', re.M)
_LOOP = re.compile(r"^!(\d+) = distinct !\{!\d+, !(\d+), !\d+", re.M)


@dataclass(frozen=True)
class Place:
    """A line of the C++.

    Attributes:
        file: path below the firmware folder.
        line: from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Constant:
    """An integer constant.

    Attributes:
        value: the number, with its sign.
    """

    value: int


@dataclass(frozen=True)
class Symbol:
    """An argument, a global variable or something else that is no instruction.

    Attributes:
        name: its name, or its text where it has none.
        width: bits of an integer, otherwise 0.
    """

    name: str
    width: int = 0


#: A value that nothing was assigned to.
UNDEFINED = Symbol("undefined")


@dataclass(eq=False)
class Instruction:
    """One instruction.

    Attributes:
        name: name of its result, which is that of a variable where LLVM remembers one; or "".
        opcode: LLVM's name, such as ``add``.
        width: bits of an integer result, otherwise 0.
        block: the block that it stands in.
        text: as LLVM prints it, without metadata.
        place: its line of the C++, if it is known.
        operands: values, without the blocks of a branch.
        incoming: blocks that the operands of a phi come from.
    """

    name: str
    opcode: str
    width: int
    block: str
    text: str
    place: Place | None
    operands: list[Value] = field(default_factory=list)
    incoming: list[str] = field(default_factory=list)

    @property
    def callee(self) -> str:
        """Name of the function that a call calls."""
        last = self.operands[-1] if self.operands else None
        return last.name if self.opcode == "call" and isinstance(last, Symbol) else ""

    def __repr__(self) -> str:
        return f"<{self.text}>"


Value = Instruction | Constant | Symbol


@dataclass
class Function:
    """A function with a body.

    Attributes:
        symbol: its name for the linker, by which it is called.
        name: its name in the C++ with its template arguments.
        place: the file that defines it.
        parameters: names of its parameters.
        entry: name of its first block.
        blocks: instructions by block, in order.
        successors: the blocks that a block branches to.
        loop_places: the line at which a loop begins, by the block that branches back.
    """

    symbol: str
    name: str
    place: Place | None
    parameters: list[str] = field(default_factory=list)
    entry: str = ""
    blocks: dict[str, list[Instruction]] = field(default_factory=dict)
    successors: dict[str, list[str]] = field(default_factory=dict)
    loop_places: dict[str, Place] = field(default_factory=dict)

    def instructions(self) -> Iterator[Instruction]:
        """Yield all instructions in order."""
        for block in self.blocks.values():
            yield from block

    def in_order(self) -> Iterator[Instruction]:
        """Yield all instructions, operands first where no loop makes that impossible."""
        graph = nx.DiGraph((b, s) for b, targets in self.successors.items() for s in targets)
        graph.add_node(self.entry)
        for block in reversed(list(nx.dfs_postorder_nodes(graph, self.entry))):
            yield from self.blocks[block]


@dataclass
class Module:
    """What a C++ file became.

    Attributes:
        functions: those with a body.
        strings: constant strings by the name of their global variable.
        sizes: bytes of named structures.
    """

    functions: list[Function]
    strings: dict[str, str]
    sizes: dict[str, int]


def parse(text: str) -> Module:
    """Parse LLVM IR.

    Raises:
        RuntimeError: llvmlite cannot read it, for example because clang is newer than its LLVM.
    """
    module = llvm.parse_assembly(text)
    layout = llvm.create_target_data(module.data_layout)
    places = _Places(text)
    strings = {
        name: content
        for name, content in re.findall(
            r'^@(\S+) = .*constant \[\d+ x i8\] c"(.*?)\\00"', text, re.M
        )
    }
    sizes = {t.name: layout.get_abi_size(t) for t in module.struct_types}
    functions = [_function(f, places) for f in module.functions if not f.is_declaration]
    return Module(functions, strings, sizes)


class _Places:
    """Lines of the C++ by the number of LLVM's metadata."""

    def __init__(self, text: str) -> None:
        files = dict(_FILE.findall(text))
        self._scopes = {n: files.get(f, "?") for n, f in _SCOPE.findall(text)}
        self._lines = {n: (scope, int(line), at) for n, line, scope, at in _LOCATION.findall(text)}
        self._loops = dict(_LOOP.findall(text))
        self._names = dict(_SUBPROGRAM.findall(text))

    def place(self, number: str) -> Place | None:
        """The place of a ``DILocation``; of an operator of ap_int, the place that uses it."""
        while number in self._lines:
            scope, line, at = self._lines[number]
            file = self._scopes.get(scope, "")
            if line and file and not file.startswith("/"):
                return Place(file.removeprefix("./"), line)
            number = at
        return None

    def of(self, text: str) -> Place | None:
        """The place that an instruction names."""
        found = re.search(r"!dbg !(\d+)", text)
        return self.place(found[1]) if found else None

    def of_loop(self, text: str) -> Place | None:
        """The place of the loop that a branch closes."""
        found = re.search(r"!llvm\.loop !(\d+)", text)
        return self.place(self._loops[found[1]]) if found and found[1] in self._loops else None

    def function(self, head: str) -> tuple[str, Place | None]:
        """Name and file of a function by the line that defines it."""
        found = re.search(r"!dbg !(\d+)", head)
        if not found or found[1] not in self._names:
            return "", None
        return self._names[found[1]], Place(self._scopes.get(found[1], "?").removeprefix("./"), 0)


def _function(source: Any, places: _Places) -> Function:
    lines = str(source).splitlines()
    head = next(line for line in lines if line.startswith("define"))
    name, place = places.function(head)
    function = Function(source.name, name or source.name, place, [a.name for a in source.arguments])
    # An instruction has two spaces before it; what continues it (cases of a switch) has more.
    printed = [line[2:] for line in lines if re.match(r"  [^ #\]]", line)]
    known: dict[Any, Instruction] = {}
    work: list[tuple[Instruction, Any]] = []
    for block in source.blocks:
        label = block.name
        function.entry = function.entry or label
        function.blocks[label] = []
        for item in block.instructions:
            text = printed.pop(0)
            made = Instruction(
                item.name,
                item.opcode,
                _bits(item.type),
                label,
                text.split(", !")[0],
                places.of(text),
            )
            if loop := places.of_loop(text):
                function.loop_places[label] = loop
            known[item] = made
            work.append((made, item))
            function.blocks[label].append(made)
        function.successors[label] = [
            o.name for o in item.operands if o.value_kind == llvm.ValueKind.basic_block
        ]
    for made, item in work:
        made.operands = [
            _operand(o, known) for o in item.operands if o.value_kind != llvm.ValueKind.basic_block
        ]
        if made.opcode == "phi":
            made.incoming = [b.name for b in item.incoming_blocks]
    return function


def _operand(source: Any, known: dict[Any, Instruction]) -> Value:
    if source in known:
        return known[source]
    width = _bits(source.type)
    if source.value_kind == llvm.ValueKind.constant_int and width <= 64:
        value = int(source.get_constant_value()) & ((1 << width) - 1)
        return Constant(value - (1 << width) if width > 1 and value >> (width - 1) else value)
    if source.value_kind in (llvm.ValueKind.undef_value, llvm.ValueKind.poison_value):
        return UNDEFINED
    return Symbol(source.name or str(source), width)


def _bits(kind: Any) -> int:
    found = re.fullmatch(r"i(\d+)", str(kind))
    return int(found[1]) if found else 0
