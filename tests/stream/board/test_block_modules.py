"""The modules of a block alone: AXI4-Lite and video, every channel stalling at random."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import SimulationError
from hyq_hls.stream.board.block import block_module
from hyq_hls.stream.rtl.modules import module_file
from hyq_hls.tools.verilator import Simulator
from tests.tools.verilator.conftest import QUICK

pytestmark = pytest.mark.slow

WIDTH, HEIGHT, CHANNELS, BITS, COMPONENT_BITS = 4, 3, 3, 8, 10
#: Places of R, G and B in a pixel of the video.
PLACES = (2, 0, 1)
#: Both modules side by side: what is compiled costs less than that it is compiled.
BENCH = f"""\
module bench (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [5:0]  s_axi_awaddr, s_axi_araddr,
  input  logic [31:0] s_axi_wdata,
  input  logic [3:0]  s_axi_wstrb,
  input  logic s_axi_awvalid, s_axi_wvalid, s_axi_arvalid, s_axi_bready, s_axi_rready,
  output logic s_axi_awready, s_axi_wready, s_axi_arready, s_axi_bvalid, s_axi_rvalid,
  output logic [1:0]  s_axi_bresp, s_axi_rresp,
  output logic [31:0] s_axi_rdata,
  output logic        write_o,
  output logic [5:0]  write_address_o, read_address_o,
  output logic [31:0] write_data_o,
  output logic [3:0]  write_strobe_o,
  input  logic [31:0] read_data_i,
  input  logic [31:0] s_axis_tdata,
  input  logic s_axis_tuser, s_axis_tvalid, s_axis_tlast, m_axis_tready,
  output logic s_axis_tready, m_axis_tvalid, m_axis_tlast,
  output logic [7:0]  m_axis_tdata,
  output logic [15:0] errors_o
);
  hyq_axi_lite #(.AddressBits(6)) u_axi_lite (.*);
  hyq_video_input #(
    .Width({WIDTH}), .Height({HEIGHT}), .Channels({CHANNELS}), .ComponentBits({COMPONENT_BITS}),
    .Bits({BITS}), .Lanes(1), .Component(9'o{"".join(map(str, reversed(PLACES)))})
  ) u_video_input (.*);
endmodule
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modules")
    bench = folder / "bench.sv"
    bench.write_text(BENCH)
    modules = [module_file(name) for name in ("hyq_pkg", "hyq_stream_checker")]
    modules += [block_module(name) for name in ("hyq_axi_lite", "hyq_video_input")]
    return Simulator.build_library([*modules, bench], "bench", folder=folder, flags=QUICK)


class Offers:
    """The writer's side of a channel: what it offers stays until it is taken."""

    def __init__(self, io: Any, channel: str, words: list[dict[str, int]]) -> None:
        self.io, self.channel, self.words = io, channel, deque(words)
        self.offered = False

    def drive(self, rng: np.random.Generator, stall: float) -> None:
        """Set the wires of the next cycle; while nothing is offered they carry anything."""
        self.offered = bool(self.words) and (self.offered or rng.random() >= stall)
        self.io[f"{self.channel}valid"] = self.offered
        for name, value in (self.words[0] if self.words else {}).items():
            self.io[f"{self.channel}{name}"] = value if self.offered else int(rng.integers(2))

    def taken(self) -> bool:
        """Take the word away if this cycle moves it."""
        moved = self.offered and bool(self.io[f"{self.channel}ready"])
        if moved:
            self.words.popleft()
            self.offered = False
        return moved


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
def test_a_register_file_behind_axi_lite(library: Path, stall: float) -> None:
    """Writes by their strobes, reads of what was written; every channel by its own pace."""
    rng = np.random.default_rng(int(10 * stall))
    simulation = Simulator(library)
    simulation.reset()
    io = simulation.io
    count = 200
    addresses = rng.integers(0, 64, (2, count)).tolist()
    data = rng.integers(0, 1 << 32, count).tolist()
    strobes = rng.integers(0, 16, count).tolist()
    writes = list(zip(addresses[0], data, strobes, strict=True))
    channels = [
        Offers(io, "s_axi_aw", [{"addr": a} for a in addresses[0]]),
        Offers(io, "s_axi_w", [{"data": d, "strb": s} for d, s in zip(data, strobes, strict=True)]),
        Offers(io, "s_axi_ar", [{"addr": a} for a in addresses[1]]),
    ]
    memory, done, answers = dict.fromkeys(range(64), 0), 0, 0
    wanted: deque[int] = deque()
    read = 0
    for _ in range(20_000):
        for channel in channels:
            channel.drive(rng, stall)
        io.s_axi_bready = bool(rng.random() >= stall)
        io.s_axi_rready = bool(rng.random() >= stall)
        io.read_data_i = memory[int(io.read_address_o)]
        moved = [channel.taken() for channel in channels]
        if moved[2]:
            wanted.append(memory[int(io.s_axi_araddr)])
        if io.s_axi_bvalid and io.s_axi_bready:
            assert (answers, io.s_axi_bresp) < (done, 1), "an answer follows its write"
            answers += 1
        if io.s_axi_rvalid and io.s_axi_rready:
            assert (int(io.s_axi_rdata), int(io.s_axi_rresp)) == (wanted.popleft(), 0)
            read += 1
        if io.write_o:
            address, value, strobe = writes[done]
            assert int(io.write_address_o) == address
            assert (int(io.write_data_o), int(io.write_strobe_o)) == (value, strobe)
            memory[address] = value
            done += 1
        simulation.clock.tick()
        if answers == read == count:
            break
    assert (answers, read, done) == (count,) * 3
    assert not any(channel.words for channel in channels)


