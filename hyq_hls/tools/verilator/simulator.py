"""Any SystemVerilog module, interactively: set ports, tick the clock, look inside."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike, fsencode, fspath
from pathlib import Path
from types import TracebackType

from hyq_hls.errors import InputError, SimulationError
from hyq_hls.support import load_library, user_path
from hyq_hls.support.libraries import Signature
from hyq_hls.tools.verilator.library import MESSAGE_LENGTH
from hyq_hls.tools.verilator.signals import CSignal, Instance, Ports, Signal, unknown
from hyq_hls.tools.verilator.verilator import Parameter, Waves, build_library

_CLOCKS = ("aclk", "clk_i", "clk", "clock")
_RESETS = ("aresetn", "rst_ni", "rst_n", "resetn", "rst_i", "rst", "reset")

#: All wires can be seen. A vector that is seen stays whole, so that bits of it which depend on
#: other bits look like a loop; Verilator then settles them by repetition.
_ALL_WIRES = ("--public-flat-rw", "-Wno-UNOPTFLAT")

_handle, _text, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_FUNCTIONS: dict[str, Signature] = {
    "hyq_open": (_handle, (ctypes.c_uint64, _text, _size)),
    "hyq_top": (_text, ()),
    "hyq_waves": (_text, ()),
    "hyq_watched": (_text, ()),
    "hyq_signal_count": (ctypes.c_int64, (_handle,)),
    "hyq_signals": (ctypes.POINTER(CSignal), (_handle,)),
    "hyq_settle": (ctypes.c_int32, (_handle, _text, _size)),
    "hyq_tick": (ctypes.c_int32, (_handle, ctypes.c_void_p, ctypes.c_int64, _text, _size)),
    "hyq_start_trace": (ctypes.c_int32, (_handle, _text, _text, _text, _size)),
    "hyq_stop_trace": (ctypes.c_int32, (_handle, _text, _size)),
    "hyq_close": (None, (_handle,)),
}


class Clock:
    """The design's clock; ``tick`` gives whole periods of 10 ns."""

    def __init__(self, signal: Signal | None, tick: Callable[[int, int], None]) -> None:
        self._signal, self._tick = signal, tick
        #: Periods since the start.
        self.cycles = 0

    def tick(self, n: int = 1) -> None:
        """Let ``n`` rising edges pass; ports then show what follows the last one.

        Raises:
            InputError: the module has no clock, or ``n`` is negative.
            SimulationError: ``$fatal``, ``$finish`` or a loop in the design.
        """
        if self._signal is None:
            raise InputError(f"no clock found: none of {_CLOCKS} is an input; give clock=...")
        if n < 0:
            raise InputError(f"tick: a number of periods is wanted, found {n}")
        self._tick(self._signal.address, n)
        self.cycles += n


