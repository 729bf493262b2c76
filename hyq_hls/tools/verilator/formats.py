"""Codes travel as words of lanes at the ports, and in streams inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError


@dataclass(frozen=True)
class StreamFormat:
    """Words ("beats") of a frame, and the codes in a word; lane 0 has the lowest bits.

    Attributes:
        beats: words of a frame.
        lanes: codes of a word.
        bits: width of a code, 1 to 64.
        signed: two's complement.
    """

    beats: int
    lanes: int
    bits: int
    signed: bool

    def __post_init__(self) -> None:
        if self.beats < 1 or self.lanes < 1 or not 1 <= self.bits <= 64:
            raise GraphError(
                "a stream format needs beats >= 1, lanes >= 1 and 1 to 64 bits, found "
                f"beats={self.beats}, lanes={self.lanes}, bits={self.bits}"
            )

    @property
    def codes(self) -> int:
        """Codes of a frame."""
        return self.beats * self.lanes

    @property
    def port_bits(self) -> int:
        """Bits of a lane at an AXI4-Stream port: whole bytes."""
        return -(-self.bits // 8) * 8

    @property
    def low(self) -> int:
        """Smallest code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest code."""
        return (1 << (self.bits - self.signed)) - 1

    def check(self, codes: NDArray[Any], name: str) -> None:
        r"""Raise :class:`GraphError` unless ``codes`` (B, \*) are whole frames in range."""
        if not np.issubdtype(codes.dtype, np.integer):
            raise GraphError(f"{name}: integers are wanted, found dtype {codes.dtype}")
        if codes.ndim < 2 or not len(codes) or codes[0].size != self.codes:
            raise GraphError(
                f"{name}: frames of {self.beats} beats x {self.lanes} lanes = {self.codes} codes "
                f"are wanted, behind a batch axis of at least 1; found shape {codes.shape}"
            )
        if codes.min() < self.low or codes.max() > self.high:
            raise GraphError(
                f"{name}: codes in [{codes.min()}, {codes.max()}] leave the range "
                f"[{self.low}, {self.high}]"
            )


@dataclass(frozen=True)
class StreamInfo:
    """A stream inside the design: wires ``<name>_wr_valid`` and so on of the top module.

    Attributes:
        name: name of the stream.
        format: how its codes travel.
        endless: whether its writer waits for no frame, and so goes on behind the last one.
    """

    name: str
    format: StreamFormat
    endless: bool = False
