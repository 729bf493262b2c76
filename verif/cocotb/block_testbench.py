"""The cocotb side of a block: a host at its registers, a source and a sink at its streams.

Runs inside the simulator that ``simulate.py`` starts; ``HYQ_TASK`` names the file with the task.
Every channel of AXI4-Lite and both streams pause at random.
"""

from __future__ import annotations

import os
import random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamSink, AxiStreamSource
from numpy.typing import NDArray

from verif.cocotb.protocol import StreamRules
from verif.cocotb.testbench import _PERIOD, _reset, _watch, _wire, pauses

CONTROL, STATUS, FRAMES_OUT, FRAMES_IN, FRAME_ERRORS = 0x0C, 0x10, 0x14, 0x18, 0x1C
ENABLE, PENDING = 0x20, 0x24
#: Constants, in the order in which the test compares them.
CONSTANTS = (0x00, 0x04, 0x08, 0x28, 0x2C, 0x30, 0x34, CONTROL)


class _Bench:
    """Host, source and sink of a block."""

    def __init__(
        self,
        dut: HierarchyObject,
        task: dict[str, np.ndarray],
        source: AxiStreamSource,
        sink: AxiStreamSink,
    ) -> None:
        self.dut, self.task, self.source, self.sink = dut, task, source, sink
        self.clock = _wire(dut, "aclk")
        self.host = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axi"),
            self.clock,
            _wire(dut, "aresetn"),
            reset_active_level=False,
        )
        seeds = random.Random(int(task["seed"]) + 1)
        reads, writes = self.host.read_if, self.host.write_if
        for channel in (
            *(reads.ar_channel, reads.r_channel),
            *(writes.aw_channel, writes.w_channel, writes.b_channel),
        ):
            channel.set_pause_generator(pauses(random.Random(seeds.random()), 0.4))

    async def read(self, address: int) -> int:
        return int(await self.host.read_dword(address))

    async def write(self, address: int, value: int) -> None:
        await self.host.write_dword(address, value)

    async def expect(self, address: int, value: int) -> None:
        found = await self.read(address)
        assert found == value, f"register 0x{address:02X} is {found:#x}, {value:#x} is wanted"

    async def frame(self) -> NDArray[np.uint8]:
        cycles = int(self.task["frame_cycles"])
        received = await with_timeout(self.sink.recv(), _PERIOD * cycles, "ns")
        return np.frombuffer(bytes(received.tdata), np.uint8)

    async def ready(self) -> None:
        """Wait until no soft reset is under way."""
        for _ in range(1000):
            if not await self.read(STATUS) & 1:
                return
        raise AssertionError("the soft reset does not end")

    def interrupt(self) -> bool:
        return bool(_wire(self.dut, "irq").value)


@cocotb.test()
async def block(dut: HierarchyObject) -> None:
    """Whole frames, a wrong one, and soft resets in the middle of frames."""
    task = dict(np.load(os.environ["HYQ_TASK"]))
    source, sink = await _reset(dut, task)
    rules = StreamRules("m_axis", int(task["m_axis_beats"]))
    cocotb.start_soon(_watch(dut, rules))
    bench = _Bench(dut, task, source, sink)
    constants = [await bench.read(address) for address in CONSTANTS]
    found = await _whole_frames(bench)
    found += await _a_wrong_frame(bench)
    found += await _reset_while_the_output_waits(bench)
    found += await _reset_without_waiting(bench)
    np.savez(os.environ["HYQ_RESULT"], frames=np.stack(found), constants=constants)


async def _whole_frames(bench: _Bench) -> list[NDArray[np.uint8]]:
    """All frames back to back; the interrupt comes when it is enabled, and goes when cleared."""
    frames = bench.task["frames"]
    await bench.expect(STATUS, 0)
    for frame in frames:
        bench.source.send_nowait(frame.tobytes())
    found = [await bench.frame()]
    await ClockCycles(bench.clock, 2)
    assert not bench.interrupt(), "the interrupt is not enabled"
    await bench.write(ENABLE, 0x3)
    await bench.expect(ENABLE, 0x3)
    assert bench.interrupt(), "a frame has left"
    found += [await bench.frame() for _ in frames[1:]]
    await bench.expect(PENDING, 0x1)
    await bench.write(PENDING, 0x2)
    assert bench.interrupt(), "another bit was cleared"
    await bench.write(PENDING, 0x1)
    assert not bench.interrupt()
    for register in (FRAMES_OUT, FRAMES_IN):
        await bench.expect(register, len(frames))
    await bench.expect(STATUS, 0)
    return found


async def _a_wrong_frame(bench: _Bench) -> list[NDArray[np.uint8]]:
    """Half a frame, which nobody looks at, and a whole one."""
    frame = bench.task["frames"][0]
    bench.source.send_nowait(frame[: frame.size // 2].tobytes())
    bench.source.send_nowait(frame.tobytes())
    await bench.frame()
    found = await bench.frame()
    await bench.expect(FRAME_ERRORS, 1)
    await bench.expect(PENDING, 0x3)
    await bench.write(PENDING, 0x3)
    return [found]


async def _reset_while_the_output_waits(bench: _Bench) -> list[NDArray[np.uint8]]:
    """The frame that has begun to leave is completed, the one that comes in is dropped."""
    frames = bench.task["frames"]
    bench.sink.clear_pause_generator()
    bench.sink.pause = False
    beats = int(bench.task["m_axis_beats"])
    for frame in frames[:3]:
        bench.source.send_nowait(frame.tobytes())
    edge = RisingEdge(bench.clock)
    taken = 0
    while taken < beats // 2:
        await edge
        taken += all(int(_wire(bench.dut, f"m_axis_{w}").value) for w in ("tvalid", "tready"))
    bench.sink.pause = True
    await ClockCycles(bench.clock, 40)
    await bench.write(CONTROL, 0x1)
    await bench.expect(STATUS, 0x3)
    bench.sink.pause = False
    broken = await bench.frame()
    await bench.ready()
    await bench.source.wait()
    # What the source sent after the frame that was dropped came through.
    for _ in range(await bench.read(FRAMES_IN)):
        await bench.frame()
    await bench.expect(FRAME_ERRORS, 0)
    bench.source.send_nowait(frames[0].tobytes())
    return [broken, await bench.frame()]


async def _reset_without_waiting(bench: _Bench) -> list[NDArray[np.uint8]]:
    """A source that stands still in its frame holds up a soft reset, but not one by force."""
    frames = bench.task["frames"]
    bench.source.clear_pause_generator()
    bench.source.send_nowait(frames[1].tobytes())
    edge = RisingEdge(bench.clock)
    taken = 0
    while taken < 3:
        await edge
        taken += all(int(_wire(bench.dut, f"s_axis_{w}").value) for w in ("tvalid", "tready"))
    bench.source.pause = True
    await ClockCycles(bench.clock, 40)
    await bench.write(CONTROL, 0x1)
    await bench.frame()  # it had begun to leave, and is completed
    await ClockCycles(bench.clock, 50)
    await bench.expect(STATUS, 0x3)
    await bench.write(CONTROL, 0x3)
    await bench.ready()
    bench.source.pause = False
    await bench.frame()  # the rest of the frame is a short one
    await bench.expect(FRAME_ERRORS, 1)
    bench.source.send_nowait(frames[2].tobytes())
    return [await bench.frame()]
