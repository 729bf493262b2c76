"""Logic synthesis of single modules by Yosys for the 7 series, out of context."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

from hyq_hls.errors import CompilationError, FileFormatError
from hyq_hls.support import write_file
from hyq_hls.support.processes import in_parallel
from hyq_hls.tools.systemverilog import Value, literal
from hyq_hls.tools.yosys.run import run_yosys, yosys_version
from hyq_hls.tools.yosys.timing import TimedPath, Wires, read_netlists
from hyq_hls.tools.yosys.utilization import Utilization, count_cells

#: This changes when the commands below change, so that results of older commands are not used.
_FLOW = "synth_xilinx 6"
#: Modules that stay whole: Yosys makes memories of logic several times as large when it dissolves
#: them, and it would merge equal enables.
_WHOLE = "hyq_logic_rom* hyq_enable*"
#: Number of modules in one run of Yosys, which takes five seconds to start.
_BATCH = 12


class Progress(Protocol):
    """A progress bar, such as tqdm's."""

    total: float | None

    def update(self, n: float | None = 1) -> object:
        """Count this many more as done."""


@dataclass(frozen=True)
class Job:
    """A module to be mapped.

    Attributes:
        sources: SystemVerilog files.
        top: name of the module.
        parameters: its parameters; a text that names a file is a memory, whose content counts.
        dsp: whether multiplications may use DSP slices; else they are mapped to LUTs.
        apart: modules inside it that are hollow: only what lies between them is mapped.
    """

    sources: Sequence[Path]
    top: str
    parameters: Mapping[str, Value]
    dsp: bool = True
    apart: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the result: the module, and a hash of everything that the result depends on."""
        known = hashlib.sha256(f"{_FLOW} {yosys_version()} {self.top} {self.dsp}".encode())
        for path in sorted(self.sources, key=lambda p: p.name):
            known.update(path.read_bytes())
        for name, value in sorted(self.parameters.items()):
            memory = isinstance(value, str) and os.path.isfile(value)
            known.update(f"{name}=".encode())
            known.update(Path(str(value)).read_bytes() if memory else str(value).encode())
        known.update("".join(f" without {name}" for name in self.apart).encode())
        return f"{self.top}-{known.hexdigest()[:16]}"


def synthesize_module(
    sources: Sequence[Path],
    top: str,
    parameters: Mapping[str, Value],
    folder: Path,
    *,
    dsp: bool = True,
) -> Utilization:
    """Map one module; :class:`Job` and :func:`synthesize_modules` explain the arguments.

    Raises:
        CompilationError: pyosys is missing, or Yosys failed; the log is named.
    """
    (result,) = synthesize_modules([Job(sources, top, parameters, dsp)], folder)
    if isinstance(result, CompilationError):
        raise result
    return result


def synthesize_modules(
    jobs: Sequence[Job],
    folder: Path,
    progress: Progress | None = None,
    *,
    batch: int = _BATCH,
) -> list[Utilization | CompilationError]:
    """Map modules to LUTs, registers, DSP slices and block RAM of the 7 series.

    Every module is mapped by itself, flattened; nothing is optimized across its ports. One run of
    Yosys maps several modules, because reading and preparing the cells takes it longer than a small
    module. Several runs work at a time. Which modules share a run may decide ties: a table took 28
    LUTs by itself and 29 among others.

    Args:
        jobs: modules to map; equal ones are mapped once.
        folder: folder of the results, one JSON file per module and content; existing results
            are used.
        progress: gets the number of different modules, and a step after each.
        batch: most modules in one run. Results are kept when their run ends, so that fewer are
            lost where it is interrupted.

    Returns:
        For every job its result or its error; a module that fails does not hinder others.

    Raises:
        CompilationError: pyosys is missing, or the folder cannot be written.
    """
    names = [job.name for job in jobs]
    unique = dict(zip(names, jobs, strict=True))
    missing = [name for name in unique if not _file(folder, name).is_file()]
    if progress is not None:
        progress.total = len(unique)
        progress.update(len(unique) - len(missing))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        batches = _batches({name: unique[name] for name in missing}, batch)
        failed = in_parallel(lambda some: _run(some, folder, progress), batches)
        errors = {name: error for found in failed for name, error in found.items()}
    except (OSError, FileFormatError) as error:
        raise CompilationError(f"cannot write to {folder}: {error}") from error
    found = {name: errors.get(name) or _load(_file(folder, name)) for name in unique}
    return [found[name] for name in names]


def slowest_paths(job: Job, folder: Path) -> list[TimedPath]:
    """Return the slowest path of a module to each kind of endpoint, the slowest of all first.

    The module is mapped where ``folder`` does not have its result.

    Raises:
        CompilationError: pyosys is missing, or Yosys failed; the log is named.
    """
    (result,) = synthesize_modules([job], folder)
    if isinstance(result, CompilationError):
        raise result
    path = _file(folder, job.name)
    try:
        found = [TimedPath(**data) for data in json.loads(path.read_text("utf-8"))["paths"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CompilationError(f"{path} is damaged ({error}); remove it") from error
    return sorted(found, key=lambda timed: -timed.period)


def _batches(jobs: Mapping[str, Job], most: int) -> Iterable[dict[str, Job]]:
    for dsp in (True, False):
        some = [(name, job) for name, job in jobs.items() if job.dsp == dsp]
        # A few modules go to as many runs as there are cores.
        size = max(1, min(most, -(-len(some) // (os.cpu_count() or 1))))
        for first in range(0, len(some), size):
            yield dict(some[first : first + size])


def _run(
    batch: Mapping[str, Job], folder: Path, progress: Progress | None
) -> dict[str, CompilationError]:
    """Map a batch, or each of its modules alone where that fails; return the remaining errors."""
    try:
        _synthesize(batch, folder)
    except CompilationError as error:
        if len(batch) == 1:
            errors = dict.fromkeys(batch, error)
            if progress is not None:
                progress.update(1)
            return errors
        errors = {}
        for name, job in batch.items():
            errors |= _run({name: job}, folder, progress)
        return errors
    if progress is not None:
        progress.update(len(batch))
    return {}


def _synthesize(batch: Mapping[str, Job], folder: Path) -> None:
    options = "" if next(iter(batch.values())).dsp else "-nodsp"
    parts = {f"part{i}": job for i, job in enumerate(batch.values())}
    sources = {str(path.resolve()) for job in batch.values() for path in job.sources}
    with tempfile.TemporaryDirectory(prefix=".synth-", dir=folder) as scratch:
        place = Path(scratch)
        instances = "".join(_instance(part, job) for part, job in parts.items())
        (place / "batch.sv").write_text(f"module batch;\n{instances}endmodule\n")
        kept = "".join(f"  (* keep *) {part} u_{part} ();\n" for part in parts)
        (place / "kept.v").write_text(f"module kept;\n{kept}endmodule\n")
        run_yosys(
            [
                f"read_slang --keep-hierarchy --top batch batch.sv {' '.join(sorted(sources))}",
                *(f"rename {job.top}$batch.u_{part} {part}" for part, job in parts.items()),
                "delete batch",
                "read_verilog kept.v",
                *_hollow(parts),
                f"setattr -mod -set keep_hierarchy 1 {' '.join(parts)} {_WHOLE}",
                f"synth_xilinx -family xc7 -flatten -noiopad {options} -top kept",
                "tee -q -o stat.json stat -json -tech xilinx",
                # Delays belong to the cells' ``specify`` blocks, which synthesis leaves out.
                "write_verilog -noattr mapped.v",
                "design -reset",
                "read_verilog -lib -specify +/xilinx/cells_sim.v",
                "read_verilog mapped.v",
                "hierarchy -top kept",
                f"setattr -mod -set keep_hierarchy 1 {' '.join(parts)}",
                "flatten",
                *(f"tee -q -o {part}.txt sta {part}" for part in parts),
                f"select {' '.join(parts)}",
                "write_json -selected netlists.json",
            ],
            (folder / f"{next(iter(batch))}.log").resolve(),
            place,
        )
        stat = json.loads((place / "stat.json").read_text(encoding="utf-8"))["modules"]
        modules = {name.lstrip("\\"): data["num_cells_by_type"] for name, data in stat.items()}
        netlists = read_netlists(place / "netlists.json")
        for (part, job), name in zip(parts.items(), batch, strict=True):
            delay = _delay((place / f"{part}.txt").read_text(encoding="utf-8"))
            used = count_cells(_cells(part, modules), delay)
            paths = netlists[part].slowest(Wires())
            _store(_file(folder, name), job, used, paths)


def _instance(part: str, job: Job) -> str:
    """Return an instance of a module without wires, in SystemVerilog."""
    values = ", ".join(f".{name}({literal(value)})" for name, value in job.parameters.items())
    return f"  {job.top} #({values}) u_{part} ();\n"


def _hollow(parts: Mapping[str, Job]) -> Iterator[str]:
    """Yield passes that empty modules inside of others, and keep these from being dissolved.

    A module inside of one is named after its place in it, once slang has kept the hierarchy.
    """
    for part, job in parts.items():
        for name in job.apart:
            # Yosys selects an empty module only where "=" stands before its name.
            modules = f"{name}$batch.u_{part}.*"
            yield f"select -assert-any {modules}"
            yield f"blackbox {modules}"
            yield f"setattr -mod -unset blackbox -set keep_hierarchy 1 ={modules}"


def _cells(module: str, modules: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Return the cells of a module and of what it instantiates, by type."""
    total: Counter[str] = Counter()
    for kind, count in modules[module].items():
        inside = _cells(kind, modules) if kind in modules else {kind: 1}
        for cell, times in inside.items():
            total[cell] += count * times
    return total


def _delay(report: str) -> float:
    """Return the nanoseconds of the latest arrival that ``sta`` found."""
    found = re.search(r"Latest arrival time in '\w+' is (\d+)", report)
    return int(found.group(1)) / 1000 if found else 0.0


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _load(path: Path) -> Utilization:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))["utilization"]
        return Utilization(**{field.name: data[field.name] for field in fields(Utilization)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CompilationError(f"{path} is damaged ({error}); remove it") from error


def _store(path: Path, job: Job, utilization: Utilization, paths: Mapping[str, TimedPath]) -> None:
    data = {
        "module": job.top,
        "parameters": dict(job.parameters),
        "yosys": yosys_version(),
        "utilization": asdict(utilization),
        "paths": [asdict(found) for found in paths.values()],
    }
    write_file(path, json.dumps(data, indent=1) + "\n")
