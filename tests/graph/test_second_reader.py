"""A reader written from docs/hyq-format.md alone computes the same codes, and the page is whole."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from dataclasses import fields
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.file import VERSION, save
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, Table
from tests.graph import second_reader
from tests.ops.examples import EXAMPLES, example_graph
from tests.ops.harness import random_codes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hyq-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_operation_gives_the_same_codes(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    graph = example_graph(name, rng)
    path = save(graph, tmp_path / "net.hyq")
    codes = random_codes(graph.input_type, rng)
    wanted = dict(graph.reference(codes))
    found = dict(second_reader.run(second_reader.read(str(path)), codes))
    assert list(found) == list(graph.nodes)
    for node, values in found.items():
        assert np.array_equal(values, wanted[node]), node


def test_the_program_prints_the_output_in_the_model_s_order(tmp_path: Path) -> None:
    byte = Quantization(8, False)
    graph = Graph("x", TensorType((1, 2, 3), byte), output_index=np.array([[5, 0], [2, 2]]))
    graph.add("table", Table(np.roll(np.arange(256), 1), byte), "x")
    path = save(graph, tmp_path / "net.hyq")
    images = np.arange(12, dtype=np.uint8).reshape(2, 1, 2, 3)
    np.save(tmp_path / "images.npy", images)
    program = [sys.executable, second_reader.__file__, str(path), str(tmp_path / "images.npy")]
    found = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert found == "4 255 1 1\n10 5 7 7\n"


def test_the_reader_imports_nothing_of_the_package() -> None:
    tree = ast.parse(Path(second_reader.__file__).read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported <= {"numpy", "__future__", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("member", "old", "new", "error"),
    [
        ("graph.json", b'"version": 3', b'"version": 4', "version 3 of the format hyq is wanted"),
        ("op.dense/bias.npy", b"\0", b"\1", "op.dense/bias.npy does not match its checksum"),
    ],
)
def test_a_file_of_another_version_or_a_damaged_one_is_refused(
    member: str, old: bytes, new: bytes, error: str, tmp_path: Path
) -> None:
    path = save(example_graph("dense", np.random.default_rng(0)), tmp_path / "net.hyq")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "b.hyq", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(old, new, 1) if name == member else data)
    with pytest.raises(ValueError, match=error):
        second_reader.read(str(tmp_path / "b.hyq"))


def test_the_page_names_every_operation_and_every_parameter() -> None:
    """A field that a file holds and the page does not is a change of the format in silence."""
    assert f"# The `.hyq` file, version {VERSION}" in PAGE
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    told = {cells[1].strip().strip("`"): cells[2] for cells in rows}
    assert set(OPERATIONS) <= set(told)
    for name, operation in OPERATIONS.items():
        missing = set(signature(operation).parameters) - set(told[name].split("`"))
        assert not missing, f"docs/hyq-format.md: {name} lacks {missing}"
    for cls in (Quantization, Requantize):
        assert {f.name for f in fields(cls)} <= set(told)
