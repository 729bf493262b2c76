"""Libraries are loaded only when they are whole."""

from __future__ import annotations

import _ctypes
import ctypes
import shutil
from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.support import load_library, seal, sealed_key


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of Python's, which is not ours until it is sealed."""
    return Path(shutil.copy(_ctypes.__file__, tmp_path / "l.so"))


def test_a_sealed_library_loads(library: Path) -> None:
    assert sealed_key(library) is None
    seal(library, "0a")
    assert sealed_key(library) == "0a"
    function = load_library(library, {"PyInit__ctypes": (ctypes.c_void_p, ())}).PyInit__ctypes
    assert function.restype is ctypes.c_void_p
    with pytest.raises(CompilationError, match=r"l\.so cannot be loaded: .*nothing; delete it"):
        load_library(library, {"nothing": (None, ())})


def test_an_empty_key(library: Path) -> None:
    seal(library)
    assert sealed_key(library) == ""


def test_damage_is_found_before_loading(library: Path) -> None:
    seal(library)
    whole = library.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for data in (whole[:-1], whole[: len(whole) // 2], b"", bytes(flipped), whole + b"\n"):
        library.write_bytes(data)
        assert sealed_key(library) is None
        with pytest.raises(CompilationError, match="it is cut or damaged; delete it and compile"):
            load_library(library, {})
    library.unlink()
    assert sealed_key(library) is None
    with pytest.raises(CompilationError, match=r"l\.so cannot be loaded"):
        load_library(library, {})
