"""The engine in Verilator, and the C side of its driver, ``program_driver.cpp``."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine.cosim.image import Image
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.rtl import TOP, module_sources, rtl_folders, rtl_parameters
from hyq_hls.errors import InputError, SimulationError
from hyq_hls.support import load_library
from hyq_hls.support.libraries import Signature
from hyq_hls.tools.verilator import build_library
from hyq_hls.tools.verilator.optimization import MANY_CYCLES

#: What the driver and a comparison look at, by module.
_SEEN: dict[str, tuple[str, ...]] = {
    "hyq_engine": ("unit_start", "instruction_ended"),
    "hyq_engine_feature": ("memory",),
    "hyq_engine_weights": ("memory",),
    "hyq_engine_parameters": ("front", "back"),
    "hyq_engine_output": ("memory",),
    "hyq_engine_exponentials": ("memory",),
    "hyq_engine_norm_records": ("front", "back"),
}
_MESSAGE = 1024
#: Seconds per call of the driver: short enough for Ctrl-C.
_SLICE = 0.1
#: Answers of ``hyq_advance``.
RUNNING, DONE, STOPPED = 0, 1, 2


@dataclass(frozen=True)
class DramModel:
    """The memory behind the AXI4 port of the engine.

    Attributes:
        latency: cycles from the address of a burst to its first beat, or from the last beat of a
            write to its answer; 1 or more.
        bandwidth: beats of 8 bytes per cycle in each direction, above 0, at most 1.
        read_stall: chance that a channel of reads stalls in a cycle, below 1.
        write_stall: the same for the channels of writes.
        seed: seed of the stalls and of what registers and memories hold before they are written.

    Raises:
        InputError: a value out of its range.
    """

    latency: int = 40
    bandwidth: float = 1.0
    read_stall: float = 0.0
    write_stall: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        stalls = (self.read_stall, self.write_stall)
        if self.latency < 1 or not 0 < self.bandwidth <= 1 or not all(0 <= s < 1 for s in stalls):
            raise InputError(
                f"latency >= 1, 0 < bandwidth <= 1 and stalls 0 <= p < 1 are wanted, found {self}"
            )


def build_engine(
    sizes: Sizes,
    folder: Path,
    *,
    rtl: Path | None = None,
    flags: Sequence[str] = (),
    cycles: int = MANY_CYCLES,
) -> Path:
    """Build ``libhyq_engine.so``, the engine of some sizes with its driver.

    Args:
        sizes: the machine.
        folder: where the library goes.
        rtl: folder of the SystemVerilog files; by default those of the package.
        flags: flags of the C++ compiler; one of them may be a level of optimization.
        cycles: how many cycles will run; it chooses the level where ``flags`` name none.

    Returns:
        The library; an existing one when nothing changed.

    Raises:
        CompilationError: Verilator or a compiler is missing, or found errors.
    """
    lines = [
        f'public_flat_rd -module "{module}" -var "{name}"\n'
        for module, names in _SEEN.items()
        for name in names
    ]
    return build_library(
        module_sources([TOP], rtl_folders() if rtl is None else [rtl]),
        TOP,
        folder,
        driver="program_driver.cpp",
        configuration="`verilator_config\n" + "".join(lines),
        parameters=rtl_parameters(sizes),
        flags=flags,
        cycles=cycles,
    )


class _CRegion(ctypes.Structure):
    """``hyq::Region``."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("start", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("writable", ctypes.c_int32),
    )


