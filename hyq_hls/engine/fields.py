"""The places of the fields in an instruction: section 3 of ``docs/engine.md`` as tables."""

from __future__ import annotations

from typing import NamedTuple

VERSION = 1
WORDS = 16
QUEUES = ("load", "store", "array", "move", "softmax", "norm")


class Field(NamedTuple):
    """A field of an instruction.

    Attributes:
        name: attribute of the instruction; ``src.base`` is one of a view.
        word: 32-bit word in which it lies.
        low: its lowest bit.
        width: its bits.
        signed: whether it is two's complement.
        offset: what the stored number is less than the value.
    """

    name: str
    word: int
    low: int
    width: int
    signed: bool = False
    offset: int = 0

    @property
    def smallest(self) -> int:
        """The smallest value."""
        return (-(1 << (self.width - 1)) if self.signed else 0) + self.offset

    @property
    def largest(self) -> int:
        """The largest value."""
        return self.smallest + (1 << self.width) - 1


def _view(name: str, word: int) -> tuple[Field, ...]:
    halves = ((word, 0, "base"), (word, 16, "row"), (word + 1, 0, "group"), (word + 1, 16, "x0"))
    return tuple(Field(f"{name}.{part}", w, low, 16) for w, low, part in halves)


_TRANSFER = (
    Field("target", 0, 16, 3),
    Field("base", 0, 20, 2),
    Field("offset", 4, 0, 32),
)
_MAP = (
    Field("rows", 5, 0, 16),
    Field("pixels", 5, 16, 16),
    Field("words", 6, 0, 16),
    Field("planes", 6, 16, 8),
    Field("x_first", 6, 24, 8),
    Field("pitch", 7, 0, 32),
    *_view("view", 8),
    Field("plane", 10, 0, 16),
)
_ROWS = (*_view("src", 4), *_view("dst", 6), Field("rows", 8, 0, 16), Field("pixels", 8, 16, 16))

#: Fields of every kind of instruction, beside queue, version and waits.
FIELDS: dict[str, tuple[Field, ...]] = {
    "load_map": (*_TRANSFER, *_MAP),
    "load_block": (*_TRANSFER, Field("count", 5, 0, 32), Field("dest", 8, 0, 16)),
    "store": (*_TRANSFER, *_MAP),
    "array": (
        *_ROWS,
        Field("ky_stride", 9, 0, 16),
        Field("pass_stride", 9, 16, 16),
        Field("kx_words", 10, 0, 16),
        Field("wrap_words", 10, 16, 16),
        Field("kx_shift", 11, 0, 8),
        Field("kx_plane", 11, 8, 4),
        Field("planes", 11, 12, 4),
        Field("c0", 11, 16, 16),
        Field("steps", 12, 0, 16),
        Field("kernel_y", 12, 16, 8),
        Field("kernel_x", 12, 24, 8),
        Field("groups", 13, 0, 8),
        Field("depthwise", 13, 8, 1),
        Field("source", 13, 9, 2),
        Field("signed", 13, 11, 1),
        Field("prologue", 13, 12, 1),
        Field("passes", 13, 13, 2, offset=1),
        Field("hold", 13, 15, 1),
        Field("bits", 13, 16, 5),
        Field("table", 13, 21, 1),
        Field("bank", 13, 22, 1),
        Field("high", 13, 23, 1),
        Field("one_hot", 13, 24, 5),
        Field("digits", 13, 29, 1),
        Field("repeat", 13, 30, 1),
        Field("weights", 14, 0, 16),
        Field("weight_group", 14, 16, 16),
        Field("param", 15, 0, 8),
        Field("constant", 15, 8, 9, signed=True),
        Field("first", 15, 17, 4),
        Field("channels", 15, 21, 11),
    ),
    "move": (
        Field("kind", 0, 16, 1),
        *_view("src", 4),
        Field("tokens", 6, 0, 16),
        Field("channels", 6, 16, 16),
        Field("c0", 7, 0, 16),
        Field("first", 7, 16, 4),
        Field("param", 7, 24, 8),
        Field("weights", 8, 0, 16),
    ),
    "softmax": (
        Field("kind", 0, 16, 2),
        *_ROWS,
        Field("length", 9, 0, 16),
        Field("bits", 9, 16, 5),
        Field("high", 10, 0, 16),
    ),
    "norm": (*_ROWS, Field("bits", 9, 0, 5)),
}
