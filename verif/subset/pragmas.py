"""``#pragma HLS`` lines: documented ones, in their places, about things that exist.

libclang drops unknown pragmas. So they are read from the preprocessor, which has expanded the
macros that make pragmas, and placed by the extents of the functions and statements around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from clang.cindex import Cursor, CursorKind

from verif.subset.finding import Findings
from verif.subset.pragma_table import ANYWHERE, FUNCTION, LOOP, NAME, NUMBER, PRAGMAS, Pragma
from verif.subset.unit import FUNCTIONS, Unit, body, resolved, walk

_K = CursorKind
_LOOPS = frozenset({_K.FOR_STMT, _K.WHILE_STMT, _K.DO_STMT, _K.CXX_FOR_RANGE_STMT})
_PARAMETERS = frozenset(
    {_K.TEMPLATE_TYPE_PARAMETER, _K.TEMPLATE_NON_TYPE_PARAMETER, _K.TEMPLATE_TEMPLATE_PARAMETER}
)
_NAMED = _PARAMETERS | {_K.PARM_DECL, _K.VAR_DECL, _K.FIELD_DECL, _K.TYPEDEF_DECL}
_VARIABLES = frozenset({_K.PARM_DECL, _K.VAR_DECL, _K.FIELD_DECL})
_SMALLEST = {"dim": 0, "min": 0, "latency": 0}


@dataclass(frozen=True)
class Line:
    """One ``#pragma``, written as such or by a macro.

    Attributes:
        file: where it stands.
        line: number of the line.
        offset: of the first token of that line, in bytes from the start of the file.
        first: that token; a macro is known by its upper case.
        words: of the pragma, without ``#pragma``.
    """

    file: Path
    line: int
    offset: int
    first: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """``PIPELINE`` of ``#pragma HLS PIPELINE II=1``; empty when there is none."""
        return self.words[1].upper() if len(self.words) > 1 else ""

    @property
    def options(self) -> dict[str, str]:
        """``{"ii": "1"}`` of ``#pragma HLS PIPELINE II=1``; a bare word has an empty value."""
        pairs = (word.partition("=") for word in self.words[2:])
        return {key.lower(): value for key, _, value in pairs}

    @property
    def text(self) -> str:
        """The pragma, macros expanded."""
        return f"#pragma {' '.join(self.words)}"


@dataclass(frozen=True)
class Place:
    """Where a pragma stands: its function, the statement its block belongs to, visible names."""

    function: Cursor
    owner: Cursor
    names: dict[str, Cursor]


def lines_of(unit: Unit) -> list[Line]:
    """The pragmas of our files, with those that macros make."""
    lines = []
    starts: dict[Path, dict[int, tuple[int, str]]] = {}
    for file, number, text in unit.pragmas:
        if file not in starts:
            starts[file] = {}
            for offset, line, token in unit.tokens(file):
                starts[file].setdefault(line, (offset, token))
        offset, first = starts[file][number]
        words = re.sub(r"\s*(=|::|<|>|,)\s*", r"\1", text).split()
        lines.append(Line(file, number, offset, first, tuple(words)))
    return lines


