"""What a back end must know of an operation: compile-time parameters and constant memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError


@dataclass(frozen=True)
class Rom:
    """A constant memory of integers, ``bits`` wide; checked, so that nothing wraps on load.

    Args:
        name: field name, as the C++ function's parameter is called.
        values: integers of any shape; stored in C order.
        bits: width of an entry.
        signed: two's complement when true.

    Raises:
        GraphError: a value does not fit.
    """

    name: str
    values: NDArray[np.int64]
    bits: int
    signed: bool = True

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

    @property
    def entries(self) -> int:
        """Number of values."""
        return self.values.size

    @property
    def size_bits(self) -> int:
        """Storage of the memory in bits."""
        return self.values.size * self.bits


#: A zero point is a code of at most 16 bits, signed or not.
ZERO_POINT_BITS = 17


def zero_point_rom(values: Sequence[int], name: str = "zero_point") -> Rom:
    """Memory of the zero points of an input, one or one per channel."""
    return Rom(name, np.asarray(values), ZERO_POINT_BITS)


@dataclass(frozen=True)
class RequantizeRom:
    """A memory of requantization entries: ``(multiplier, shift, zero_point)``, one or per channel.

    ``multiplier`` is None when every factor is a power of two and a shift does it.
    """

    name: str
    multiplier: NDArray[np.int64] | None
    shift: NDArray[np.int64]
    zero_point: NDArray[np.int64]

    @property
    def entries(self) -> int:
        """Number of entries, 1 (per tensor) or the number of channels."""
        lengths = [self.shift.size, self.zero_point.size]
        return max(lengths if self.multiplier is None else [*lengths, self.multiplier.size])

    @property
    def size_bits(self) -> int:
        """Storage in bits: 7 of shift, 17 of zero point, 17 of multiplier where there is one."""
        return self.entries * (24 if self.multiplier is None else 41)


@dataclass(frozen=True)
class Kernel:
    """One C++ call: ``hyq::<function><config>(inputs..., output, memories...)``.

    A memory ``weight`` gives the configuration ``weight_t`` and ``weight_entries``.

    Args:
        constants: ``static const`` members of the config structure, in print order.
        integers: named integer types of the config structure: ``name -> (bits, signed)``.
        roms: constant memories, passed in this order.
    """

    constants: dict[str, int] = field(default_factory=dict)
    integers: dict[str, tuple[int, bool]] = field(default_factory=dict)
    roms: tuple[Rom | RequantizeRom, ...] = ()
