"""A back end must know this of an operation: compile-time parameters and constant memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.errors import GraphError


class Signed(int):
    """A constant that may be negative, such as a code: ``int`` in C++, not ``unsigned``."""


#: ``luts_per_block`` of a memory that a directive keeps in LUTs, whatever its size.
IN_LUTS = 1 << 30


@dataclass(frozen=True)
class Memory:
    """Shape of a memory in a circuit.

    Attributes:
        width: bits of a word.
        depth: words.
        constant: read-only; otherwise with one write port and one read port.
        luts_per_block: it lies in block RAM where logic would take more LUTs for each RAMB18; 0
            forces block RAM, None leaves it to the template.
    """

    width: int
    depth: int
    constant: bool = False
    luts_per_block: int | None = None


@dataclass(frozen=True)
class Rom:
    """A constant memory of integers, ``bits`` wide; checked, so that nothing wraps on load.

    Attributes:
        name: field name, as the C++ function's parameter is called.
        values: integers of any shape; stored in C order.
        bits: width of an entry.
        signed: two's complement when true.
        lanes: consecutive entries that one memory word holds, the first in its lowest bits.
        lookups: entries that a cycle reads, each at an address of its own.

    Raises:
        GraphError: a value does not fit, or words of ``lanes`` entries do not divide the memory.
    """

    name: str
    values: NDArray[np.int64]
    bits: int
    signed: bool = True
    lanes: int = 1
    lookups: int = 1

    def __post_init__(self) -> None:
        if not np.issubdtype(self.values.dtype, np.integer):
            raise GraphError(f"memory {self.name}: integers are wanted, found {self.values.dtype}")
        low = -(1 << (self.bits - 1)) if self.signed else 0
        high = (1 << (self.bits - int(self.signed))) - 1
        if self.values.size and (self.values.min() < low or self.values.max() > high):
            raise GraphError(
                f"memory {self.name}: values in [{self.values.min()}, {self.values.max()}] do not "
                f"fit {self.bits} bits [{low}, {high}]"
            )
        _check_lanes(self.name, self.entries, self.lanes)

    @property
    def entries(self) -> int:
        """Number of values."""
        return self.values.size

    @property
    def stored(self) -> NDArray[np.int64]:
        """Entries in their order in the memory."""
        return self.values.ravel()

    @property
    def size_bits(self) -> int:
        """Storage of the memory in bits."""
        return self.values.size * self.bits

    @property
    def memory(self) -> Memory:
        """Words and their width."""
        return Memory(self.bits * self.lanes, self.entries // self.lanes, constant=True)


#: A zero point is a code of at most 16 bits, signed or not.
ZERO_POINT_BITS = 17


def channel_rom(name: str, values: ArrayLike, bits: int, lanes: int, *, signed: bool = True) -> Rom:
    """Return a memory of one entry for all channels, or of one each in words of ``lanes``."""
    array = np.asarray(values)
    return Rom(name, array, bits, signed, lanes if array.size > 1 else 1)


def zero_point_rom(values: Sequence[int], lanes: int, name: str = "zero_point") -> Rom:
    """Return the memory of the zero points of an input, one or one per channel."""
    return channel_rom(name, values, ZERO_POINT_BITS, lanes)


@dataclass(frozen=True)
class RequantizeRom:
    """A memory of requantization entries: ``(multiplier, shift, zero_point)``, one or per channel.

    A circuit takes the entries in a normal form with the same integers, so that it shifts by no
    more than the entries differ::

        y = (((acc * multiplier) << left) >> (base - 1)) >> (shift - min(shift))
        code = saturate(((y + 1) >> 1) + zero_point)

    Attributes:
        name: field name, as the C++ function's parameter is called.
        multiplier: one factor per entry; None when every factor is a power of two, so that a shift
            does it.
        shift: right shift of every entry.
        zero_point: zero point of every entry.
        lanes: consecutive entries that form a memory word; a single entry serves all channels.
    """

    name: str
    multiplier: NDArray[np.int64] | None
    shift: NDArray[np.int64]
    zero_point: NDArray[np.int64]
    lanes: int = 1

    def __post_init__(self) -> None:
        _check_lanes(self.name, self.entries, self.lanes)

    @property
    def entries(self) -> int:
        """Number of entries, 1 (per tensor) or the number of channels."""
        lengths = [self.shift.size, self.zero_point.size]
        return max(lengths if self.multiplier is None else [*lengths, self.multiplier.size])

    @property
    def bits(self) -> int:
        """Width of an entry, whose fields stand side by side in one unsigned integer."""
        return sum(bits for _, bits, _ in self.columns)

    @property
    def stored(self) -> NDArray[np.int64]:
        """Entries in their order in the memory."""
        entries, lowest = np.zeros(self.entries, np.int64), 0
        for values, bits, _ in self.columns:
            entries += (values & ((1 << bits) - 1)) << lowest
            lowest += bits
        return entries

    @property
    def size_bits(self) -> int:
        """Storage of the memory in bits."""
        return self.entries * self.bits

    @property
    def left(self) -> int:
        """Constant left shift of the normal form."""
        return max(0, 1 - int(self.shift.min()))

    @property
    def base(self) -> int:
        """Constant right shift of the normal form, at least 1."""
        return int(self.shift.min()) + self.left

    @property
    def memory(self) -> Memory:
        """Words and their width."""
        return Memory(self.bits * self.lanes, self.entries // self.lanes, constant=True)

    @cached_property
    def columns(self) -> tuple[tuple[NDArray[np.int64], int, bool], ...]:
        """Fields of an entry from its lowest bit: values, width in bits, whether signed."""
        delta = self.shift - self.shift.min()
        low, high = int(self.zero_point.min()), int(self.zero_point.max())
        zero_point_bits = max(max(high, 0).bit_length(), max(-low - 1, 0).bit_length()) + 1
        factor = np.zeros(1, np.int64) if self.multiplier is None else self.multiplier
        return (
            (self.zero_point, zero_point_bits, True),
            (delta, int(delta.max()).bit_length(), False),
            (factor, int(factor.max()).bit_length(), False),
        )


def _check_lanes(name: str, entries: int, lanes: int) -> None:
    if lanes < 1 or entries % lanes:
        raise GraphError(f"memory {name}: {entries} entries do not fill words of {lanes}")


@dataclass(frozen=True)
class TemplateArguments:
    """Parameters of one circuit, for both back ends.

    C++ calls ``hyq::<function><config>(inputs..., output, memories...)``; a memory ``weight`` gives
    the configuration ``weight_t`` (the type of the array ``[words][lanes]``), ``weight_entries``
    and ``weight_lanes``, and a memory of requantizations ``requantize_format``. SystemVerilog
    instantiates ``hyq_<function>`` with the same names in UpperCamelCase.

    Attributes:
        constants: sizes, and codes as :class:`Signed`; ``static const`` members of the config
            structure, in print order.
        integers: named integer types of the config structure: ``name -> (bits, signed)``.
        roms: constant memories, passed in this order.
        constant_products: widths of the signed factors of the products by entries of ``roms``
            that every output lane computes.

    Raises:
        GraphError: a constant is negative and is not declared as :class:`Signed`.
    """

    constants: dict[str, int] = field(default_factory=dict)
    integers: dict[str, tuple[int, bool]] = field(default_factory=dict)
    roms: tuple[Rom | RequantizeRom, ...] = ()
    constant_products: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.constants.items():
            if value < 0 and not isinstance(value, Signed):
                raise GraphError(
                    f"constant {name}: an unsigned number is wanted, found {value}; declare it as "
                    "Signed"
                )