class Pragmas:
    """Checks the pragmas of all our files.

    Args:
        unit: the parsed C++.
        top: the top function, where there is one.
        findings: receives what is wrong.
    """

    def __init__(self, unit: Unit, top: Cursor | None, findings: Findings) -> None:
        self._top, self._findings = top, findings
        self._globals = {c.spelling: c for c, inside in unit.declarations if not inside}
        self._functions: dict[Path, list[tuple[Cursor, list[Cursor]]]] = {}
        for cursor, records in unit.declarations:
            if cursor.kind in FUNCTIONS and body(cursor) is not None:
                file = resolved(cursor.location.file.name)
                self._functions.setdefault(file, []).append((cursor, records))
        self.lines = lines_of(unit)

    def check(self) -> None:
        """Check every pragma."""
        for line in self.lines:
            if not re.fullmatch(r"#|[A-Z][A-Z0-9_]*", line.first):
                found = f"{line.text} behind {line.first}"
                self._add(line, found, "#pragma, or a macro for it, at the start of a line")
                continue
            if line.words[:1] != ("HLS",):
                self._add(line, line.text, "#pragma HLS")
                continue
            pragma = PRAGMAS.get(line.name)
            if pragma is None:
                self._add(line, line.text, f"one of {', '.join(PRAGMAS)}")
                continue
            place = self.place(line)
            if place is None:
                self._add(line, f"{line.text} outside of a function", "it inside a function body")
                continue
            self._check_scope(line, pragma.scope, place)
            for option in pragma.required:
                if option not in line.options:
                    self._add(line, f"{line.text} without {option}=", f"{option}=")
            for option, value in line.options.items():
                self._check_option(line, pragma, option, value, place)
            self._check_factor(line)

    def within(self, function: Cursor) -> list[Line]:
        """The pragmas inside a function, instantiated or not."""
        start, end = function.extent.start, function.extent.end
        file = resolved(function.location.file.name)
        return [p for p in self.lines if p.file == file and start.offset <= p.offset < end.offset]

    def place(self, line: Line) -> Place | None:
        """Where ``line`` stands; None outside of function bodies."""
        for function, records in self._functions.get(line.file, []):
            block = body(function)
            if block is not None and _contains(block, line):
                names = dict(self._globals)
                for record in records:
                    names |= {c.spelling: c for c in record.get_children() if c.kind in _NAMED}
                names |= {c.spelling: c for c in function.get_children() if c.kind in _NAMED}
                return Place(function, _owner(function, block, line, names), names)
        return None

    def _check_scope(self, line: Line, scope: str, place: Place) -> None:
        in_loop, in_function = place.owner.kind in _LOOPS, place.owner == place.function
        if line.name == "INTERFACE" and (self._top is None or place.function != self._top):
            self._add(line, f"{line.text} in {place.function.spelling}()", "it in the top function")
        fits = {LOOP: in_loop, FUNCTION: in_function, ANYWHERE: True}
        if not fits.get(scope, in_loop or in_function):
            found = f"{line.text}, which is not directly in the body of a {scope}"
            self._add(line, found, f"it directly in the body of a {scope}")

    def _check_option(
        self, line: Line, pragma: Pragma, option: str, value: str, place: Place
    ) -> None:
        wanted = pragma.options.get(option)
        if not value and option in pragma.positional:
            return
        if not value or wanted is None:
            known = [f"{name}=" for name in pragma.options] + sorted(pragma.positional)
            self._add(line, f"{line.text} with {option}", f"options {', '.join(known)}")
        elif wanted == NAME:
            self._check_name(line, option, value, place)
        elif wanted == NUMBER:
            self._check_number(line, option, value, place)
        elif value.lower() not in wanted:
            self._add(line, f"{line.text} with {option}={value}", f"one of {', '.join(wanted)}")

    def _check_name(self, line: Line, option: str, value: str, place: Place) -> None:
        if option == "port":
            ports = {c.spelling for c in place.function.get_arguments()} | {"return"}
            if value not in ports:
                self._add(line, f"{line.text} of no port", f"one of {', '.join(sorted(ports))}")
            return
        variable = place.names.get(value.removeprefix("this->"))
        if variable is None or variable.kind not in _VARIABLES:
            wanted = f"a variable of {place.function.spelling}() that is declared before"
            self._add(line, f"{line.text} of no visible variable", wanted)
        elif line.name.startswith("ARRAY") and "ARRAY" not in variable.type.kind.name:
            found = f"{line.text}, {value} being a {variable.type.spelling}"
            self._add(line, found, "an array")
        elif line.name == "STREAM" and "stream<" not in variable.type.spelling:
            found = f"{line.text}, {value} being a {variable.type.spelling}"
            self._add(line, found, "an hls::stream")

    def _check_number(self, line: Line, option: str, value: str, place: Place) -> None:
        first = re.match(r"[A-Za-z_]\w*", value)
        if first is not None:
            if first[0] not in place.names:
                wanted = f"{option}= a number or a constant that is visible"
                self._add(line, f"{line.text} with the unknown {first[0]}", wanted)
        elif not value.isdigit() or int(value) < _SMALLEST.get(option, 1):
            wanted = f"{option}= a number from {_SMALLEST.get(option, 1)} on"
            self._add(line, f"{line.text} with {option}={value}", wanted)

    def _check_factor(self, line: Line) -> None:
        kinds = {line.options.get("type", "").lower(), *line.options}
        split = line.name.startswith("ARRAY") and kinds & {"cyclic", "block"}
        if split and "factor" not in line.options:
            self._add(line, f"{line.text} without factor=", "factor=")

    def _add(self, line: Line, found: str, wanted: str) -> None:
        self._findings.add((line.file, line.line), "pragma", found, wanted)


def _contains(cursor: Cursor, line: Line) -> bool:
    extent = cursor.extent
    return bool(extent.start.offset <= line.offset < extent.end.offset)


def _owner(function: Cursor, block: Cursor, line: Line, names: dict[str, Cursor]) -> Cursor:
    """The statement whose block holds ``line``; adds the variables that are visible there."""
    owner = function
    descending = True
    while descending:
        descending = False
        for child in block.get_children():
            if child.extent.start.offset > line.offset:
                break
            if child.kind == _K.DECL_STMT:
                names.update((c.spelling, c) for c in child.get_children() if c.kind in _NAMED)
            for inner, parent in walk(child):
                if inner.kind == _K.COMPOUND_STMT and _contains(inner, line):
                    owner, block, descending = parent or child, inner, True
                    break
    return owner
