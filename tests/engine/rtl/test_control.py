"""hyq_engine_registers, hyq_engine_control: programs run, stop where they are wrong, and count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.engine.rtl.axi import AxiMemory
from tests.engine.rtl.bench import simulator

pytestmark = pytest.mark.slow

PROGRAM, BYTES = 0x240, 1 << 13
CONTROL, STATUS, VERSION, LENGTH, ADDRESS, BASE0 = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
INTERRUPT, IDENTITY, FRAMES, ERRORS = 0x24, 0x28, 0x2C, 0x30
CYCLES, BUSY0, READ, ENDED = 0x40, 0x44, 0x5C, 0x64
BUSY, DONE, ERROR, RESETTING = 1, 2, 4, 8
START, SOFT_RESET = 1, 2
VERSION_ERROR, QUEUE_ERROR, READ_ERROR, WRITE_ERROR, TARGET_ERROR = range(1, 6)
LOAD, STORE, ARRAY = range(3)


def instruction(rng: np.random.Generator, queue: int, version: int = 1, target: int = 0) -> bytes:
    """Return 64 bytes; all that the control does not read is random."""
    words = rng.integers(0, 1 << 32, 16, dtype=np.uint64)
    words[0] = queue | version << 8 | target << 16
    return words.astype("<u4").tobytes()


class Host:
    """The machine, its memory, and units that take a random number of cycles."""

    def __init__(self, tmp: pytest.TempPathFactory) -> None:
        self.sim = simulator("control_bench", tmp.mktemp("control"), Pixels=4)

    def restart(self, seed: int, stall: float) -> None:
        self.rng = np.random.default_rng(seed)
        io = self.sim.io
        for name in ("s_axi_awvalid", "s_axi_wvalid", "s_axi_arvalid", "read_error_i"):
            io[name] = 0
        io.write_error_i = io.unit_done_i = 0
        self.axi = AxiMemory(self.sim, np.zeros(BYTES, np.uint8), self.rng, stall, 12)
        self.sim.reset()
        self.started: list[tuple[int, int]] = []
        self.left, self.unit = 0, 0
        self.busy = np.zeros(6, np.int64)

    def tick(self) -> None:
        """Let a cycle pass; a unit that starts will be done after some."""
        io = self.sim.io
        io.unit_done_i = self.unit if self.left == 1 else 0
        self.left = max(0, self.left - 1)
        if io.unit_start_o:
            assert io.unit_running_o == io.unit_start_o
            assert not self.left
            self.started.append((io.unit_start_o.bit_length() - 1, io.instruction_o))
            self.left, self.unit = int(self.rng.integers(1, 30)), io.unit_start_o
        for unit in range(6):
            self.busy[unit] += io.unit_running_o >> unit & 1
        if io.unit_running_o:
            assert io.instruction_o == self.started[-1][1]
        self.axi.tick()

    def write(self, address: int, value: int) -> None:
        io = self.sim.io
        io.s_axi_awaddr, io.s_axi_wdata, io.s_axi_bready = address, value, 1
        first = int(self.rng.integers(3))  # the address, the data, or both
        io.s_axi_awvalid, io.s_axi_wvalid = int(first != 1), int(first != 0)
        if first != 2:
            self.tick()
        io.s_axi_awvalid = io.s_axi_wvalid = 1
        while not io.s_axi_awready:
            self.tick()
        self.tick()
        io.s_axi_awvalid = io.s_axi_wvalid = 0
        while not io.s_axi_bvalid:
            self.tick()
        self.tick()

    def read(self, address: int) -> int:
        io = self.sim.io
        io.s_axi_araddr, io.s_axi_arvalid, io.s_axi_rready = address, 1, 0
        while not io.s_axi_arready:
            self.tick()
        self.tick()
        io.s_axi_arvalid = 0
        self.tick()
        assert io.s_axi_rvalid
        value = int(io.s_axi_rdata)
        io.s_axi_rready = 1
        self.tick()
        return value

    def start(self, program: Sequence[bytes]) -> None:
        data = b"".join(program)
        self.axi.data[PROGRAM : PROGRAM + len(data)] = np.frombuffer(data, np.uint8)
        self.write(LENGTH, len(program))
        self.write(ADDRESS, PROGRAM)
        self.write(CONTROL, 1)

    def wait(self) -> int:
        for _ in range(5000):
            if not self.read(CONTROL) & 1:
                return self.read(CONTROL)
        raise AssertionError("the program does not end")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory)


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_programs_run_in_their_order(host: Host, stall: float) -> None:
    host.restart(seed=1, stall=stall)
    assert host.read(VERSION) == 1 | 16 << 8 | 3 << 16 | 4 << 20
    for length in (1, 2, 17, 0):
        host.started.clear()
        host.busy[:] = 0
        beats = host.axi.read_beats
        program = [instruction(host.rng, int(host.rng.integers(6))) for _ in range(length)]
        host.start(program)
        assert host.wait() == DONE
        found = [(queue, word.to_bytes(64, "little")) for queue, word in host.started]
        assert found == [(text[0], text) for text in program]
        assert host.read(STATUS) == 0
        assert host.read(ENDED) == length
        assert [host.read(BUSY0 + 4 * unit) for unit in range(6)] == host.busy.tolist()
        assert host.read(READ) == host.axi.read_beats - beats == 8 * length
        assert host.read(CYCLES) >= host.busy.sum()


def test_the_next_instruction_is_fetched_while_one_runs(host: Host) -> None:
    host.restart(seed=2, stall=0.0)
    host.start([instruction(host.rng, ARRAY)] * 8)
    host.wait()
    assert host.read(CYCLES) < host.busy.sum() + 8 * 9 + 48


def test_registers_keep_what_was_written(host: Host) -> None:
    host.restart(seed=3, stall=0.0)
    values = {BASE0 + 4 * k: int(host.rng.integers(1 << 32)) & ~7 for k in range(4)}
    for address, value in values.items():
        host.write(address, value)
    assert {address: host.read(address) for address in values} == values
    bases = [host.sim.io.bases_o >> 32 * k & 0xFFFFFFFF for k in range(4)]
    assert bases == list(values.values())
    assert host.read(0x34) == host.read(0xFC) == 0
    assert host.read(IDENTITY).to_bytes(4, "big") == b"HYQE"


def test_the_interrupt_comes_and_goes(host: Host) -> None:
    host.restart(seed=4, stall=0.2)
    for enable in (0, 1):
        host.write(INTERRUPT, enable)
        host.start([instruction(host.rng, ARRAY)])
        assert not host.sim.io.interrupt_o
        host.wait()
        assert host.sim.io.interrupt_o == enable
        host.write(CONTROL, 0)
        assert not host.sim.io.interrupt_o


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"queue": ARRAY, "version": 2}, VERSION_ERROR),
        ({"queue": 6}, QUEUE_ERROR),
        ({"queue": 7}, QUEUE_ERROR),
        ({"queue": LOAD, "target": 6}, TARGET_ERROR),
        ({"queue": STORE, "target": 1}, TARGET_ERROR),
    ],
)
def test_a_wrong_instruction_stops_the_machine(
    host: Host, wrong: dict[str, int], error: int
) -> None:
    host.restart(seed=error, stall=0.3)
    right = [instruction(host.rng, ARRAY), instruction(host.rng, LOAD, target=5)]
    for place in (0, 2):
        host.started.clear()
        host.start([*right[:place], instruction(host.rng, **wrong), *right])
        assert host.wait() == DONE | ERROR
        assert host.read(STATUS) == error | place << 8
        assert len(host.started) == place
    host.start(right)
    assert host.wait() == DONE
    assert host.read(STATUS) == 0


@pytest.mark.parametrize(("port", "error"), [("read", READ_ERROR), ("write", WRITE_ERROR)])
def test_a_wrong_answer_stops_the_machine(host: Host, port: str, error: int) -> None:
    host.restart(seed=8, stall=0.3)
    host.start([instruction(host.rng, ARRAY) for _ in range(4)])
    while len(host.started) < 2 or not host.left:
        host.tick()
    host.sim.io[f"{port}_error_i"] = 1
    host.tick()
    host.sim.io[f"{port}_error_i"] = 0
    assert host.wait() == DONE | ERROR
    assert host.read(STATUS) == error | 1 << 8
    assert len(host.started) == 2


def test_a_reset_stops_the_machine(host: Host) -> None:
    host.restart(seed=9, stall=0.3)
    for cycles in range(1, 60, 9):
        host.start([instruction(host.rng, ARRAY) for _ in range(4)])
        for _ in range(cycles):
            host.tick()
        host.restart(seed=cycles, stall=0.3)
        host.start([instruction(host.rng, ARRAY)])
        assert host.wait() == DONE
        assert len(host.started) == 1


def counts(host: Host) -> tuple[int, int]:
    return host.read(FRAMES), host.read(ERRORS)


def test_programs_that_end_and_that_stop_are_counted(host: Host) -> None:
    host.restart(seed=10, stall=0.1)
    assert counts(host) == (0, 0)
    right, wrong = instruction(host.rng, ARRAY), instruction(host.rng, 7)
    for k, (program, wanted) in enumerate((([right], DONE), ([wrong], DONE | ERROR), ([], DONE))):
        host.start(program)
        assert host.wait() == wanted
        assert counts(host) == (1 + k // 2, (1 + k) // 2)


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_a_soft_reset_leaves_nothing_open(host: Host, stall: float) -> None:
    """It comes anywhere between the fetch of the first instruction and the end of the program."""
    during = set()
    for cycles in range(0, 40, 4):
        host.restart(seed=20 + cycles, stall=stall)
        host.write(INTERRUPT, 1)
        host.start([instruction(host.rng, ARRAY)])
        host.wait()
        host.write(CONTROL, 0)
        host.started.clear()
        host.start([instruction(host.rng, ARRAY) for _ in range(3)])
        for _ in range(3 * cycles):
            host.tick()
        host.write(CONTROL, SOFT_RESET | START)
        state = host.read(CONTROL)
        while state:
            assert state == BUSY | RESETTING
            state = host.read(CONTROL)
        during.add(len(host.started))
        assert host.axi.quiet
        assert not host.left
        for _ in range(50):
            host.tick()
            assert not host.sim.io.interrupt_o
            assert not host.sim.io.unit_running_o
        counters = range(CYCLES, ENDED + 4, 4)
        assert [host.read(a) for a in (CONTROL, STATUS, INTERRUPT, *counters)] == [0] * 13
        assert counts(host) == (0, 0)
        host.started.clear()
        host.start([instruction(host.rng, ARRAY), instruction(host.rng, STORE)])
        assert host.wait() == DONE
        assert [queue for queue, _ in host.started] == [ARRAY, STORE]
        assert (host.read(ENDED), *counts(host)) == (2, 1, 0)
    assert during >= {1, 2, 3}
