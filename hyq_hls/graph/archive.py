"""The members of a ``.hyq`` file, read within limits: the file may come from a stranger."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from hyq_hls.errors import FileFormatError

DOCUMENT = "graph.json"
#: A fixed time stamp, so that the same graph gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: zlib can stop at a number of bytes; the other methods of zip files cannot.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The last record of a zip file: signature, four counts, size and place of the list of members,
#: length of a comment.
_END = struct.Struct("<4s4H2LH")
#: Size of the record before it, in files that are too large for the last one.
_LOCATOR_BYTES = 20
#: Size of the list of members, some ten thousand of them.
_MOST_LIST_BYTES = 1 << 22


@dataclass(frozen=True)
class Limits:
    """Limits of what a file may ask of its reader; sizes are checked before anything is read.

    Attributes:
        file_bytes: size of the file.
        document_bytes: size of its ``graph.json``, unpacked.
        array_bytes: size of its arrays, unpacked, all together.
        tensor_codes: number of codes of one tensor of one sample.
    """

    file_bytes: int = 1 << 30
    document_bytes: int = 1 << 26
    array_bytes: int = 1 << 30
    tensor_codes: int = 1 << 28

    def check(self, name: str, found: int, what: str) -> None:
        """Raise ``FileFormatError`` where ``found`` is more than the limit ``name``."""
        most = getattr(self, name)
        if found > most:
            raise FileFormatError(
                f"{what} is {found:,}, and {most:,} are allowed; if you trust the file, load it "
                f"with limits=Limits({name}={found})"
            )


def write_archive(path: Path, document: dict[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a new file of a document and its arrays, whose checksums the document gets.

    Raises:
        ValueError, TypeError: the document is more than plain JSON values.
    """
    contents = {f"{key}.npy": _npy(value) for key, value in arrays.items()}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    text = json.dumps({**document, "sha256": digests}, indent=1).encode()
    with path.open("xb") as handle, zipfile.ZipFile(handle, "w") as archive:
        for name, data in {DOCUMENT: text, **contents}.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


class Archive:
    """An open ``.hyq`` file; an array is read when it is used, and checked.

    Attributes:
        document: the content of ``graph.json``.

    Raises:
        FileFormatError: the document is no document, or asks for more than the limits.
        ValueError, KeyError: the document is damaged.
    """

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._used: set[str] = set()
        self._array_bytes = 0
        info = archive.getinfo(DOCUMENT)
        limits.check("document_bytes", info.file_size, f"the number of bytes of {DOCUMENT}")
        self.document = json.loads(_read(archive, info))
        # An unpaired surrogate is a legal escape in JSON, but no text can be written with it.
        json.dumps(self.document, ensure_ascii=False).encode()
        if not isinstance(self.document, dict):
            raise FileFormatError(f"{DOCUMENT} is damaged: an object is wanted")

    def array(self, key: str) -> np.ndarray[Any, Any]:
        """Read an array.

        Raises:
            FileFormatError: it does not match its checksum, or all arrays together are too large.
            ValueError, KeyError: it is damaged or missing.
        """
        name = f"{key}.npy"
        info = self._archive.getinfo(name)
        self._used.add(name)
        self._array_bytes += info.file_size  # once per use: every node has a copy of its own
        self._limits.check("array_bytes", self._array_bytes, "the number of bytes of all arrays")
        data = _read(self._archive, info)
        if hashlib.sha256(data).hexdigest() != self.document["sha256"][name]:
            raise FileFormatError(f"array {name} does not match its checksum")
        return _array(data)

    def check_all_used(self) -> None:
        """Raise ``FileFormatError`` where the file holds something that nobody used."""
        others = (set(self._archive.namelist()) | set(self.document["sha256"])) - {DOCUMENT}
        if others != self._used:
            raise FileFormatError(f"damaged: {min(others - self._used)} belongs to no node")


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open a file for reading.

    Raises:
        FileFormatError: the file is none, or asks for more than the limits.
        OSError, ValueError, KeyError, zipfile.BadZipFile: the file is damaged.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FileFormatError("a file is wanted, found a folder, a device or a pipe")
    limits.check("file_bytes", found.st_size, "the number of bytes of the file")
    with path.open("rb") as handle:
        _check_end(handle)
        with zipfile.ZipFile(handle) as archive:
            yield Archive(archive, limits)


def _check_end(handle: IO[bytes]) -> None:
    """Check that the list of members is short, because ``zipfile`` reads all of it at once."""
    handle.seek(-_END.size - _LOCATOR_BYTES, 2)
    locator, end = handle.read(_LOCATOR_BYTES), handle.read()
    signature, *_, list_bytes, _, comment_bytes = _END.unpack(end)
    if signature != b"PK\5\6" or comment_bytes or locator.startswith(b"PK\6\7"):
        raise ValueError("it does not end as such a file does")
    if list_bytes > _MOST_LIST_BYTES:
        raise ValueError(f"its list of members has {list_bytes:,} bytes")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member: no more than its entry says, whatever is packed in it."""
    if info.compress_type not in _METHODS:
        raise FileFormatError(f"{info.filename} is packed by an unknown method; save it again")
    with archive.open(info) as member:
        data = member.read(info.file_size)
        while len(data) < info.file_size and (more := member.read(info.file_size - len(data))):
            data += more
    return data


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes) -> np.ndarray[Any, Any]:
    """Return the array of a ``.npy`` file; its header cannot ask for more than the file holds."""
    stream = io.BytesIO(data)
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if prod(shape) * max(dtype.itemsize, 1) != len(data) - stream.tell():
        raise ValueError(f"an array of shape {shape} is announced, other bytes follow")
    stream.seek(0)
    array: np.ndarray[Any, Any] = np.load(stream, allow_pickle=False)
    return array
