"""Project folders: complete or not there, never half; and what ``convert`` refuses."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import hyq_hls
from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.accelerator import GRAPH_FILE
from hyq_hls.errors import ConversionError, FileFormatError
from hyq_hls.graph.file import load
from hyq_hls.ops import OPERATIONS
from hyq_hls.parts import part as find_part
from hyq_hls.project_file import MARKER
from hyq_hls.stream.hls import writer
from hyq_hls.support.files import DRAFT
from tests.stream.hls.conftest import expected, images, small_graph

Contents = dict[str, bytes]


@pytest.fixture
def qmodel() -> QuantizedModel:
    return QuantizedModel(small_graph())


def contents(folder: Path) -> Contents:
    """Every file of a folder by its relative name."""
    files = (f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def test_the_same_graph_gives_the_same_files(qmodel: QuantizedModel, tmp_path: Path) -> None:
    """Whatever the folder is called, also from the saved graph."""
    first = contents(convert(qmodel, output_dir=tmp_path / "first").folder)
    again = hyq_hls.load(qmodel.save(tmp_path / "net.hyq"))
    second = contents(convert(again, output_dir=tmp_path / "other" / "second").folder)
    assert list(first) != []
    assert first == second
    other = QuantizedModel(small_graph(seed=1))
    assert contents(convert(other, output_dir=tmp_path / "third").folder) != first


def test_a_project_is_complete(qmodel: QuantizedModel, tmp_path: Path) -> None:
    folder = convert(qmodel, "xczu3eg", 200, tmp_path / "p", project="top").folder
    files = contents(folder)
    wanted = {"build_lib.sh", "build_prj.tcl", "project.tcl", "top_bridge.cpp", "top_test.cpp"}
    wanted |= {MARKER, GRAPH_FILE, "firmware/top.cpp", "firmware/top.h", "firmware/defines.h"}
    wanted |= {"firmware/parameters.h", "firmware/hyq/dense.h", "firmware/ap_types/ap_int.h"}
    wanted |= {f"firmware/weights/{name}.h" for name in ("a", "b", "c", "pool", "head")}
    assert wanted <= set(files)
    assert os.access(folder / "build_lib.sh", os.X_OK)
    project = files["project.tcl"].decode()
    assert find_part("xczu3eg").device in project
    assert '"top"' in project
    assert "clock_period 5.0" in project.replace("\t", " ")
    loaded = load(folder / GRAPH_FILE, OPERATIONS)
    assert np.array_equal(expected(loaded, images()), expected(qmodel.graph, images()))
    for name, data in files.items():
        if name not in (MARKER, GRAPH_FILE):
            assert str(tmp_path) not in data.decode(), f"{name} knows where it was written"


def test_an_empty_folder_is_taken(qmodel: QuantizedModel, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    convert(qmodel, output_dir=tmp_path / "p")
    assert (tmp_path / "p" / MARKER).exists()


def test_output_here_and_from_elsewhere(
    qmodel: QuantizedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``.`` in an empty folder; a relative folder and ``~`` after ``chdir``."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    here = convert(qmodel, output_dir=".")
    home = convert(qmodel, output_dir="~/net")
    assert (tmp_path / "empty" / MARKER).is_file()
    assert home.folder == tmp_path / "home" / "net"
    opened = Accelerator.open(".")
    monkeypatch.chdir(tmp_path)
    assert here.folder == opened.folder == tmp_path / "empty"
    assert Accelerator.open("~/net").folder == home.folder
    assert convert(qmodel, output_dir="empty", overwrite=True).folder == here.folder


@pytest.mark.parametrize("damage", ["3", "[]", "{", '{"part": "xc7z020"}', "[" * 100_000, "folder"])
def test_a_damaged_marker_is_named(damage: str, qmodel: QuantizedModel, tmp_path: Path) -> None:
    marker = convert(qmodel, output_dir=tmp_path / "p").folder / MARKER
    whole = json.loads(marker.read_text())
    marker.write_text(damage)
    if damage == "folder":
        marker.write_text(json.dumps(whole | {"folding": [1], "depths": 3}))
    with pytest.raises(ConversionError, match=r"hyq_project\.json is damaged .*convert the model"):
        Accelerator.open(marker.parent)


def test_folder_in_use(qmodel: QuantizedModel, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ConversionError, match="is not empty and not a project of ours"):
            convert(qmodel, output_dir=tmp_path, overwrite=overwrite)
    with pytest.raises(ConversionError, match=r"notes\.txt is a file; give a folder"):
        convert(qmodel, output_dir=tmp_path / "notes.txt", overwrite=True)
    with pytest.raises(ConversionError, match=r"cannot write to .*notes\.txt: .*writable folder"):
        convert(qmodel, output_dir=tmp_path / "notes.txt" / "p")
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_folder_not_writable(
    qmodel: QuantizedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    monkeypatch.setattr(tempfile, "mkdtemp", Fault(denied))
    with pytest.raises(ConversionError, match="Permission denied; choose a writable folder"):
        convert(qmodel, output_dir=tmp_path / "p")
    assert not list(tmp_path.iterdir())


def test_overwriting(qmodel: QuantizedModel, tmp_path: Path) -> None:
    folder = convert(qmodel, output_dir=tmp_path / "p").folder
    old = contents(folder)
    (folder / "stale.txt").write_text("from before")
    other = QuantizedModel(small_graph(seed=1))
    with pytest.raises(ConversionError, match=r"holds a project already; .* overwrite=True"):
        convert(other, output_dir=folder)
    assert (folder / "stale.txt").exists()
    convert(other, output_dir=folder, overwrite=True)
    new = contents(folder)
    assert set(new) == set(old), "nothing of the old project is left"
    assert new["firmware/weights/a.h"] != old["firmware/weights/a.h"]
    assert list(tmp_path.iterdir()) == [folder]


class Fault:
    """Makes a step of writing fail."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise self.error


