"""Codes of a stream lie in the words of a DMA, whose widths are powers of two bytes."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.stream.flow import Stream
from hyq_hls.stream.rtl.plumbing import code_bytes


@dataclass(frozen=True)
class WordFormat:
    """A stream of the top level, one beat in each word of a DMA.

    Attributes:
        shape: shape of a frame, without the batch axis.
        beats: words of a frame.
        lanes: codes of a word; lane 0 has the lowest bytes.
        bits: width of a code.
        signed: whether codes are in two's complement.
        code_bytes: bytes of a code; those above ``bits`` extend it.
        word_bytes: the smallest power of two that holds all lanes; bytes above them are zero.
    """

    shape: tuple[int, ...]
    beats: int
    lanes: int
    bits: int
    signed: bool
    code_bytes: int
    word_bytes: int

    @classmethod
    def of(cls, stream: Stream) -> WordFormat:
        """Describe the words of ``stream`` as a DMA sees them."""
        quantization, width = stream.type.quantization, code_bytes(stream.type)
        return cls(
            shape=stream.type.shape,
            beats=stream.beats,
            lanes=stream.lanes,
            bits=quantization.bits,
            signed=quantization.signed,
            code_bytes=width,
            word_bytes=1 << (stream.lanes * width - 1).bit_length(),
        )

    @property
    def beat_bytes(self) -> int:
        """Bytes of a beat at the port of the core."""
        return self.lanes * self.code_bytes
