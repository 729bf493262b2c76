"""Rooms of the quantizer have faces, and notebooks look at nothing else of them."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACES = (
    "hyq_hls.quant",
    *(f"hyq_hls.quant.{r}" for r in ("scales", "lowering", "judge", "methods")),
)


@pytest.mark.parametrize("name", FACES)
def test_a_face_has_what_it_names(name: str) -> None:
    face = importlib.import_module(name)
    assert len(set(face.__all__)) == len(face.__all__) > 5
    for public in face.__all__:
        assert hasattr(face, public), public
    with pytest.raises(AttributeError):
        face.nothing_of_the_kind  # noqa: B018


def test_a_configuration_is_read_without_torch() -> None:
    script = "import sys, hyq_hls.quant.config; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def imports(notebook: Path) -> Iterator[tuple[str, str]]:
    """Modules of the quantizer that a notebook imports from, and the names."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        lines = [line for line in cell["source"] if line.startswith(("from hyq", "import hyq"))]
        for statement in ast.parse("".join(lines)).body if cell["cell_type"] == "code" else ():
            if isinstance(statement, ast.Import):
                yield from ((alias.name, "") for alias in statement.names)
            elif isinstance(statement, ast.ImportFrom):
                yield from ((str(statement.module), alias.name) for alias in statement.names)


def test_notebooks_import_from_faces() -> None:
    found = [pair for path in (ROOT / "notebooks").glob("*.ipynb") for pair in imports(path)]
    quant = [pair for pair in found if pair[0].startswith("hyq_hls.quant.") or pair[0] == FACES[0]]
    assert len(quant) > 5
    for module, name in quant:
        assert module in FACES, (module, name)
        public = importlib.import_module(module).__all__
        assert name in public or name == "presets", (module, name)