ERRORS = [
    (
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        ConversionError,
        "cannot write .*No space left",
    ),
    (KeyboardInterrupt(), KeyboardInterrupt, None),
    (RuntimeError("inside"), RuntimeError, "inside"),
]


@pytest.mark.parametrize("step", ["write_hls", "graph", "second_rename"])
@pytest.mark.parametrize("fault", ERRORS, ids=["full", "interrupt", "bug"])
def test_the_old_project_survives(
    step: str,
    fault: tuple[BaseException, type[BaseException], str | None],
    qmodel: QuantizedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whenever writing fails, and nothing half-written is left."""
    error, seen, message = fault
    folder = convert(qmodel, output_dir=tmp_path / "p").folder
    old = contents(folder)
    if step == "write_hls":
        monkeypatch.setattr(writer, "project_files", Fault(error))
    elif step == "graph":
        monkeypatch.setattr(QuantizedModel, "save", Fault(error))
    else:
        rename = Path.rename

        def fail(self: Path, target: Path) -> Path:
            if self.name == DRAFT:
                raise error
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", fail)
    other = QuantizedModel(small_graph(seed=1))
    for target, overwrite in ((folder, True), (tmp_path / "new", False)):
        with pytest.raises(seen, match=message):
            convert(other, output_dir=target, overwrite=overwrite)
    assert contents(folder) == old
    assert list(tmp_path.iterdir()) == [folder]


def test_no_room_for_the_graph(
    qmodel: QuantizedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuantizedModel, "save", Fault(FileFormatError("cannot write graph.hyq")))
    with pytest.raises(FileFormatError):
        convert(qmodel, output_dir=tmp_path / "p")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["", "xc7z02", "XC7Z20", "zynq", "xc7z020x y", "5"])
def test_unknown_part(part: str, qmodel: QuantizedModel, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=f"unknown part {part!r}; did you mean .*z") as caught:
        convert(qmodel, part, output_dir=tmp_path / "p")
    if part in ("xc7z02", "XC7Z20"):
        assert "xc7z020" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("part", "full"),
    [
        ("xc7z020", "xc7z020clg400-1"),
        ("XC7Z020", "xc7z020clg400-1"),
        ("xc7z020clg484-2", "xc7z020clg484-2"),
        ("xczu9eg-ffvb1156-2-e", "xczu9eg-ffvb1156-2-e"),
        ("xcu250-figd2104-2L-e", "xcu250-figd2104-2L-e"),
        ("ZedBoard", "xc7z020clg484-1"),
    ],
)
def test_part_names(part: str, full: str, qmodel: QuantizedModel, tmp_path: Path) -> None:
    folder = convert(qmodel, part, output_dir=tmp_path / "p").folder
    assert json.loads((folder / MARKER).read_text())["part"] == full
    assert full in (folder / "project.tcl").read_text()


@pytest.mark.parametrize(
    "project",
    [
        *("", "1net", "my net", "net-1", "größe", "../net", "net;", "net\n", "hyq", "hls", "std"),
        *("main", "int", "double", "and_eq", "input", "result", "defines", "parameters"),
        *("a_weight", "a_config", "pool_word", "input_t", "result_t"),
    ],
)
def test_bad_project_name(project: str, qmodel: QuantizedModel, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="project name"):
        convert(qmodel, output_dir=tmp_path / "p", project=project)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("clock", [0, -1, 0.5, 1001, float("nan"), float("inf")])
def test_bad_clock(clock: float, qmodel: QuantizedModel, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=f"clock of {clock} MHz: between 1 and 1000"):
        convert(qmodel, clock_mhz=clock, output_dir=tmp_path / "p")


@pytest.mark.slow
def test_report_names_every_node(project: Accelerator) -> None:
    text = str(project)
    for name, node in project.qmodel.graph.nodes.items():
        assert node.operation.name in text
        assert text.count(f"\n{name} ") == 1
    assert "468 MAC" in text
    assert [n.stream for n in project.nodes] == ["a", "b", "c", "pool", "head"]


@pytest.mark.slow
def test_open(project: Accelerator, tmp_path: Path) -> None:
    pixels = images()
    opened = Accelerator.open(str(project.folder))
    assert opened.compiled
    assert (opened.project, opened.clock_mhz) == (project.project, project.clock_mhz)
    assert np.array_equal(opened.codes(pixels), project.codes(pixels))
    shutil.copytree(project.folder, tmp_path / "moved")
    (tmp_path / "moved" / "sink.so").unlink()
    moved = Accelerator.open(tmp_path / "moved")
    assert not moved.compiled
    assert str(moved) == str(project)


@pytest.mark.slow
@pytest.mark.parametrize("marker", ["", "{", "[]", "{}", '{"project": "net"}', "\xff", '"depths"'])
def test_open_refuses_a_damaged_marker(marker: str, copied: Accelerator) -> None:
    (copied.folder / MARKER).write_text(marker, encoding="latin-1")
    with pytest.raises(ConversionError, match=rf"{MARKER} is damaged.*convert the model again"):
        Accelerator.open(copied.folder)


@pytest.mark.slow
def test_open_refuses_a_marker_of_another_graph(copied: Accelerator) -> None:
    marker = json.loads((copied.folder / MARKER).read_text())
    del marker["depths"]["pool"]
    (copied.folder / MARKER).write_text(json.dumps(marker))
    with pytest.raises(ConversionError, match=rf"{MARKER} is damaged"):
        Accelerator.open(copied.folder)


@pytest.mark.slow
def test_open_refuses_what_is_no_project(copied: Accelerator, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none", copied.folder / "build_lib.sh"):
        with pytest.raises(ConversionError, match="is not a project of hyq_hls"):
            Accelerator.open(folder)
    (copied.folder / GRAPH_FILE).write_bytes(b"damaged")
    with pytest.raises(FileFormatError, match=r"graph\.hyq is damaged"):
        Accelerator.open(copied.folder)
