"""A parsed C++ translation unit, and which of its cursors are ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from clang.cindex import Cursor, CursorKind, Diagnostic, Index

#: A file that exists only in memory and includes what is checked.
_MAIN = "vitis_subset_main.cpp"
#: The vendor's types refuse __SYNTHESIS__ in their open version, so it is defined after them.
PROLOGUE = '#include "ap_int.h"\n#include "hls_stream.h"\n#define __SYNTHESIS__ 1\n'
FUNCTIONS = frozenset(
    {
        CursorKind.FUNCTION_DECL,
        CursorKind.FUNCTION_TEMPLATE,
        CursorKind.CXX_METHOD,
        CursorKind.CONSTRUCTOR,
        CursorKind.DESTRUCTOR,
        CursorKind.CONVERSION_FUNCTION,
    }
)
RECORDS = frozenset(
    {
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
        CursorKind.UNION_DECL,
        CursorKind.CLASS_TEMPLATE,
        CursorKind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION,
    }
)
_TEMPLATES = frozenset(
    {
        CursorKind.FUNCTION_TEMPLATE,
        CursorKind.CLASS_TEMPLATE,
        CursorKind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION,
    }
)
#: ``# 7 "file.h" 1``: the next line of preprocessed text is line 7 of the file.
_LINE_MARKER = re.compile(r'#(?:line)? (\d+) "([^"]*)"')
_PRAGMA = re.compile(r"\s*#\s*pragma\b(.*)")
_SCOPES = RECORDS | {CursorKind.NAMESPACE, CursorKind.LINKAGE_SPEC, CursorKind.UNEXPOSED_DECL}


class ParseError(Exception):
    """The C++ does not compile, or nothing was there to parse."""


class Unit:
    """Parse ``sources`` as Vitis HLS would: C++14 with ``__SYNTHESIS__``.

    Args:
        sources: files to include, in order.
        include: include folders, first wins.
        ours: files below these folders are checked.
        vendor: files below these folders are the vendor's types, even inside ``ours``.
        prologue: C++ before all sources; by default that of Vitis HLS.

    Raises:
        ParseError: the first error of the compiler.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        include: Sequence[Path],
        ours: Sequence[Path],
        vendor: Sequence[Path],
        prologue: str = PROLOGUE,
    ) -> None:
        self._ours = [p.resolve() for p in ours]
        self._vendor = [p.resolve() for p in vendor]
        self._kinds: dict[str, str] = {}
        text = prologue + "".join(f'#include "{p.resolve()}"\n' for p in sources)
        arguments = ["-x", "c++", "-std=c++14", "-nostdinc", *(f"-I{p}" for p in include)]
        for folder in system_includes():
            arguments += ["-isystem", folder]
        self._text, self._include = text, include
        self._unit = Index.create().parse(_MAIN, arguments, [(_MAIN, text)])
        for message in self._unit.diagnostics:
            if message.severity >= Diagnostic.Error:
                raise ParseError(
                    f"{message.location.file}:{message.location.line}: {message.spelling}"
                )

    def is_ours(self, cursor: Cursor) -> bool:
        """Whether the file of ``cursor`` is to be checked."""
        return self._kind(cursor) == "ours"

    def is_vendor(self, cursor: Cursor) -> bool:
        """Whether ``cursor`` stands in the vendor's types (``ap_int``, ``hls::stream``)."""
        return self._kind(cursor) == "vendor"

    def _kind(self, cursor: Cursor) -> str:
        file = cursor.location.file
        return self._kind_of("" if file is None else file.name)

    def _kind_of(self, name: str) -> str:
        if name not in self._kinds:
            path, kind = resolved(name), ""
            for known, folders in (("ours", self._ours), ("vendor", self._vendor)):
                if name and any(path.is_relative_to(folder) for folder in folders):
                    kind = known
            self._kinds[name] = kind
        return self._kinds[name]

    @cached_property
    def declarations(self) -> list[tuple[Cursor, list[Cursor]]]:
        """Our functions, records and variables, each with the records it stands in."""
        ours = filter(self.is_ours, self._unit.cursor.get_children())
        return [pair for cursor in ours for pair in _declarations(cursor, [])]

    def function(self, name: str) -> Cursor | None:
        """Our function ``name`` at file scope, where it has a body."""
        for cursor in self._unit.cursor.get_children():
            if cursor.spelling == name and cursor.is_definition() and self.is_ours(cursor):
                return cursor
        return None

    def files(self) -> list[Path]:
        """Our files that were included."""
        names = [i.include.name for i in self._unit.get_includes()]
        return sorted({resolved(name) for name in names if self._kind_of(name) == "ours"})

    @cached_property
    def pragmas(self) -> list[tuple[Path, int, str]]:
        """File, line and text of the pragmas of our files, behind the preprocessor.

        A pragma that a macro makes (``_Pragma``) stands at the line where the macro is used. The
        text has neither ``#pragma`` nor comments.

        Raises:
            ParseError: the preprocessor refuses the sources.
        """
        command = [_compiler(), "-E", "-x", "c++", "-std=c++14", *(f"-I{p}" for p in self._include)]
        result = subprocess.run(
            [*command, "-"], input=self._text, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise ParseError(result.stderr.strip())
        found, file, line = [], "", 0
        for text in result.stdout.splitlines():
            if marker := _LINE_MARKER.match(text):
                file, line = marker[2], int(marker[1])
                continue
            if self._kind_of(file) == "ours" and (pragma := _PRAGMA.match(text)):
                found.append((resolved(file), line, pragma[1].strip()))
            line += 1
        return found

    def tokens(self, file: Path) -> Iterator[tuple[int, int, str]]:
        """Offset, line and spelling of the tokens of a file, without comments."""
        source = self._unit.get_file(str(file))
        size = file.stat().st_size
        extent = self._unit.get_extent(source.name, (0, size))
        for token in self._unit.get_tokens(extent=extent):
            if token.kind.name != "COMMENT":
                yield token.location.offset, token.location.line, token.spelling


def place(cursor: Cursor) -> tuple[Path, int]:
    """File and line of a cursor."""
    return resolved(cursor.location.file.name), cursor.location.line


def walk(cursor: Cursor, parent: Cursor | None = None) -> Iterator[tuple[Cursor, Cursor | None]]:
    """``cursor`` and everything below it, each with its parent."""
    yield cursor, parent
    for child in cursor.get_children():
        yield from walk(child, cursor)


def body(function: Cursor) -> Cursor | None:
    """The compound statement of a function."""
    for child in function.get_children():
        if child.kind == CursorKind.COMPOUND_STMT:
            return child
    return None


def bare(cursor: Cursor) -> Cursor:
    """An expression without the implicit conversions and parentheses around it."""
    while cursor.kind in (CursorKind.UNEXPOSED_EXPR, CursorKind.PAREN_EXPR):
        children = list(cursor.get_children())
        if len(children) != 1:
            break
        cursor = children[0]
    return cursor


def key(cursor: Cursor) -> tuple[int, str]:
    """Identity of a declaration; instantiations of a template differ."""
    first = cursor.canonical
    return first.hash, first.get_usr()


def is_templated(function: Cursor, records: Sequence[Cursor]) -> bool:
    """Whether a function found by :meth:`Unit.declarations` depends on template parameters."""
    return any(c.kind in _TEMPLATES for c in (function, *records))


def _compiler() -> str:
    compiler = os.environ.get("CXX") or "g++"
    if shutil.which(compiler) is None:
        raise ParseError(f"{compiler} was not found; its C++ library is wanted: install g++")
    return compiler


@lru_cache
def system_includes() -> tuple[str, ...]:
    """Include folders of the C++ compiler; libclang's wheel brings none."""
    text = subprocess.run(
        [_compiler(), "-E", "-v", "-x", "c++", os.devnull],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    lines = text.split("#include <...> search starts here:")[1].split("End of search list")[0]
    return tuple(line.strip() for line in lines.strip().splitlines())


@lru_cache(maxsize=4096)
def resolved(name: str) -> Path:
    """The absolute path of a file."""
    return Path(name).resolve()


def _declarations(cursor: Cursor, records: list[Cursor]) -> Iterator[tuple[Cursor, list[Cursor]]]:
    if cursor.kind in FUNCTIONS or cursor.kind == CursorKind.VAR_DECL:
        yield cursor, records
    elif cursor.kind in _SCOPES:
        inner = records
        if cursor.kind in RECORDS:
            yield cursor, records
            inner = [*records, cursor]
        for child in cursor.get_children():
            yield from _declarations(child, inner)
