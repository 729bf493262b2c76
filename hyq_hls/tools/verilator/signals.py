"""Signals of a simulated design: where they lie in memory, and the names that lead there."""

from __future__ import annotations

import ctypes
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import index
from typing import Any

from hyq_hls.errors import InputError
from hyq_hls.support import aligned

_DIRECTIONS = {1: "input", 2: "output", 3: "inout"}
_MAX_DIMENSIONS = 8


class CSignal(ctypes.Structure):
    """``hyq::Signal``."""

    _fields_ = (
        ("scope", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("bits", ctypes.c_int32),
        ("direction", ctypes.c_int32),
        ("is_parameter", ctypes.c_int32),
        ("dimensions", ctypes.c_int32),
        ("sizes", ctypes.c_int32 * _MAX_DIMENSIONS),
    )


@dataclass(frozen=True)
class Signal:
    """A port, wire, register, memory or parameter.

    Attributes:
        name: name within its module.
        bits: width of an element.
        direction: "input", "output", "inout", or "" inside a module.
        sizes: sizes of an unpacked array, outermost first; empty for a plain signal.
        is_parameter: whether it is a constant.
        address: address of the first element in this process.
    """

    name: str
    bits: int
    direction: str
    sizes: tuple[int, ...]
    is_parameter: bool
    address: int

    @classmethod
    def of(cls, c: CSignal) -> Signal:
        """Make a signal from a row of the driver's table."""
        return cls(
            c.name.decode(),
            c.bits,
            _DIRECTIONS.get(c.direction, ""),
            tuple(c.sizes[: c.dimensions]),
            bool(c.is_parameter),
            c.data,
        )

    @property
    def element_bytes(self) -> int:
        """Size of Verilator's C++ type for this width."""
        for size in (1, 2, 4, 8):
            if self.bits <= 8 * size:
                return size
        return -(-self.bits // 32) * 4

    def read(self) -> Any:
        """Return the unsigned value, or nested lists of values, lowest index first."""
        count = 1
        for size in self.sizes:
            count *= size
        raw = ctypes.string_at(self.address, count * self.element_bytes)
        values: list[Any] = [
            int.from_bytes(raw[i : i + self.element_bytes], "little")
            for i in range(0, len(raw), self.element_bytes)
        ]
        for size in reversed(self.sizes):
            values = [values[i : i + size] for i in range(0, len(values), size)]
        return values[0]

    def write(self, value: Any) -> None:
        """Set an input; a negative value is written in two's complement.

        Raises:
            InputError: not an input, not an integer, or too wide.
        """
        if self.direction != "input":
            raise InputError(f"{self.name} is an {self.direction or 'inner signal'}, not an input")
        try:
            number = index(value)
        except TypeError as error:
            raise InputError(f"{self.name}: an integer is wanted, found {value!r}") from error
        if not -(1 << (self.bits - 1)) <= number < 1 << self.bits:
            raise InputError(f"{self.name}: {number} does not fit its {self.bits} bits")
        raw = (number & ((1 << self.bits) - 1)).to_bytes(self.element_bytes, "little")
        ctypes.memmove(self.address, raw, len(raw))

    @property
    def kind(self) -> str:
        """Direction of a port, else "parameter", "memory" or "signal"."""
        if self.is_parameter:
            return "parameter"
        return self.direction or ("memory" if self.sizes else "signal")

    def row(self) -> tuple[str, str, str, str]:
        """Return the cells of a table: name, width, kind and value."""
        shape = "".join(f" x {size}" for size in self.sizes)
        value = "..." if self.sizes else f"{self.read():#x}"
        return self.name, f"{self.bits}{shape}", self.kind, value


def table(signals: Iterable[Signal]) -> str:
    """Return one line per signal."""
    rows = [("name", "bits", "kind", "value"), *(signal.row() for signal in signals)]
    return "\n".join(aligned(rows))


class UnknownNameError(InputError, AttributeError):
    """A port, signal or instance does not exist; an AttributeError for ``hasattr`` too."""


def unknown(what: str, name: str, names: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that is not there, with the nearest ones that are."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=3)
    near = near or [other for other in known if name in other][:3] or known[:8]
    return UnknownNameError(f"no {what} {name!r}; did you mean {', '.join(near) or 'none'}?")


class Instance:
    """A module instance or generate block; its signals and children are attributes.

    ``x.u_fifo.memory_q`` reads a memory, ``x.gen_lane[0].u_adder`` goes into a generate loop.
    """

    _signals: dict[str, Signal]
    _children: dict[str, Instance]

    def __init__(self, path: str, before_read: Any) -> None:
        self._path, self._before_read = path, before_read
        self._signals, self._children = {}, {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols of Python and notebooks ask for these
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        if name in self._signals:
            self._before_read()
            return self._signals[name].read()
        if name in self._children:
            return self._children[name]
        loop = self._loops().get(name)
        if loop:
            return loop
        raise unknown(f"signal or instance in {self._path}", name, self)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise InputError(f"{self._path}.{name}: only ports can be set, sim.io.{name} = ...")
        super().__setattr__(name, value)

    def _loops(self) -> dict[str, dict[int, Instance]]:
        loops: dict[str, dict[int, Instance]] = {}
        for name, child in self._children.items():
            indexed = re.fullmatch(r"(.+)\[(-?\d+)\]", name)
            if indexed:
                loops.setdefault(indexed[1], {})[int(indexed[2])] = child
        return loops

    def __iter__(self) -> Iterator[str]:
        plain = [name for name in self._children if not name.endswith("]")]
        return iter([*plain, *self._loops(), *self._signals])

    def __dir__(self) -> list[str]:
        return [*self]

    def __repr__(self) -> str:
        self._before_read()
        instances = "".join(f"\n{name}: instance" for name in self._children)
        return f"{self._path}\n{table(self._signals.values())}{instances}"


class Ports:
    """The top module's ports as attributes; ``dir()`` lists them, the repr shows their values."""

    _signals: dict[str, Signal]

    def __init__(self, signals: dict[str, Signal], before_read: Any, after_write: Any) -> None:
        super().__setattr__("_signals", signals)
        super().__setattr__("_before_read", before_read)
        super().__setattr__("_after_write", after_write)

    def _signal(self, name: str) -> Signal:
        if name not in self._signals:
            raise unknown("port", name, self._signals)
        return self._signals[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        signal = self._signal(name)
        self._before_read()
        return signal.read()

    def __setattr__(self, name: str, value: Any) -> None:
        signal = self._signal(name)
        self._after_write()  # refuses where the simulation is closed
        signal.write(value)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __dir__(self) -> list[str]:
        return [*self]

    def __repr__(self) -> str:
        self._before_read()
        return table(self._signals.values())
