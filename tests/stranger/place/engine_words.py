"""Bytes in front of the engine: what lies in DRAM, and what the outputs must be.

Everything about the engine comes from ``integration.md`` in its project, but for the program and
the constants, which lie beside it.

    python engine_words.py write engine test.npz
    python engine_words.py compare engine test.npz out/net.hyq
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Frames that the test bench runs; it runs the first of them again at the end.
FRAMES = 4
#: Where the DRAM begins, and the multiple at which each buffer does.
BASE, ALIGNMENT = 0x1000_0000, 4096
#: Names of the buffers behind the registers of the page.
BUFFERS = {
    "PROGRAM": "Program",
    "BASE0": "Constants",
    "BASE1": "Input",
    "BASE2": "Output",
    "BASE3": "Scratch",
}
_LAYOUT = ("rows", "pixels", "channels", "pixel", "row", "planes", "smallest")


class EnginePageError(Exception):
    """The page does not say what is needed, or the outputs are not what it says."""


@dataclass(frozen=True)
class Layout:
    """How codes lie in memory, by the page.

    Attributes:
        rows: rows.
        pixels: of a row.
        channels: of a pixel.
        pixel: bytes of a pixel.
        row: bytes of a row.
        planes: bytes of a code.
        smallest: the smallest code.
    """

    rows: int
    pixels: int
    channels: int
    pixel: int
    row: int
    planes: int
    smallest: int

    def pack(self, codes: NDArray[np.int64]) -> bytes:
        """Return the bytes of the codes of a frame."""
        data = np.zeros((self.planes, self.rows, self.row), np.uint8)
        stored = codes.reshape(self.rows, self.pixels, self.channels) - self.smallest
        for plane, row, x in np.ndindex(self.planes, self.rows, self.pixels):
            at = x * self.pixel
            shift = 8 * (self.planes - 1 - plane)
            data[plane, row, at : at + self.channels] = (stored[row, x] >> shift) & 255
        return data.tobytes()

    def unpack(self, data: bytes) -> NDArray[np.int64]:
        """Return the codes (rows, pixels, channels) of the bytes of a frame."""
        size = self.planes * self.rows * self.row
        planes = np.frombuffer(data[:size], np.uint8).reshape(self.planes, self.rows, self.row)
        codes = np.zeros((self.rows, self.pixels, self.channels), np.int64)
        for row, x in np.ndindex(self.rows, self.pixels):
            for plane in planes:
                at = x * self.pixel
                codes[row, x] = 256 * codes[row, x] + plane[row, at : at + self.channels]
        return codes + self.smallest


@dataclass(frozen=True)
class EnginePage:
    """What ``integration.md`` says.

    Attributes:
        buffers: file and bytes of what lies behind a register, by its name; without a file, "".
        length: instructions of the program.
        cycles: of a frame.
        latency: of the DRAM in front of which it takes them.
        source: layout of the input.
        sink: layout of the output.
    """

    buffers: dict[str, tuple[str, int]]
    length: int
    cycles: int
    latency: int
    source: Layout
    sink: Layout

    @classmethod
    def read(cls, text: str) -> EnginePage:
        """Read the page.

        Raises:
            EnginePageError: something is missing.
        """
        buffers = {}
        for register in BUFFERS:
            row = _found(rf"^\| {register} \| (?:`(.+?)`|[^|]+) \| (\d+) \|", text)
            buffers[register] = (row[1] or "", int(row[2]))
        layouts = []
        for name in ("input", "output"):
            numbers = _found(rf"^\| {name} \|((?: -?\d+ \|){{{len(_LAYOUT)}}})$", text)[1]
            values = (int(number) for number in numbers.split("|")[:-1])
            layouts.append(Layout(**dict(zip(_LAYOUT, values, strict=True))))
        length = int(_found(r"write (\d+) to LENGTH", text)[1])
        cycles = int(_found(r"A frame takes ([\d,]+) cycles", text)[1].replace(",", ""))
        latency = int(_found(r"answers a burst after (\d+) cycles", text)[1])
        return cls(buffers, length, cycles, latency, *layouts)

    def addresses(self) -> dict[str, int]:
        """Return where each buffer lies, by the name of its register."""
        found, at = {}, BASE
        for register, (_, size) in self.buffers.items():
            found[register] = at
            at += -(-size // ALIGNMENT) * ALIGNMENT
        return found

    def package(self) -> str:
        """Return the SystemVerilog package that sizes the system."""
        addresses = self.addresses()
        end = addresses["BASE3"] + self.buffers["BASE3"][1]
        numbers = {
            "Base": BASE,
            **{BUFFERS[register]: address for register, address in addresses.items()},
            "Beats": -(-(end - BASE) // 8),
            "Length": self.length,
            "InputBeats": self.buffers["BASE1"][1] // 8,
            "OutputBeats": self.buffers["BASE2"][1] // 8,
            "PageCycles": self.cycles,
            "Latency": self.latency,
            "Frames": FRAMES,
        }
        lines = [f"  parameter int unsigned {name} = {value};" for name, value in numbers.items()]
        head = "// Sizes of the engine, from its integration.md."
        return "\n".join([head, "package engine_system_pkg;", *lines, "endpackage", ""])


def _found(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise EnginePageError(f"integration.md has no line like {pattern!r}")
    return match


def beats(data: bytes) -> list[str]:
    """Return words of 8 bytes in hexadecimal digits; the first byte lies lowest."""
    padded = data + bytes(-len(data) % 8)
    return [padded[i : i + 8][::-1].hex() for i in range(0, len(padded), 8)]


def write(page: EnginePage, project: Path, images: NDArray[np.generic]) -> None:
    """Write what the test bench reads."""
    lines = []
    for register, address in page.addresses().items():
        file, size = page.buffers[register]
        if file:
            data = (project / file).read_bytes()
            if len(data) != size:
                raise EnginePageError(f"{file} has {len(data)} bytes, the page says {size}")
            lines += [f"@{(address - BASE) // 8:x}", *beats(data)]
    inputs = [line for image in images for line in beats(page.source.pack(image.astype(np.int64)))]
    for name, text in (("dram.hex", lines), ("inputs.hex", inputs)):
        Path(name).write_text("\n".join([*text, ""]), encoding="utf-8")
    Path("engine_system_pkg.sv").write_text(page.package(), encoding="utf-8")


def compare(page: EnginePage, lines: list[str], wanted: NDArray[np.int64]) -> int:
    """Compare the outputs with the codes of the emulation; return their number.

    Raises:
        EnginePageError: a code differs, or an output is missing.
    """
    data = b"".join(bytes.fromhex(line)[::-1] for line in lines)
    size = page.buffers["BASE2"][1]
    order = [*range(FRAMES), 0]
    if len(data) != size * len(order):
        raise EnginePageError(f"{len(data)} bytes came, {size} for each of {len(order)} frames")
    for i, frame in enumerate(order):
        codes = page.sink.unpack(data[size * i : size * (i + 1)]).ravel()
        if not np.array_equal(codes, wanted[frame].ravel()):
            raise EnginePageError(
                f"output {i}, of frame {frame}, is {codes.tolist()}; "
                f"{wanted[frame].ravel().tolist()} is wanted"
            )
    return len(order)


def main(arguments: list[str]) -> int:
    """Run the command line; 1 when the page or the outputs are wrong."""
    command, project, data = arguments[0], Path(arguments[1]), Path(arguments[2])
    try:
        page = EnginePage.read((project / "integration.md").read_text(encoding="utf-8"))
        images = np.load(data)["images"][:FRAMES]
        if command == "write":
            write(page, project, images)
            print(f"dram.hex, inputs.hex with {len(images)} frames, engine_system_pkg.sv")
            return 0
        import hyq_hls  # noqa: PLC0415  (the bytes themselves need it not)

        wanted = hyq_hls.load(arguments[3]).codes(images, progress=False)
        lines = Path("received.hex").read_text(encoding="utf-8").split()
        print(f"{compare(page, lines, wanted)} outputs, and each is equal to the emulation")
    except EnginePageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
