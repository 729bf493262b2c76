"""The canonical form of a DATAFLOW region: streams, arrays, calls; one writer and one reader each.

An array between two processes becomes a pair of pages (UG1399, PIPO): the reader starts when the
writer has ended, and the writer goes on with the other page.
"""

from __future__ import annotations

from clang.cindex import Cursor, CursorKind, Type, TypeKind

from verif.subset.finding import Findings
from verif.subset.pragmas import Line, Pragmas
from verif.subset.unit import bare, body, key, place, walk

_K = CursorKind
_ARRAYS = frozenset({TypeKind.CONSTANTARRAY, TypeKind.DEPENDENTSIZEDARRAY})
_READS = frozenset({"read", "operator>>"})
_WRITES = frozenset({"write", "operator<<"})
#: Statements that make no process: empty ones, and declarations without a variable.
_SILENT = frozenset({_K.TYPEDEF_DECL, _K.TYPE_ALIAS_DECL, _K.STATIC_ASSERT, _K.USING_DECLARATION})


def is_stream(t: Type) -> bool:
    """Whether ``t`` is ``hls::stream<T>`` or a reference to one."""
    t = t.get_canonical()
    if t.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        t = t.get_pointee().get_canonical()
    declaration = t.get_declaration()
    return declaration.spelling == "stream" and _parent(declaration) == "hls"


