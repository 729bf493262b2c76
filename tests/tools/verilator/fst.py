"""Reads what the tests look at in an FST file: its names, and the number of its signals.

Format: GTKWave's ``fstapi.c``; https://blog.timhutt.co.uk/fst_spec/.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER, _HIERARCHY_LZ4 = 0, 6
_SCOPE, _UPSCOPE, _ATTRIBUTE, _END_OF_ATTRIBUTE = 254, 255, 252, 253


def lz4_decompress(block: bytes, size: int) -> bytes:
    """Return the content of an LZ4 block; refuses what the format forbids."""
    out = bytearray()
    at = 0
    while at < len(block):
        token, at = block[at], at + 1
        count, at = _length(block, at, token >> 4)
        out += block[at : at + count]
        at += count
        if at == len(block):
            assert count >= 5 or size < 5 or len(out) == count, "a block ends with five literals"
            break
        offset = int.from_bytes(block[at : at + 2], "little")
        count, at = _length(block, at + 2, token & 15)
        assert 0 < offset <= len(out)
        assert len(out) <= size - 12, "no match starts in the last 12 bytes"
        for _ in range(count + 4):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def _length(block: bytes, at: int, count: int) -> tuple[int, int]:
    more = count == 15
    while more:
        count, more, at = count + block[at], block[at] == 255, at + 1
    return count, at


def fst_signals(path: Path) -> list[str]:
    """Return the full name of every signal of an FST file."""
    data = path.read_bytes()
    blocks = {}
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">Q", data, at + 1)
        blocks[data[at]] = data[at + 9 : at + 1 + length]
        at += 1 + length
    assert at == len(data)
    assert len(blocks[_HEADER]) == 321
    (size,) = struct.unpack_from(">Q", blocks[_HIERARCHY_LZ4])
    return _names(lz4_decompress(blocks[_HIERARCHY_LZ4][8:], size))


def fst_times(path: Path) -> tuple[int, int]:
    """Return first and last time of an FST file."""
    first, last = struct.unpack_from(">QQ", path.read_bytes(), 9)
    return first, last


def _names(data: bytes) -> list[str]:
    names: list[str] = []
    scope: list[str] = []
    at = 0

    def text() -> str:
        nonlocal at
        end = data.index(0, at)
        found, at = data[at:end].decode(), end + 1
        return found

    def number() -> None:
        nonlocal at
        while data[at] & 128:
            at += 1
        at += 1

    while at < len(data):
        tag, at = data[at], at + 1
        if tag == _SCOPE:
            at += 1
            scope.append(text())
            text()
        elif tag == _UPSCOPE:
            scope.pop()
        elif tag == _ATTRIBUTE:
            at += 2
            text()
            number()
        elif tag != _END_OF_ATTRIBUTE:
            at += 1
            names.append(".".join([*scope, text().split(" ")[0]]))
            number()
            number()
    return names