def test_a_master_that_withdraws_its_address_is_caught(
    library: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    simulation = Simulator(library)
    simulation.reset()
    io = simulation.io
    io.s_axi_awvalid, io.s_axi_awaddr = 1, 4
    simulation.clock.tick(2)  # the second address waits for the data of the first
    io.s_axi_awvalid = 0
    with pytest.raises(SimulationError, match="hyq_stream_checker"):
        simulation.clock.tick(2)
    assert "u_aw_checker" in capfd.readouterr().out


Pixel = tuple[int, bool, bool]  # data, first of a picture, last of a line


def picture(rng: np.random.Generator) -> tuple[np.ndarray, list[Pixel]]:
    """Codes (HEIGHT, WIDTH, CHANNELS) and the pixels of the video that carries them."""
    components = rng.integers(0, 1 << COMPONENT_BITS, (HEIGHT, WIDTH, CHANNELS))
    pixels = []
    for place in np.ndindex(HEIGHT, WIDTH):
        values = components[place].tolist()
        word = sum(v << COMPONENT_BITS * at for v, at in zip(values, PLACES, strict=True))
        pixels.append((word, place == (0, 0), place[1] == WIDTH - 1))
    return components >> (COMPONENT_BITS - BITS), pixels


def whole(codes: np.ndarray, pixels: int) -> list[tuple[int, bool]]:
    """Words of the first pixels of a frame, the last of them with TLAST if it is whole."""
    words = codes.reshape(-1).tolist()[: CHANNELS * pixels]
    return [(word, i == codes.size - 1) for i, word in enumerate(words)]


#: What may happen to the pixels of a picture: how many arrive whole, and whether it is given up.
def cut(pixels: list[Pixel], at: int) -> tuple[list[Pixel], int]:
    """The next picture begins before pixel ``at``."""
    return pixels[:at], at


def early(pixels: list[Pixel], at: int) -> tuple[list[Pixel], int]:
    """A line ends with pixel ``at``, which is not its last."""
    word, first, _ = pixels[at]
    return [*pixels[:at], (word, first, True), *pixels[at + 1 :]], at + 1


def late(pixels: list[Pixel], at: int) -> tuple[list[Pixel], int]:
    """The line of pixel ``at`` does not end where it should."""
    end = at // WIDTH * WIDTH + WIDTH - 1
    word, first, _ = pixels[end]
    return [*pixels[:end], (word, first, False), *pixels[end + 1 :]], end + 1


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_pictures_become_frames(library: Path, stall: float) -> None:
    rng = np.random.default_rng(3)
    sent: list[Pixel] = [(5, False, True), (6, False, False)]  # before the first picture
    wanted: list[tuple[int, bool]] = []
    errors = 0
    for _ in range(60):
        codes, pixels = picture(rng)
        kind = (None, None, cut, early, late)[rng.integers(5)]
        if kind is None:
            sent += pixels
            wanted += whole(codes, WIDTH * HEIGHT)
            continue
        # Not in the last line, whose last pixel ends the frame in any case.
        at = int(rng.choice([i for i in range(1, WIDTH * (HEIGHT - 1)) if (i + 1) % WIDTH]))
        pixels, passed = kind(pixels, at)
        sent += pixels
        wanted += [*whole(codes, passed), (0, True)]
        errors += 1
    codes, pixels = picture(rng)
    sent += pixels
    wanted += whole(codes, WIDTH * HEIGHT)
    # A line that does not end with the frame is an error of a frame that is whole.
    codes, pixels = picture(rng)
    sent += [*pixels[:-1], (pixels[-1][0], False, False)]
    wanted += whole(codes, WIDTH * HEIGHT)
    errors += 1

    simulation = Simulator(library)
    simulation.reset()
    io = simulation.io
    words = [{"data": d, "user": u, "last": t} for d, u, t in sent]
    source = Offers(io, "s_axis_t", words)
    found: list[tuple[int, bool]] = []
    for _ in range(100 * len(wanted)):
        source.drive(rng, stall)
        io.m_axis_tready = bool(rng.random() >= stall)
        if io.m_axis_tvalid and io.m_axis_tready:
            found.append((int(io.m_axis_tdata), bool(io.m_axis_tlast)))
        source.taken()
        simulation.clock.tick()
        if not source.words and len(found) >= len(wanted):
            break
    assert found == wanted
    assert int(io.errors_o) == errors > 10
