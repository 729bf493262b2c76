"""Notebooks take public names, leave drawing to the package, and end with what to try next."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[str]:
    """Sources of the cells of a kind."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def is_face(module: str) -> bool:
    """Whether a module of the package is one that people import from."""
    folder = ROOT / module.replace(".", "/")
    return module == "hyq_hls.errors" or (folder / "__init__.py").is_file()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_names_are_public_and_drawing_is_the_package_s(path: Path) -> None:
    trees = [ast.parse(source) for source in cells(path, "code")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    hidden = {m for m in modules if m.startswith("hyq_hls") and not is_face(m)}
    assert not hidden, f"import these from a package's face: {sorted(hidden)}"
    assert not {m for m in modules if m.startswith(("matplotlib", "benchmarks", "tests"))}
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    private = {n for n in names if n.startswith("_") and not n.endswith("__")}
    assert not private


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_what_to_try_and_what_follows(path: Path) -> None:
    last = cells(path, "markdown")[-1]
    assert "## What to try next" in last
    following = [p.name for p in NOTEBOOKS if p.name > path.name][:1]
    assert all(f"Next: [{name}]({name})" in last for name in following)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_saved_without_errors(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert "error" not in kinds
    assert "display_data" in kinds
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_a_hidden_module_is_found() -> None:
    assert is_face("hyq_hls.quant.methods")
    assert not is_face("hyq_hls.stream.choose.fit")