class Dataflow:
    """Checks how streams run between the functions that a top function reaches."""

    def __init__(self, pragmas: Pragmas, findings: Findings) -> None:
        self._pragmas, self._findings = pragmas, findings
        self._uses: dict[tuple[int, str], dict[str, set[str]]] = {}

    def check(self, top: Cursor, functions: list[Cursor]) -> None:
        """Check the ports of ``top`` and the streams of all ``functions``."""
        self._check_ports(top)
        for function in functions:
            for parameter in function.get_arguments():
                by_value = parameter.type.get_canonical().kind == TypeKind.RECORD
                if by_value and is_stream(parameter.type):
                    found = f"the stream {parameter.spelling} by value"
                    self._findings.add(place(parameter), "stream", found, "a reference to it")
            lines = self._pragmas.within(function)
            if any(p.name == "DATAFLOW" for p in lines):
                self._check_region(function, lines)
            else:
                self._check_no_streams(function)

    def _check_ports(self, top: Cursor) -> None:
        ports = {p.options.get("port") for p in self._pragmas.within(top) if p.name == "INTERFACE"}
        for parameter in top.get_arguments():
            if parameter.spelling not in ports:
                wanted = f"#pragma HLS INTERFACE mode=axis port={parameter.spelling}"
                found = f"the port {parameter.spelling} without an interface"
                self._findings.add(place(parameter), "interface", found, wanted)

    def _check_no_streams(self, function: Cursor) -> None:
        for cursor, _ in walk(function):
            if cursor.kind == _K.VAR_DECL and is_stream(cursor.type):
                found = f"the stream {cursor.spelling} in {function.spelling}()"
                self._findings.add(place(cursor), "stream", found, "streams in DATAFLOW functions")

    def _check_region(self, function: Cursor, lines: list[Line]) -> None:
        depths = {p.options.get("variable"): p.options for p in lines if p.name == "STREAM"}
        streams: dict[str, Cursor] = {}
        arrays: dict[str, Cursor] = {}
        calls: list[Cursor] = []
        block = body(function)
        for statement in block.get_children() if block is not None else ():
            plain = bare(statement)
            if plain.kind == _K.CALL_EXPR and plain.type.kind == TypeKind.VOID:
                calls.append(plain)
                continue
            declared = list(statement.get_children()) if statement.kind == _K.DECL_STMT else []
            for cursor in declared:
                if cursor.kind == _K.VAR_DECL and is_stream(cursor.type):
                    streams[cursor.spelling] = cursor
                elif cursor.kind == _K.VAR_DECL and cursor.type.kind in _ARRAYS:
                    arrays[cursor.spelling] = cursor
            channels = (*streams, *arrays)
            known = all(c.kind in _SILENT or c.spelling in channels for c in declared)
            if not (declared and known):
                found = f"a {statement.kind.name.lower()} in the DATAFLOW of {function.spelling}()"
                wanted = "hls::stream variables, arrays and calls of void functions only"
                self._findings.add(place(statement), "dataflow", found, wanted)
        for name, stream in streams.items():
            if "depth" not in depths.get(name, {}):
                wanted = f"#pragma HLS STREAM variable={name} depth=..."
                self._findings.add(place(stream), "dataflow", f"{name} without a depth", wanted)
        ports = {p.spelling: p for p in function.get_arguments() if is_stream(p.type)}
        self._check_processes(ports, streams, calls)
        self._check_pages(arrays, calls)

    def _check_processes(
        self, ports: dict[str, Cursor], streams: dict[str, Cursor], calls: list[Cursor]
    ) -> None:
        readers: dict[str, list[int]] = {name: [] for name in (*ports, *streams)}
        writers: dict[str, list[int]] = {name: [] for name in (*ports, *streams)}
        for i, call in enumerate(calls):
            for name, uses in self._call_uses(call).items():
                if "read" in uses:
                    readers.setdefault(name, []).append(i)
                if "write" in uses:
                    writers.setdefault(name, []).append(i)
        for name, stream in streams.items():
            for what, found in (("written", writers[name]), ("read", readers[name])):
                if len(found) != 1:
                    text = f"{name} is {what} by {_processes(found, calls)}"
                    wanted = "one writer and one reader of a stream"
                    self._findings.add(place(stream), "dataflow", text, wanted)
            if writers[name] and readers[name] and readers[name][0] <= writers[name][0]:
                text = f"{name} is read before it is written (feedback)"
                wanted = "calls in the order of the data"
                self._findings.add(place(stream), "dataflow", text, wanted)
        for name, port in ports.items():
            if len(readers[name]) + len(writers[name]) != 1:
                text = (
                    f"port {name} is read by {_processes(readers[name], calls)} and written by "
                    f"{_processes(writers[name], calls)}"
                )
                wanted = "one reader of an input, one writer of an output"
                self._findings.add(place(port), "dataflow", text, wanted)

    def _check_pages(self, arrays: dict[str, Cursor], calls: list[Cursor]) -> None:
        """Check that the first call that names an array fills it, and the second one reads it."""
        for name, array in arrays.items():
            found = [i for i, call in enumerate(calls) if _names(call, name)]
            constant = [_takes_constant(calls[i], name) for i in found]
            if constant != [False, True]:
                text = f"the array {name} is given to {_processes(found, calls)}"
                wanted = "one process that writes it, then one that takes it as const"
                self._findings.add(place(array), "dataflow", text, wanted)

    def _call_uses(self, call: Cursor) -> dict[str, set[str]]:
        """What a call does with the streams of its caller."""
        callee = call.referenced
        if callee is None or not any(is_stream(p.type) for p in callee.get_arguments()):
            return {}
        uses = self._function_uses(callee)
        result: dict[str, set[str]] = {}
        for argument, parameter in zip(call.get_arguments(), callee.get_arguments(), strict=False):
            if not is_stream(parameter.type):
                continue
            for stream, _ in walk(argument):
                if stream.kind == _K.DECL_REF_EXPR and is_stream(stream.type):
                    result.setdefault(stream.spelling, set()).update(uses[parameter.spelling])
        return result

    def _function_uses(self, function: Cursor) -> dict[str, set[str]]:
        """What a function does with each of its stream parameters: ``read``, ``write``."""
        if key(function) in self._uses:
            return self._uses[key(function)]
        uses: dict[str, set[str]] = {p.spelling: set() for p in function.get_arguments()}
        self._uses[key(function)] = uses  # before the calls: recursion is found elsewhere
        for cursor, _ in walk(function):
            if cursor.kind != _K.CALL_EXPR or cursor.referenced is None:
                continue
            method = cursor.referenced
            parent = method.semantic_parent
            if parent is not None and parent.spelling == "stream" and _parent(parent) == "hls":
                self._method_use(cursor, method, uses)
                continue
            for name, found in self._call_uses(cursor).items():
                uses.get(name, set()).update(found)
        return uses

    def _method_use(self, call: Cursor, method: Cursor, uses: dict[str, set[str]]) -> None:
        if method.kind in (_K.CONSTRUCTOR, _K.DESTRUCTOR):
            return
        target = next(call.get_children())
        if target.kind == _K.MEMBER_REF_EXPR:
            target = next(target.get_children())
        name = bare(target).spelling
        if method.spelling in _READS | _WRITES:
            use = "read" if method.spelling in _READS else "write"
            uses.get(name, set()).add(use)
        else:
            found = f"{name}.{method.spelling}(), whose answer depends on time"
            self._findings.add(place(call), "stream", found, "read() and write()")


def _parent(cursor: Cursor) -> str:
    parent = cursor.semantic_parent
    return "" if parent is None else str(parent.spelling)


def _names(cursor: Cursor, variable: str) -> bool:
    """Whether ``variable`` appears in ``cursor``."""
    return any(c.kind == _K.DECL_REF_EXPR and c.spelling == variable for c, _ in walk(cursor))


def _takes_constant(call: Cursor, array: str) -> bool:
    """Whether the parameter that receives ``array`` is constant."""
    pairs = zip(call.get_arguments(), call.referenced.get_arguments(), strict=False)
    return any("const" in p.type.spelling.split() for a, p in pairs if _names(a, array))


def _processes(found: list[int], calls: list[Cursor]) -> str:
    return ", ".join(f"{calls[i].spelling}()" for i in found) or "nobody"
