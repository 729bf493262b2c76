"""What the user reads when g++ is missing or refuses."""

from __future__ import annotations

import _ctypes
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator
from hyq_hls.errors import CompilationError
from hyq_hls.tools.gxx import compile_project
from tests.stream.hls.conftest import edit, expected, images, small_graph

pytestmark = pytest.mark.slow

MISSING = r"{} was not found; C simulation needs a C\+\+14 compiler: install g\+\+.*set CXX"


@pytest.mark.parametrize("name", ["no-such-g++", "/no/such/folder/g++"])
def test_compiler_of_the_environment_is_missing(
    name: str, copied: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", name)
    with pytest.raises(CompilationError, match=MISSING.format(name.replace("+", r"\+"))):
        copied.compile()


def test_no_compiler_at_all(
    copied: Accelerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilationError, match=MISSING.format(r"g\+\+")):
        copied.compile()


def fake_compiler(folder: Path, script: str) -> str:
    path = folder / "fake-cxx"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_empty_cxx_means_the_default(
    copied: Accelerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", "")
    (tmp_path / "bin").mkdir()
    fake = Path(fake_compiler(tmp_path, "echo 'error: the fake one' >&2; exit 1"))
    fake.rename(tmp_path / "bin" / "g++")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(CompilationError, match="the fake one"):
        copied.compile()


def test_flags_reach_the_compiler_in_english(
    copied: Accelerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    script = 'echo "error: $LC_ALL $*" >&2; exit 1'
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, script))
    with pytest.raises(CompilationError, match=r"error: C -std=c\+\+14 .*-O1 -DX=1 2 "):
        copied.compile("-O1", "-DX=1 2")


def test_a_killed_compiler_shows_its_last_lines(
    copied: Accelerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the word error, for example when memory ran out; and in no known encoding."""
    script = r"printf 'one\ntwo\n\377Killed\n' >&2; exit 4"
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, script))
    with pytest.raises(CompilationError, match=r"fake-cxx failed, see .*:\n(.*\n)*.*Killed"):
        copied.compile()


def test_broken_cpp(copied: Accelerator, project: Accelerator) -> None:
    """First errors, the log, and no old library that the next ``open`` would take for the new."""
    assert Accelerator.open(copied.folder).compiled
    edit(copied, "firmware/sink.cpp", "hyq::add<", "hyq::sub<")
    with pytest.raises(CompilationError) as caught:
        copied.compile("-O0")
    lines = str(caught.value).splitlines()
    log = copied.folder / "csim_build.log"
    assert lines[0] == f"g++ failed, see {log}:"
    assert "firmware/sink.cpp" in lines[1]
    assert "error: " in lines[1]
    assert "sub" in lines[1]
    assert len(lines) <= 6
    assert lines[1] in log.read_text()
    assert not copied.compiled
    assert not (copied.folder / "sink.so").exists()
    assert not Accelerator.open(copied.folder).compiled
    pixels = images(2)
    assert np.array_equal(project.codes(pixels), expected(small_graph(), pixels))


def test_project_without_its_script(copied: Accelerator) -> None:
    (copied.folder / "build_lib.sh").unlink()
    with pytest.raises(CompilationError, match=r"has no build_lib\.sh; convert the model again"):
        copied.compile()


def test_script_cannot_be_run(copied: Accelerator) -> None:
    (copied.folder / "build_lib.sh").chmod(0o600)
    with pytest.raises(CompilationError, match=r"cannot compile in .*Permission denied"):
        copied.compile()


def test_several_compile_at_once(copied: Accelerator) -> None:
    """Each builds apart; the linker of one would find half the objects of another."""
    library = copied.folder / "sink.so"
    library.unlink()
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: compile_project(copied.folder, "sink", ("-O0",)), range(3)))
    assert set(made) == {library}
    assert not list(copied.folder.glob(".build-*"))
    pixels = images(2)
    opened = Accelerator.open(copied.folder)
    assert np.array_equal(opened.codes(pixels), expected(small_graph(), pixels))


def test_an_interrupt_ends_the_compilers(
    copied: Accelerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, f"touch {tmp_path}/runs; exec sleep 60"))

    def interrupt() -> None:
        while not (tmp_path / "runs").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    # The processes of pytest-xdist ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            copied.compile()
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 30
    assert not list(copied.folder.glob(".build-*"))


@pytest.mark.parametrize("content", ["garbage", "foreign", "cut"])
def test_a_library_that_is_not_ours(content: str, copied: Accelerator) -> None:
    library = copied.folder / "sink.so"
    whole = library.read_bytes()
    library.write_bytes(whole[:20_000] if content == "cut" else b"\x7fELF of something else")
    if content == "foreign":
        shutil.copy(_ctypes.__file__, library)
    with pytest.raises(
        CompilationError, match=r"sink\.so cannot be loaded: .*; delete it and compile"
    ):
        Accelerator.open(copied.folder)
    library.unlink()
    assert not Accelerator.open(copied.folder).compiled
