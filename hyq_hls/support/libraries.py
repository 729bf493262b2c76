"""Shared libraries that are loaded only when they are whole: a cut one would end the process.

A library is sealed by its last line, which the linker's format allows: a hash of all before it.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hyq_hls.errors import CompilationError

#: Result and arguments of a function in C.
Signature = tuple[type | None, tuple[type, ...]]
_SEAL = re.compile(rb"\nhyq ([0-9a-f]*) ([0-9a-f]{64})\n\Z")
#: A seal is shorter.
_TAIL = 256


def seal(library: Path, key: str = "") -> None:
    """Append the seal to a new library.

    Args:
        library: the file.
        key: hexadecimal digits that tell what it was built from.
    """
    digest = hashlib.sha256(library.read_bytes()).hexdigest()
    with library.open("ab") as file:
        file.write(f"\nhyq {key} {digest}\n".encode())


def sealed_key(library: Path) -> str | None:
    """Return the key of a library that is whole; None where it is missing, cut or changed."""
    try:
        data = library.read_bytes()
    except OSError:
        return None
    found = _SEAL.search(data, max(0, len(data) - _TAIL))
    if found is None or hashlib.sha256(data[: found.start()]).hexdigest() != found[2].decode():
        return None
    return found[1].decode()


def load_library(library: Path, functions: Mapping[str, Signature]) -> ctypes.CDLL:
    """Load a sealed library and declare its functions.

    Raises:
        CompilationError: it is damaged, cannot be loaded, or lacks a function.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A private copy is loaded: a rebuilt library of the same path would not be.
        private = Path(folder) / library.name
        try:
            shutil.copy(library, private)
        except OSError as error:
            raise CompilationError(
                f"{library} cannot be loaded: {error.strerror or error}; check that it is there "
                f"and that {tempfile.gettempdir()} has room"
            ) from error
        try:
            if sealed_key(private) is None:
                raise OSError("it is cut or damaged")
            loaded = ctypes.CDLL(str(private))
            for name, (result, arguments) in functions.items():
                function = getattr(loaded, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise CompilationError(
                f"{library} cannot be loaded: {error}; delete it and compile again"
            ) from error
    return loaded
