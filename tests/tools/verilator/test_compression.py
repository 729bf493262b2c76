"""The compression under the FST writer: what goes in comes out of a decoder written beside it."""

from __future__ import annotations

import ctypes
import subprocess
import zlib

import numpy as np
import pytest

from hyq_hls.tools.verilator.compiler import compiler
from hyq_hls.tools.verilator.tool import DRIVERS
from tests.tools.verilator.fst import lz4_decompress

pytestmark = pytest.mark.slow

_SOURCE = """
#include "lz4.h"
#include "zlib.h"
extern "C" int lz4(const char* in, char* out, int size) {
  return LZ4_compress_default(in, out, size, LZ4_compressBound(size));
}
extern "C" unsigned long bound(unsigned long size) { return compressBound(size); }
extern "C" unsigned long deflate_stored(const unsigned char* in, unsigned char* out,
                                        unsigned long size) {
  unsigned long written = compressBound(size);
  return compress2(out, &written, in, size, 9) == Z_OK ? written : 0;
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("compression")
    (folder / "x.cpp").write_text(_SOURCE)
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined"]
    flags += ["-fno-sanitize-recover", "-shared", "-fPIC", "-I", str(DRIVERS / "fst")]
    subprocess.run([compiler(), *flags, "x.cpp", "-o", "x.so"], cwd=folder, check=True)
    found = ctypes.CDLL(str(folder / "x.so"))
    found.bound.restype = found.deflate_stored.restype = ctypes.c_ulong
    return found


def contents() -> list[bytes]:
    rng = np.random.default_rng(0)
    sizes = [0, 1, 4, 5, 11, 12, 13, 14, 20, 300, 4096]
    random = [rng.integers(0, 256, n, dtype=np.uint8).tobytes() for n in sizes]
    few = [rng.integers(0, 3, n, dtype=np.uint8).tobytes() for n in [*sizes, 70_000]]
    alike = [bytes(n) for n in [*sizes, 200_000]]
    far = rng.integers(0, 256, 66_000, dtype=np.uint8).tobytes()
    return [*random, *few, *alike, far + far, far[:65_535] + far[:65_535]]


def test_every_byte_comes_back(library: ctypes.CDLL) -> None:
    for data in contents():
        check(library, data)


def check(library: ctypes.CDLL, data: bytes) -> None:
    out = ctypes.create_string_buffer(len(data) + len(data) // 255 + 16)
    size = library.lz4(data, out, len(data))
    assert 0 < size <= len(out)
    assert lz4_decompress(out.raw[:size], len(data)) == data
    stored = ctypes.create_string_buffer(library.bound(len(data)))
    written = library.deflate_stored(data, stored, ctypes.c_ulong(len(data)))
    assert zlib.decompress(stored.raw[:written]) == data


def test_repetition_is_small(library: ctypes.CDLL) -> None:
    data = bytes(range(100)) * 1000
    out = ctypes.create_string_buffer(len(data) + len(data) // 255 + 16)
    assert library.lz4(data, out, len(data)) < len(data) // 100
