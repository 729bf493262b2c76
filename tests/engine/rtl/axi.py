"""A memory on the AXI channels of a simulated module, with latency, stalls and checks."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.tools.verilator import Simulator

_BEAT = 8
_MOST = 128  # beats of reads that are open


class _Ports:
    """The ports whose names begin with a prefix, without it."""

    def __init__(self, sim: Simulator, prefix: str) -> None:
        super().__setattr__("_of", (sim.io, prefix))

    def __getattr__(self, name: str) -> Any:
        io, prefix = self._of
        return io[prefix + name]

    def __setattr__(self, name: str, value: Any) -> None:
        io, prefix = self._of
        io[prefix + name] = value

    __getitem__ = __getattr__
    __setitem__ = __setattr__


class AxiMemory:
    """Bytes behind AXI ports named ``arvalid`` and so on; every cycle goes through :meth:`tick`.

    It checks what a port of a Zynq-7000 wants: bursts of at most 16 beats inside 4 KB, whole beats,
    offers that stay as they are until they are taken, no data before its address, ``wlast`` with
    the last beat, addresses inside the memory.

    Args:
        sim: the module.
        data: the bytes; writes change them.
        rng: decides about stalls.
        stall: chance that a channel stalls in a cycle.
        latency: cycles from the address of a burst to its first beat, or to its answer.
        prefix: what the names of the ports begin with.
    """

    def __init__(
        self,
        sim: Simulator,
        data: NDArray[np.uint8],
        rng: np.random.Generator,
        stall: float,
        latency: int,
        prefix: str = "",
    ) -> None:
        self.sim, self.data, self.rng = sim, data, rng
        self.stall, self.latency = stall, latency
        self.io = _Ports(sim, prefix)
        self.cycle = 0
        #: Beats to be read: when they may come, and their address.
        self.reads: deque[tuple[int, int]] = deque()
        #: Beats to be written: address, whether it is the last.
        self.writes: deque[tuple[int, bool]] = deque()
        self.answers: deque[int] = deque()
        self.read_beats = self.written_beats = 0
        self._answering: dict[str, bool] = {"r": False, "b": False}
        self._waiting: dict[str, dict[str, Any]] = {}
        #: Whether the module has the write channels too.
        self.writes_too = f"{prefix}awvalid" in dir(sim.io)
        self.channels = ("ar", "r", *(("aw", "w", "b") if self.writes_too else ()))
        for name in (
            "arready",
            "rvalid",
            *(("awready", "wready", "bvalid") if self.writes_too else ()),
        ):
            self.io[name] = 0

    def _free(self) -> bool:
        return self.rng.random() >= self.stall

    def _burst(self, channel: str) -> list[int]:
        io = self.io
        address, beats = io[f"{channel}addr"], io[f"{channel}len"] + 1
        assert address % _BEAT == 0, hex(address)
        assert address // 4096 == (address + _BEAT * beats - 1) // 4096, hex(address)
        assert address + _BEAT * beats <= len(self.data), hex(address)
        return [address + _BEAT * beat for beat in range(beats)]

    def _stays(self, channel: str, valid: str, fields: tuple[str, ...], taken: bool) -> None:
        """Check that an offer that was not taken is still there."""
        now = {name: self.io[name] for name in (valid, *fields)}
        before = self._waiting.pop(channel, None)
        assert before is None or before == now, (channel, before, now)
        if now[valid] and not taken:
            self._waiting[channel] = now

    def tick(self) -> None:
        """Let a cycle pass."""
        io = self.io
        # What is offered stays offered.
        self._answering["r"] |= bool(self.reads and self.reads[0][0] <= self.cycle and self._free())
        io.rvalid, io.rdata = int(self._answering["r"]), int(self.rng.integers(1 << 62))
        if io.rvalid:
            address = self.reads[0][1]
            io.rdata = int.from_bytes(self.data[address : address + _BEAT].tobytes(), "little")
        io.arready = int(self._free() and len(self.reads) < _MOST)
        if self.writes_too:
            self._offer_writes()
        taken = {c: io[f"{c}valid"] and io[f"{c}ready"] for c in self.channels}
        self._stays("ar", "arvalid", ("araddr", "arlen"), taken["ar"])
        if taken["r"]:
            self.reads.popleft()
            self._answering["r"] = False
            self.read_beats += 1
        if taken["ar"]:
            self.reads.extend((self.cycle + self.latency, a) for a in self._burst("ar"))
        if self.writes_too:
            self._take_writes(taken)
        self.sim.clock.tick()
        self.cycle += 1

    def _offer_writes(self) -> None:
        io = self.io
        io.awready = int(self._free())
        io.wready = int(self._free() and bool(self.writes))
        self._answering["b"] |= bool(
            self.answers and self.answers[0] <= self.cycle and self._free()
        )
        io.bvalid = int(self._answering["b"])

    def _take_writes(self, taken: dict[str, bool]) -> None:
        io = self.io
        self._stays("aw", "awvalid", ("awaddr", "awlen"), taken["aw"])
        self._stays("w", "wvalid", ("wdata", "wstrb", "wlast"), taken["w"])
        if taken["b"]:
            self.answers.popleft()
            self._answering["b"] = False
        assert not io.wvalid or self.writes, "data comes before its address"
        if taken["w"]:
            address, last = self.writes.popleft()
            assert io.wlast == last
            beat = np.frombuffer(io.wdata.to_bytes(_BEAT, "little"), np.uint8)
            written = [k for k in range(_BEAT) if io.wstrb >> k & 1]
            self.data[address + np.array(written, np.int64)] = beat[written]
            self.written_beats += 1
            if last:
                self.answers.append(self.cycle + self.latency)
        if taken["aw"]:
            beats = self._burst("aw")
            self.writes.extend((a, a == beats[-1]) for a in beats)

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not (self.reads or self.writes or self.answers)
