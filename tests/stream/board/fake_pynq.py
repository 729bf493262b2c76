"""What the driver uses of PYNQ, with the design in a simulation instead of a board.

Channels behave as those of ``pynq.lib.dma``: they refuse a transfer while one is under way, and one
that is longer than the DMA's length register; the receiving side ends with TLAST.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.tools.verilator import Simulator

#: A transfer that takes so many cycles hangs.
PATIENCE = 20_000


class Buffer(np.ndarray):
    """Memory of :func:`allocate`; the test looks whether it was freed."""

    freed = False
    channels: tuple[Channel, Channel]

    def freebuffer(self) -> None:
        assert not self.freed
        assert not self.channels[0].running
        assert not self.channels[1].running
        self.freed = True


class Board:
    """A Zynq board whose logic is ``simulation``, a module ``<project>_dma``.

    Args:
        simulation: of the module, after its reset.
        word_bytes: of the input and of the output.
        stalls: probability per cycle that the memory does not give or take a word.
        max_transfer: of the DMA.
    """

    def __init__(
        self,
        simulation: Simulator,
        word_bytes: tuple[int, int],
        stalls: float = 0.0,
        max_transfer: int = (1 << 26) - 1,
    ) -> None:
        self.simulation, self.stalls = simulation, stalls
        self.random = np.random.default_rng(0)
        #: Bytes of every word that are there, a bit each.
        self.keep = (1 << word_bytes[0]) - 1
        self.sendchannel = Channel(self, word_bytes[0], max_transfer)
        self.recvchannel = Channel(self, word_bytes[1], max_transfer)
        self.buffers: list[Buffer] = []
        self.bitfiles: list[Path] = []

    def module(self) -> Any:
        """The module ``pynq``."""
        return SimpleNamespace(Overlay=self._overlay, allocate=self._allocate)

    def _overlay(self, bitfile: str) -> Any:
        path = Path(bitfile)
        assert path.is_file(), "PYNQ raises OSError for a missing bitstream"
        assert path.with_suffix(".hwh").is_file(), "PYNQ wants the description beside it"
        self.bitfiles.append(path)
        dma = SimpleNamespace(sendchannel=self.sendchannel, recvchannel=self.recvchannel)
        return SimpleNamespace(dma=dma, frames=SimpleNamespace(mmio=self))

    def _allocate(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        # Memory of a board is not zero.
        buffer = np.full(shape, 0xA5, dtype).view(Buffer)
        buffer.channels = (self.sendchannel, self.recvchannel)
        self.buffers.append(buffer)
        return buffer

    def write(self, offset: int, value: int) -> None:
        """GPIO channel 1: data at 0."""
        assert offset == 0
        self.simulation.io.frames_i = value

    def read(self, offset: int) -> int:
        """GPIO channel 2: data at 8."""
        assert offset == 8
        return int(self.simulation.io.transfer_errors_o)

    def run(self, until: Channel) -> None:
        """Clock the design until the transfer of a channel is complete."""
        for _ in range(PATIENCE):
            if until.idle:
                return
            self._cycle()
        raise TimeoutError("the transfer hangs")

    def _cycle(self) -> None:
        io, send, receive = self.simulation.io, self.sendchannel, self.recvchannel
        give, take = self.random.random(2) >= self.stalls
        # TVALID must not fall before TREADY came.
        send.offered = not send.idle and (send.offered or bool(give))
        io.s_axis_tvalid = send.offered
        if send.offered:
            io.s_axis_tdata = int.from_bytes(send.words[0].tobytes(), "little")
            io.s_axis_tkeep = self.keep
            io.s_axis_tlast = len(send.words) == 1
        io.m_axis_tready = bool(take) and not receive.idle
        if io.s_axis_tvalid and io.s_axis_tready:
            send.words.popleft()
            send.offered = False
            send.idle = not send.words
        if io.m_axis_tvalid and io.m_axis_tready:
            receive.take(int(io.m_axis_tdata), bool(io.m_axis_tlast))
        self.simulation.clock.tick()


class Channel:
    """One direction of the DMA in simple mode."""

    def __init__(self, board: Board, word_bytes: int, max_transfer: int) -> None:
        self.board, self.word_bytes, self.max_transfer = board, word_bytes, max_transfer
        self.running, self.idle, self.offered = True, True, False
        self.words: deque[NDArray[np.uint8]] = deque()
        self.memory: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.filled = 0
        self.transfers: list[int] = []

    def transfer(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        """Begin a transfer."""
        length = nbytes or array.nbytes - start
        if not self.running:
            raise RuntimeError("DMA channel not started")
        if not self.idle:
            raise RuntimeError("DMA channel not idle")
        if length > self.max_transfer or start + length > array.nbytes:
            raise ValueError(f"transfer of {length} bytes is too long")
        assert not array.freed
        assert array.dtype == np.uint8
        assert array.ndim == 1
        self.idle, self.filled = False, 0
        self.transfers.append(length)
        self.memory = array[start : start + length].view(np.ndarray)
        if self is self.board.sendchannel:
            assert length % self.word_bytes == 0
            self.words = deque(self.memory.reshape(-1, self.word_bytes).copy())

    def wait(self) -> None:
        """Until the transfer is complete."""
        self.board.run(self)

    def stop(self) -> None:
        """Abort what is under way."""
        assert self.running
        self.running = False

    def take(self, word: int, last: bool) -> None:
        """A word of the core."""
        end = self.filled + self.word_bytes
        if end > len(self.memory):
            raise RuntimeError("DMA error: more words than the length of the transfer")
        self.memory[self.filled : end] = list(word.to_bytes(self.word_bytes, "little"))
        self.filled, self.idle = end, last