class Simulator:
    """A Verilated module under manual control.

    ::

        with Simulator.build("rtl/fifo.sv", "fifo", {"Depth": 4}, folder="build") as sim:
            sim.reset()
            sim.io.in_data_i = 5
            sim.clock.tick()
            sim.internals.u_memory.data_q  # registers are ints, memories lists

    Values are unsigned ints of any width. Inputs start at 0, registers with
    random values.

    Verilator 5.006 does not show memories of several unpacked dimensions; newer ones do.

    Args:
        library: what :meth:`build_library` of this class returned.
        clock: name of the clock; found by its usual names when not given.
        reset: name of the reset; a name that ends in ``n`` or ``ni`` is active low.
        seed: seed of the registers' first values.

    Attributes:
        io: the ports; attributes are read and, for inputs, set.
        internals: instances and signals of the top module as nested attributes.
        waves: format of the waveforms, ``fst`` or ``vcd``.
        clock: ``clock.tick(n)``.
    """

    def __init__(
        self, library: Path, *, clock: str | None = None, reset: str | None = None, seed: int = 0
    ) -> None:
        self._simulator: int | None = None
        self._library = load_library(library, _FUNCTIONS)
        self.waves = self._library.hyq_waves().decode()
        self._message = ctypes.create_string_buffer(MESSAGE_LENGTH)
        self._simulator = self._library.hyq_open(seed, self._message, MESSAGE_LENGTH)
        if not self._simulator:
            raise SimulationError(f"the simulation cannot start: {self._error}")
        ports, self.internals = self._tables()
        self._dirty = False
        self.io = Ports(ports, self._before_read, self._after_write)
        self.clock = Clock(_port(ports, clock, _CLOCKS, "clock"), self._tick)
        self._reset = _port(ports, reset, _RESETS, "reset")

    @staticmethod
    def build_library(
        sources: str | Path | Iterable[Path],
        top: str,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        folder: str | Path,
        wires: bool = True,
        watch: Sequence[str] | None = None,
        waves: Waves = "fst",
        flags: Sequence[str] = (),
        verilator_flags: Sequence[str] = (),
    ) -> Path:
        """Build the library of a module; an existing one is kept when nothing changed.

        Args:
            sources: a folder, a file or files.
            top: name of the module.
            parameters: integers, or text.
            folder: where the library and ``verilator.log`` go.
            wires: whether all signals are visible. False shows all of the top module, and
                registers and memories (``*_q``) below it: a large design is built ten times as
                fast, because Verilator may merge its wires.
            watch: instances that :meth:`trace` can write with all below them, such as
                ``u_stem_conv``, beside the signals of the top module; None means the whole design,
                which takes twice as long to build.
            waves: format of the waveforms, ``fst`` or ``vcd``.
            flags: flags for the C++ compiler; one of them may be a level of optimization.
            verilator_flags: further flags for Verilator, such as ``-Wno-WIDTH``.

        Raises:
            CompilationError: Verilator or a compiler is missing, or found errors.
        """
        return build_library(
            Path(sources) if isinstance(sources, str) else sources,
            top,
            Path(folder),
            driver="simulator_shim.cpp",
            name=f"{top}_simulator",
            configuration=_configuration(top, wires, watch),
            parameters=parameters,
            waves=waves,
            definitions=[
                "-DHYQ_WATCHED=" + ("nullptr" if watch is None else f'"{" ".join(watch)}"')
            ],
            flags=flags,
            verilator_flags=(*(_ALL_WIRES if wires else ()), *verilator_flags),
        )

    @classmethod
    def build(
        cls,
        sources: str | Path | Iterable[Path],
        top: str,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        folder: str | Path,
        clock: str | None = None,
        reset: str | None = None,
        seed: int = 0,
        wires: bool = True,
        watch: Sequence[str] | None = None,
        waves: Waves = "fst",
        flags: Sequence[str] = (),
        verilator_flags: Sequence[str] = (),
    ) -> Simulator:
        """Build a module and start it; arguments of :meth:`build_library` and of the class."""
        library = cls.build_library(
            sources,
            top,
            parameters,
            folder=folder,
            wires=wires,
            watch=watch,
            waves=waves,
            flags=flags,
            verilator_flags=verilator_flags,
        )
        return cls(library, clock=clock, reset=reset, seed=seed)

    def reset(self, cycles: int = 2) -> None:
        """Hold the reset for this many periods and release it.

        Raises:
            InputError: the module has no reset or no clock.
        """
        if self._reset is None:
            raise InputError(f"no reset found: none of {_RESETS} is an input; give reset=...")
        active_low = self._reset.name.endswith(("n", "ni"))
        self._after_write()
        self._reset.write(not active_low)
        self.clock.tick(cycles)
        self._after_write()
        self._reset.write(active_low)

    def trace(self, path: str | PathLike[str], scope: str = "") -> None:
        """Write waveforms from here on, once per simulation, until :meth:`stop_trace`.

        GTKWave and Surfer show the file.

        Args:
            path: the file; its name ends in the format :attr:`waves`.
            scope: only this instance and all below it, such as ``u_stem_conv``; by default
                everything that the library was built to watch.

        Raises:
            InputError: there is no such instance, it is not watched, or the name of the file ends
                in another format.
            SimulationError: the file cannot be written, or there was a trace already.
        """
        file = user_path(path)
        if file.suffix != f".{self.waves}":
            raise InputError(
                f"{fspath(path)}: this simulator writes {self.waves.upper()}, so a name that ends "
                f"in .{self.waves} is wanted; build it with waves=... for the other of fst and vcd"
            )
        instance = self.internals
        for name in scope.split(".") if scope else ():
            if name not in instance._children:
                raise unknown(f"instance in {instance._path}", name, instance._children)
            instance = instance._children[name]
        self._check_watched(scope)
        traced = f"TOP.{instance._path}" if scope else ""
        self._check(
            self._library.hyq_start_trace(
                self._open, fsencode(file), traced.encode(), self._message, MESSAGE_LENGTH
            )
        )

    def stop_trace(self) -> None:
        """Finish the file with the waveforms.

        Raises:
            SimulationError: the file is not complete, because the disk is full.
        """
        self._check(self._library.hyq_stop_trace(self._open, self._message, MESSAGE_LENGTH))

    def close(self) -> None:
        """End the simulation and finish its waveforms; a second call does nothing.

        Raises:
            SimulationError: the file with the waveforms is not complete.
        """
        if not self._simulator:
            return
        try:
            self.stop_trace()
        finally:
            self._library.hyq_close(self._simulator)
            self._simulator = None

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_simulator", None):
            self._library.hyq_close(self._simulator)

    @property
    def _open(self) -> int:
        if not self._simulator:
            raise SimulationError("the simulation is closed; build or open it again")
        return self._simulator

    @property
    def _error(self) -> str:
        return self._message.value.decode(errors="replace")

    def _check(self, status: int) -> None:
        if status:
            raise SimulationError(f"simulation failed: {self._error}")

    def _check_watched(self, scope: str) -> None:
        names = self._library.hyq_watched()
        watched = None if names is None else names.decode().split()
        if watched is None or not scope:
            return
        if not any(f"{scope}.".startswith(f"{name}.") for name in watched):
            raise InputError(
                f"scope: {scope} is not watched, only {', '.join(watched) or 'the top module'} is; "
                "build the simulator with watch=... for it"
            )

    def _before_read(self) -> None:
        simulator = self._open
        if self._dirty:
            self._dirty = False
            self._check(self._library.hyq_settle(simulator, self._message, MESSAGE_LENGTH))

    def _after_write(self) -> None:
        self._dirty = bool(self._open)

    def _tick(self, address: int, n: int) -> None:
        self._dirty = False
        self._check(self._library.hyq_tick(self._open, address, n, self._message, MESSAGE_LENGTH))

    def _tables(self) -> tuple[dict[str, Signal], Instance]:
        count = self._library.hyq_signal_count(self._simulator)
        rows = self._library.hyq_signals(self._simulator)
        ports: dict[str, Signal] = {}
        root = Instance("", self._before_read)
        for row in (rows[i] for i in range(count)):
            signal, scope = Signal.of(row), row.scope.decode().split(".")[1:]
            if signal.name.startswith("__"):  # Verilator's own
                continue
            if scope in ([], ["TOP"]):
                ports[signal.name] = signal
                continue
            instance = root
            for name in scope:
                path = f"{instance._path}.{name}".lstrip(".")
                instance = instance._children.setdefault(name, Instance(path, self._before_read))
            instance._signals[signal.name] = signal
        return ports, root._children[self._library.hyq_top().decode()]


def _configuration(top: str, wires: bool, watch: Sequence[str] | None) -> str:
    """Return Verilator's configuration: what is visible, and what can be traced."""
    lines = []
    if not wires:
        lines += [
            f'public_flat_rd -module "{top}" -var "*"',
            'public_flat_rd -module "*" -var "*_q"',
        ]
    if watch is not None:
        lines.append(f'tracing_off -scope "{top}.*"')
        lines += [f'tracing_on -scope "{top}.{name}"' for name in watch]
    return "\n".join(["`verilator_config", *lines, ""]) if lines else ""


def _port(
    ports: Mapping[str, Signal], name: str | None, usual: Sequence[str], what: str
) -> Signal | None:
    inputs = {n: s for n, s in ports.items() if s.direction == "input" and s.bits == 1}
    if name is None:
        return next((inputs[n] for n in usual if n in inputs), None)
    if name not in inputs:
        raise unknown(f"one-bit input for the {what}", name, inputs)
    return inputs[name]
