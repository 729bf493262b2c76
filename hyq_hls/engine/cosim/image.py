"""The bytes of DRAM for one frame: program, constants, input, output, scratch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine.layout import ceil_div
from hyq_hls.engine.program import Program
from hyq_hls.graph.operation import Codes

_PAGE = 4096
_ORIGIN = 0x1000_0000
#: Names of the parts behind the base registers, in their order.
BASES = ("constants", "input", "output", "scratch")


@dataclass(frozen=True)
class Part:
    """A part of the image.

    Attributes:
        name: "program", or one of ``BASES``.
        address: of its first byte.
        size: bytes.
        writable: whether the engine may write there.
    """

    name: str
    address: int
    size: int
    writable: bool


@dataclass(frozen=True, eq=False)
class Image:
    """The bytes of DRAM. Nobody may read or write the page behind each part.

    Attributes:
        data: the bytes; what the engine writes changes them.
        origin: address of the first byte.
        parts: the parts.
    """

    data: NDArray[np.uint8]
    origin: int
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, program: Program, codes: Codes, seed: int = 0) -> Image:
        """Return the image of a program and the codes of one sample.

        Args:
            program: the program.
            codes: codes of the input.
            seed: of the bytes that lie there before anything is written.
        """
        contents = {
            "program": np.frombuffer(program.code, np.uint8),
            "constants": program.constants,
            "input": program.input.pack(codes),
        }
        sizes = {name: content.size for name, content in contents.items()}
        sizes |= {"output": program.output.size, "scratch": program.scratch}
        parts, at = [], 0
        for name, size in sizes.items():
            parts.append(Part(name, _ORIGIN + at, size, name not in contents))
            at += (ceil_div(size, _PAGE) + 1) * _PAGE
        data = np.random.default_rng(seed).integers(0, 256, at, np.uint8)
        image = cls(data, _ORIGIN, tuple(parts))
        for name, content in contents.items():
            image.bytes_of(name)[:] = content
        return image

    def part(self, name: str) -> Part:
        """Return a part by its name."""
        (found,) = (p for p in self.parts if p.name == name)
        return found

    def bytes_of(self, name: str) -> NDArray[np.uint8]:
        """Return the bytes of a part, which share their data with the image."""
        part = self.part(name)
        start = part.address - self.origin
        return self.data[start : start + part.size]

    def parts_behind_bases(self) -> tuple[NDArray[np.uint8], ...]:
        """Return the bytes of the parts behind the base registers, in their order."""
        return tuple(self.bytes_of(name) for name in BASES)
