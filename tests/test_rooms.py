"""Picture and table of rooms in docs/design.md say what the imports say; there is no circle."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Libraries that the table names; every room may use the others.
HEAVY = {"torch", "hls4ml"}
#: The row of the modules that every room may use.
SHARED = "errors.py"


@cache
def modules() -> dict[str, ast.Module]:
    """Parsed modules of the package by their paths in it, such as ``graph/types.py``."""
    package = ROOT / "hyq_hls"
    return {
        path.relative_to(package).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    }


@cache
def imports(path: str) -> set[str]:
    """What a module imports anywhere: paths of other modules, and names of heavy libraries."""
    names, known = set(), modules()
    for node in ast.walk(known[path]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                names.add(submodule if _path(submodule, known) else str(node.module))
    found = {_path(name, known) or name.split(".")[0] for name in names}
    return {name for name in found if name in HEAVY or name in known} - {path}


def _path(name: str, known: dict[str, ast.Module]) -> str | None:
    """Path of module ``name`` of the package; None for its root and for everything else."""
    package, _, inside = name.partition(".")
    stem = inside.replace(".", "/")
    candidates = (f"{stem}.py", f"{stem}/__init__.py") if package == "hyq_hls" and stem else ()
    return next((path for path in candidates if path in known), None)


def table() -> dict[tuple[str, ...], set[str]]:
    """Dependencies by the names in the first cell of every row of the table of rooms."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    section = text.split("## Rooms")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {
        tuple(re.findall(r"`([^`]+)`", room)): set(re.findall(r"`([^`]+)`", depends))
        for room, _, depends in rows
    }


def room_of(path: str, rooms: list[tuple[str, ...]]) -> str:
    """First name of the row that says where a module is: the most exact one."""
    fitting = [
        (len(name), row[0])
        for row in rooms
        for name in row
        if path == name or (name.endswith("/") and path.startswith(name))
    ]
    assert fitting, f"{path}: no row of the table in docs/design.md names its room"
    return max(fitting)[1]


def test_the_table_of_rooms_is_true() -> None:
    rows, known = table(), modules()
    measured: dict[str, set[str]] = {row[0]: set() for row in rows}
    for path in known:
        room = room_of(path, list(rows))
        for name in imports(path):
            measured[room].add(name if name in HEAVY else room_of(name, list(rows)))
    for row, stated in rows.items():
        found = measured[row[0]] - {row[0], SHARED}
        assert stated == found, (
            f"docs/design.md, room {row[0]}: its modules import {', '.join(sorted(found))}"
        )


def reached(graph: dict[str, set[str]], start: set[str]) -> set[str]:
    """Everything that is imported from ``start`` on, ``start`` included."""
    found: set[str] = set()
    waiting = sorted(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def test_the_picture_of_rooms_is_true() -> None:
    """Rooms of the first level; an arrow that follows from others is left out."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    known, shared = modules(), next(row for row in table() if row[0] == SHARED)
    free = {name.removesuffix("/").removesuffix(".py") for name in shared} | {"__init__"}
    graph: dict[str, set[str]] = {}
    for path in known:
        room, *_ = path.removesuffix(".py").split("/")
        names = {name.removesuffix(".py").split("/")[0] for name in imports(path) - HEAVY}
        if room not in free:
            graph.setdefault(room, set()).update(names - free - {room})
    arrows = {
        (room, name)
        for room, names in graph.items()
        for name in names
        if name not in reached(graph, names - {name})
    }
    # In a flowchart the word graph is reserved.
    text = text.replace('graph_["graph"]', "graph").replace("graph_", "graph")
    drawn = {
        (room, name)
        for room, names in re.findall(r"^    (\w+) --> (.+)$", text, re.MULTILINE)
        for name in names.split(" & ")
    }
    assert drawn == arrows


def test_no_imports_in_a_circle() -> None:
    """Imports for types and inside functions count; the package's face imports lazily."""
    known = modules()
    lazy = {"__init__.py"}
    graph = {p: (imports(p) & known.keys()) - lazy for p in known if p not in lazy}
    TopologicalSorter(graph).prepare()


def test_a_module_is_found_by_its_name() -> None:
    known = modules()
    assert _path("hyq_hls.graph", known) == "graph/__init__.py"
    assert _path("hyq_hls.graph.types", known) == "graph/types.py"
    assert _path("hyq_hls", known) is _path("numpy", known) is None
