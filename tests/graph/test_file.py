"""The file format: round trip of every operation, stable bytes, atomic saving, no torch."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks.situations.disturbances import no_room
from hyq_hls.errors import FileFormatError, GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.file import load, save
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, ShiftSwish, Table
from tests.ops.examples import EXAMPLES, example_graph
from tests.ops.harness import random_codes

BYTE = Quantization(8, False)


@pytest.fixture
def graph() -> Graph:
    return example_graph("conv2d", np.random.default_rng(0))


def identity(seed: int = 0) -> Table:
    return Table(np.roll(np.arange(256), seed), BYTE)


def test_every_operation_has_an_example() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)
    for name in EXAMPLES:
        nodes = example_graph(name, np.random.default_rng(0)).nodes.values()
        assert name in {node.operation.name for node in nodes}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_round_trip(name: str, tmp_path: Path) -> None:
    """The same names, types, bounds, parameters and codes, and the same bytes when saved again."""
    rng = np.random.default_rng(7)
    graph = example_graph(name, rng)
    graph.metadata.update(model="Größe", bits={"a": [1, 2.5, None, True]})
    first = save(graph, tmp_path / "first.hyq")
    loaded = load(first, OPERATIONS)
    assert loaded.metadata == graph.metadata
    assert (loaded.input_name, loaded.input_type) == (graph.input_name, graph.input_type)
    assert list(loaded.nodes) == list(graph.nodes)
    for a, b in zip(graph.nodes.values(), loaded.nodes.values(), strict=True):
        assert (a.inputs, a.type, a.accumulator) == (b.inputs, b.type, b.accumulator)
        assert type(a.operation) is type(b.operation)
        assert str(a.operation) == str(b.operation)
    codes = random_codes(graph.input_type, rng)
    found = dict(loaded.reference(codes))
    for tensor, expected in graph.reference(codes):
        assert np.array_equal(found[tensor], expected), tensor
    assert save(loaded, tmp_path / "second.hyq").read_bytes() == first.read_bytes()


def test_same_graph_same_bytes(tmp_path: Path) -> None:
    files = [
        save(example_graph("add", np.random.default_rng(1)), tmp_path / f"{i}.hyq").read_bytes()
        for i in range(2)
    ]
    assert files[0] == files[1]
    with zipfile.ZipFile(tmp_path / "0.hyq") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    other = save(example_graph("add", np.random.default_rng(2)), tmp_path / "other.hyq")
    assert other.read_bytes() != files[0]


@pytest.mark.parametrize(
    "name", ["größe", "a/b", "..", "a b", "日本語", 'x"y', "a\\b", "graph.json"]
)
def test_any_node_name(name: str, tmp_path: Path) -> None:
    graph = Graph("x", TensorType((2,), BYTE))
    graph.add(name, identity(3), "x")
    graph.add("z", identity(5), name)
    loaded = load(save(graph, tmp_path / "g.hyq"), OPERATIONS)
    assert list(loaded.nodes) == [name, "z"]
    codes = np.arange(256).reshape(-1, 2)
    assert np.array_equal(dict(loaded.reference(codes))["z"], dict(graph.reference(codes))["z"])


def test_arrays_of_two_nodes_never_share_a_name(tmp_path: Path) -> None:
    """Node ``a`` with memory ``values`` beside a node that is called ``a/values``."""
    graph = Graph("x", TensorType((2,), BYTE))
    for i, name in enumerate(["a", "a/values", "input"]):
        graph.add(name, identity(i), graph.output_name if graph.nodes else "x")
    loaded = load(save(graph, tmp_path / "g.hyq"), OPERATIONS)
    for name, node in graph.nodes.items():
        again, before = loaded.nodes[name].operation, node.operation
        assert isinstance(again, Table)
        assert isinstance(before, Table)
        assert np.array_equal(again.values, before.values)


def test_loading_imports_neither_torch_nor_hls4ml(graph: Graph, tmp_path: Path) -> None:
    path = save(graph, tmp_path / "g.hyq")
    code = (
        "import sys, hyq_hls\n"
        f"qmodel = hyq_hls.load({str(path)!r})\n"
        "print(qmodel)\n"
        "assert 'op.conv2d' in qmodel.graph.nodes\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
        "assert 'hls4ml' not in sys.modules, 'hls4ml was imported'\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_saved_file_is_readable_like_any_other(graph: Graph, tmp_path: Path) -> None:
    """Not only by its owner, as temporary files are."""
    umask = os.umask(0o027)
    try:
        path = save(graph, tmp_path / "g.hyq")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@dataclass(frozen=True, eq=False)
class Odd(Table):
    """Has a parameter that no file can hold."""

    name: ClassVar[str] = "odd"
    extra: Any = Ellipsis


def test_what_cannot_be_saved_is_named(graph: Graph, tmp_path: Path) -> None:
    odd = Graph("x", TensorType((2,), BYTE))
    odd.add("node", Odd(np.arange(256), BYTE), "x")
    with pytest.raises(GraphError, match="node/extra: a ellipsis cannot be saved"):
        save(odd, tmp_path / "g.hyq")
    graph.metadata["array"] = np.arange(3)
    with pytest.raises(GraphError, match="metadata must be plain JSON"):
        save(graph, tmp_path / "g.hyq")
    assert not list(tmp_path.iterdir())


def test_missing_folder(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot write .*g\.hyq: No such file or directory"):
        save(graph, tmp_path / "no" / "g.hyq")


def test_a_folder_in_place_of_the_file(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot write .*: Is a directory"):
        save(graph, tmp_path)
    assert not list(tmp_path.iterdir())
    assert not list(tmp_path.parent.glob("*.part"))
    with pytest.raises(FileFormatError):
        load(tmp_path, OPERATIONS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_not_writable(graph: Graph, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileFormatError, match=r"cannot write .*: Permission denied"):
            save(graph, tmp_path / "g.hyq")
    finally:
        tmp_path.chmod(0o700)


def test_permission_denied(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, also for root."""

    def denied(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(FileFormatError, match=r"cannot write .*g\.hyq: Permission denied; check"):
        save(graph, tmp_path / "g.hyq")


@pytest.mark.parametrize("room", [0, 1, 200])
def test_no_room_left(graph: Graph, room: int, tmp_path: Path) -> None:
    path = save(example_graph("fold", np.random.default_rng(0)), tmp_path / "g.hyq")
    old = path.read_bytes()
    assert len(old) > 200
    with no_room(room), pytest.raises(FileFormatError, match=r"cannot write .*has room"):
        save(graph, path)
    assert path.read_bytes() == old, "the old file survives"
    assert list(tmp_path.iterdir()) == [path], "nothing half-written is left"
    with no_room(room), pytest.raises(FileFormatError, match="cannot write"):
        save(graph, tmp_path / "new.hyq")
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(graph, tmp_path / "g.hyq")
    old = path.read_bytes()

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(example_graph("fold", np.random.default_rng(0)), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_version_2_has_the_same_integers() -> None:
    """It names circuits, which are no part of a graph any more; an older program wrote it."""
    code = Quantization(4, False, (0.25,), (8,))
    wanted = Graph("x", TensorType((2, 3), code), {"model": "version 2"})
    one = np.ones(1, np.int64)
    wanted.add("swish", ShiftSwish(2, 8, 8, Requantize(code, np.array([8]), one)), "x")
    wanted.add("table", Table(np.arange(15, -1, -1), code), "swish")
    found = load(Path(__file__).with_name("version2.hyq"), OPERATIONS)
    assert found.metadata == wanted.metadata
    codes = np.random.default_rng(0).integers(0, 16, (50, 2, 3))
    for (name, a), (other, b) in zip(found.reference(codes), wanted.reference(codes), strict=True):
        assert name == other
        assert np.array_equal(a, b)


def test_the_order_of_the_output_is_kept(tmp_path: Path) -> None:
    graph = Graph("x", TensorType((2, 3), BYTE), output_index=np.array([[5, 0], [2, 2]]))
    graph.add("table", identity(), "x")
    loaded = load(save(graph, tmp_path / "g.hyq"), OPERATIONS)
    codes = np.arange(12).reshape(2, 2, 3)
    wanted = [[[5, 0], [2, 2]], [[11, 6], [8, 8]]]
    for found in (graph, loaded, loaded.with_operations({})):
        assert np.array_equal(found.arranged(codes), wanted)
    plain = example_graph("table", np.random.default_rng(0))
    assert load(save(plain, tmp_path / "p.hyq"), OPERATIONS).output_index is None


@pytest.mark.parametrize(
    ("index", "found"),
    [
        (np.array([0, 6]), r"entries in \[0, 6\] found, but table has 6 elements"),
        (np.array([-1, 0]), r"entries in \[-1, 0\] found"),
        (np.array([], np.int64), r"int64 of at least one element is wanted, found int64 of shape"),
        (np.array([0.0]), r"int64 of at least one element is wanted, found float64"),
    ],
)
def test_an_output_index_outside_of_the_last_tensor_is_refused(
    index: np.ndarray, found: str, tmp_path: Path
) -> None:
    graph = Graph("x", TensorType((2, 3), BYTE), output_index=index)
    graph.add("table", identity(), "x")
    with pytest.raises(FileFormatError, match=found):
        load(save(graph, tmp_path / "g.hyq"), OPERATIONS)


def test_a_file_holds_no_circuit(tmp_path: Path) -> None:
    graph = load(Path(__file__).with_name("version2.hyq"), OPERATIONS)
    with zipfile.ZipFile(save(graph, tmp_path / "g.hyq")) as archive:
        document = archive.read("graph.json").decode()
    assert json.loads(document)["version"] == 3
    assert "circuit" not in document