class _CConfig(ctypes.Structure):
    """``hyq::MemoryConfig``."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("origin", ctypes.c_uint64),
        ("regions", ctypes.POINTER(_CRegion)),
        ("region_count", ctypes.c_int64),
        ("latency", ctypes.c_int64),
        ("bandwidth", ctypes.c_double),
        ("read_stall", ctypes.c_double),
        ("write_stall", ctypes.c_double),
        ("seed", ctypes.c_uint64),
    )


class _CMemory(ctypes.Structure):
    """``hyq::Memory``."""

    _fields_ = (("data", ctypes.c_void_p), ("words", ctypes.c_int64), ("bits", ctypes.c_int32))


_bench, _text, _size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_int32, _int64, _uint32 = ctypes.c_int32, ctypes.c_int64, ctypes.c_uint32
_FUNCTIONS: dict[str, Signature] = {
    "hyq_open": (_bench, (ctypes.POINTER(_CConfig), _text, _size)),
    "hyq_write": (_int32, (_bench, _uint32, _uint32, _text, _size)),
    "hyq_read": (_int32, (_bench, _uint32, ctypes.POINTER(_uint32), _text, _size)),
    "hyq_advance": (_int32, (_bench, _int32, ctypes.c_double, _int64, _text, _size)),
    "hyq_ended": (_int64, (_bench,)),
    "hyq_cycles": (None, (_bench, ctypes.c_void_p, ctypes.c_void_p)),
    "hyq_memory": (_int32, (_bench, _text, _text, ctypes.POINTER(_CMemory), _text, _size)),
    "hyq_close": (None, (_bench,)),
}


class EngineModel:
    """An engine in Verilator behind its registers, as a context manager.

    Attributes:
        image: what lies in DRAM; the engine writes into it.
    """

    def __init__(self, library: Path, image: Image, dram: DramModel) -> None:
        self.image = image
        self._library = load_library(library, _FUNCTIONS)
        self._message = ctypes.create_string_buffer(_MESSAGE)
        parts = [p for p in image.parts if p.size]
        regions = (_CRegion * len(parts))(
            *(_CRegion(p.name.encode(), p.address, p.size, p.writable) for p in parts)
        )
        config = _CConfig(
            data=image.data.ctypes.data,
            origin=image.origin,
            regions=regions,
            region_count=len(parts),
            latency=dram.latency,
            bandwidth=dram.bandwidth,
            read_stall=dram.read_stall,
            write_stall=dram.write_stall,
            seed=dram.seed,
        )
        self._kept = regions  # the driver reads them as long as it runs
        self._bench = self._library.hyq_open(ctypes.byref(config), self._message, _MESSAGE)
        if not self._bench:
            raise SimulationError(f"the engine cannot start: {self._said}")

    def __enter__(self) -> EngineModel:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.hyq_close(self._bench)

    @property
    def _said(self) -> str:
        return self._message.value.decode(errors="replace")

    def _call(self, name: str, *arguments: Any) -> int:
        function = getattr(self._library, name)
        found: int = function(self._bench, *arguments, self._message, _MESSAGE)
        return found

    def write(self, address: int, value: int) -> None:
        """Write a register."""
        if self._call("hyq_write", address, value):
            raise SimulationError(self._said)

    def read(self, address: int) -> int:
        """Read a register."""
        value = _uint32()
        if self._call("hyq_read", address, ctypes.byref(value)):
            raise SimulationError(self._said)
        return value.value

    def advance(self, *, stops: bool, patience: int) -> int:
        """Run until the engine is done, or stopped behind an instruction.

        Args:
            stops: whether it stops when an instruction has ended.
            patience: cycles within which an instruction must end.

        Returns:
            DONE or STOPPED.

        Raises:
            SimulationError: a transfer that DRAM refuses, a broken handshake, a failed assertion
                of the design, or an instruction that does not end.
        """
        status = RUNNING
        while status == RUNNING:
            status = self._call("hyq_advance", int(stops), _SLICE, patience)
        if status not in (DONE, STOPPED):
            raise SimulationError(self._said)
        return status

    @property
    def ended(self) -> int:
        """Instructions that have ended."""
        return int(self._library.hyq_ended(self._bench))

    def cycles(self) -> NDArray[np.int64]:
        """Return the first and the last cycle (2, n) of all instructions that have ended."""
        found = np.empty((2, self.ended), np.int64)
        self._library.hyq_cycles(self._bench, found[0].ctypes.data, found[1].ctypes.data)
        return found

    def memory(self, instance: str, name: str) -> NDArray[Any]:
        """Return a memory of an instance (words,), which shares its data with the model."""
        found = _CMemory()
        if self._call("hyq_memory", instance.encode(), name.encode(), ctypes.byref(found)):
            raise SimulationError(self._said)
        width = next(w for w in (8, 16, 32, 64) if found.bits <= w)
        raw = (ctypes.c_uint8 * (found.words * width // 8)).from_address(found.data)
        return np.frombuffer(raw, f"u{width // 8}")
