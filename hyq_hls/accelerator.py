"""The accelerator: an HLS project and its C simulation."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import hyq_hls
from hyq_hls.errors import ConversionError, SimulationError
from hyq_hls.hls.csim import CSimulation, compile_project
from hyq_hls.hls.names import is_reserved
from hyq_hls.hls.parts import device
from hyq_hls.hls.project import build_model
from hyq_hls.hls.vitis import build, require_vitis, write_test_data
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.table import aligned

MARKER = "hyq_project.json"
GRAPH_FILE = "graph.hyq"


@dataclass(frozen=True)
class NodeReport:
    """How one node was implemented: C++ function, stream, size."""

    name: str
    function: str
    stream: str
    macs: int
    cycles: int
    rom_bits: int
    accumulator_bits: int


class Accelerator:
    """An HLS C++ project on disk; made by :func:`convert` or :meth:`open`.

    Attributes:
        folder: the project.
        qmodel: the quantized model that it implements.
        nodes: how every node was implemented.
    """

    def __init__(
        self,
        folder: Path,
        qmodel: QuantizedModel,
        project: str,
        clock_mhz: float,
        names: dict[str, str],
    ) -> None:
        self.folder, self.qmodel, self.project = folder, qmodel, project
        self.clock_mhz = clock_mhz
        self._names = names
        self._csim: CSimulation | None = None
        self.nodes = [self._report(name) for name in qmodel.graph.nodes]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Accelerator:
        """Open a project that :func:`convert` wrote.

        Its C simulation is loaded when it is compiled and no source was changed since.

        Raises:
            ConversionError: the folder holds no such project.
        """
        path = Path(folder)
        if not (path / MARKER).exists():
            raise ConversionError(
                f"{path} is not a project of hyq_hls (no {MARKER}); make one with hyq_hls.convert"
            )
        qmodel = QuantizedModel.load(path / GRAPH_FILE)
        try:
            data = json.loads((path / MARKER).read_text(encoding="utf-8"))
            accelerator = cls(path, qmodel, data["project"], data["clock_mhz"], data["streams"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConversionError(
                f"{path / MARKER} is damaged ({type(error).__name__}: {error}); convert the model "
                "again"
            ) from error
        library = path / f"{accelerator.project}.so"
        if library.exists() and library.stat().st_mtime_ns >= _last_change(path):
            accelerator._load(library)
        return accelerator

    def compile(self, *flags: str) -> Accelerator:
        """Compile the C simulation with g++.

        Args:
            flags: more g++ flags; ``-DHYQ_BIT_ACCURATE`` simulates the exact hardware widths.

        Raises:
            CompilationError: g++ is missing or fails.
        """
        self._csim = None
        self._load(compile_project(self.folder, self.project, flags))
        return self

    def _load(self, library: Path) -> None:
        graph = self.qmodel.graph
        self._csim = CSimulation(library, graph.input_type, graph.output_type)

    @property
    def compiled(self) -> bool:
        """Whether the C simulation is loaded."""
        return self._csim is not None

    @property
    def csim(self) -> CSimulation:
        """The loaded C simulation."""
        if self._csim is None:
            raise SimulationError("the C simulation is not compiled; call compile() first")
        return self._csim

    def predict(self, images: Any, progress: bool = False) -> NDArray[np.int64]:
        """Output codes (B, classes) of the C++; integers in, integers out.

        Args:
            images: see :func:`hyq_hls.images.image_bytes`.
            progress: show a progress bar.

        Raises:
            InputError: unusable images.
            SimulationError: not compiled, or a stream ran dry or was not emptied.
        """
        pixels = self.qmodel.image_bytes(images).astype(np.int64)
        with tqdm(total=len(pixels), desc="C++", unit="img", disable=not progress) as bar:
            return self.csim.predict(pixels, bar.update)

    def trace(self, image: Any) -> dict[str, NDArray[np.int64]]:
        """Codes (1, \\*shape) of every node of the C++ for one image, by node name."""
        pixels = self.qmodel.image_bytes(image).astype(np.int64)
        graph = self.qmodel.graph
        streams = {name: (self._names[name], graph.type(name)) for name in graph.nodes}
        return self.csim.trace(pixels, streams)

    def build(self, images: Any, cosim: bool = False) -> dict[str, Any]:
        """Synthesize with Vitis HLS; its C (and RTL) simulation must equal the emulation.

        Args:
            images: a few samples for the test bench.
            cosim: run the vendor's RTL simulation too.

        Raises:
            CompilationError: Vitis HLS is not installed, or it failed.
        """
        require_vitis()
        pixels = self.qmodel.image_bytes(images).astype(np.int64)
        write_test_data(self.folder, pixels, self.qmodel.codes(pixels))
        return build(self.folder, cosim=cosim)

    def _report(self, name: str) -> NodeReport:
        graph = self.qmodel.graph
        node = graph.nodes[name]
        types = graph.input_types(node)
        return NodeReport(
            name,
            f"hyq::{node.operation.name}",
            self._names[name],
            node.operation.macs(*types),
            node.operation.cycles(*types),
            sum(rom.size_bits for rom in node.operation.kernel(*types).roms),
            node.accumulator.bits,
        )

    def __str__(self) -> str:
        """One line per node, and the sums."""
        rows = [("node", "C++ function", "MAC", "cycles", "ROM bits", "acc bits")]
        rows += [
            (
                n.name,
                n.function,
                f"{n.macs:,}",
                f"{n.cycles:,}",
                f"{n.rom_bits:,}",
                str(n.accumulator_bits),
            )
            for n in self.nodes
        ]
        slowest = max(self.nodes, key=lambda n: n.cycles)
        return "\n".join(
            [
                *aligned(rows),
                f"{sum(n.macs for n in self.nodes):,} MAC, "
                f"{sum(n.rom_bits for n in self.nodes) / 8192:,.1f} KiB of constant memory; "
                f"slowest: {slowest.name} with {slowest.cycles:,} cycles per image as written "
                "(loop trips at initiation interval 1; no vendor tool has measured them)",
            ]
        )


def convert(
    qmodel: QuantizedModel,
    part: str = "xc7z020",
    clock_mhz: float = 150.0,
    output_dir: str | os.PathLike[str] = "build/hls",
    *,
    project: str = "net",
    overwrite: bool = False,
) -> Accelerator:
    """Write the HLS C++ project of a quantized model.

    Args:
        qmodel: from :func:`hyq_hls.quantize` or :func:`hyq_hls.load`.
        part: for example ``xc7z020``.
        clock_mhz: target clock.
        output_dir: new or empty folder; it appears complete or not at all.
        project: name of the top function.
        overwrite: replace a project that was written here before.

    Raises:
        ConversionError: unknown part, bad name or clock, a folder that is in use or cannot be
            written, or an operation that did not arrive in the C++.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", project, flags=re.ASCII):
        raise ConversionError(f"project name {project!r}: letters, digits, underscores are wanted")
    if is_reserved(project) or project in ("defines", "parameters"):
        raise ConversionError(
            f"project name {project!r} has a meaning in C++ or here; give another"
        )
    if not 1 <= clock_mhz <= 1000:
        raise ConversionError(f"clock of {clock_mhz} MHz: between 1 and 1000 is wanted")
    full_part = device(part)
    folder = Path(output_dir)
    with _new_folder(folder, overwrite) as draft:
        model, names = build_model(qmodel.graph, draft / "project", project, full_part, clock_mhz)
        model.write()
        qmodel.save(draft / "project" / GRAPH_FILE)
        marker = {
            "generator": f"hyq_hls {hyq_hls.__version__}",
            "project": project,
            "part": full_part,
            "clock_mhz": clock_mhz,
            "streams": names,
        }
        (draft / "project" / MARKER).write_text(json.dumps(marker, indent=1))
    return Accelerator(folder, qmodel, project, clock_mhz, names)


def _last_change(folder: Path) -> int:
    """Time stamp of the youngest source of a project."""
    sources = (*folder.glob("*.cpp"), *folder.glob("*.sh"), *(folder / "firmware").rglob("*.*"))
    return max((f.stat().st_mtime_ns for f in sources), default=0)


@contextmanager
def _new_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A scratch folder whose ``project`` becomes ``folder`` when the block succeeds."""
    if folder.exists() and not folder.is_dir():
        raise ConversionError(f"{folder} is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise ConversionError(f"{folder} is not empty and not a project of ours; give another")
        if not overwrite:
            raise ConversionError(
                f"{folder} holds a project already; give another folder, or overwrite=True"
            )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ConversionError(
            f"cannot write to {folder.parent}: {error.strerror or error}; choose a writable folder"
        ) from error
    try:
        yield draft
        if folder.is_dir():
            folder.rename(draft / "old")
        (draft / "project").rename(folder)
    except OSError as error:
        raise ConversionError(
            f"cannot write {folder}: {error.strerror or error}; choose another folder, with room"
        ) from error
    finally:
        if (draft / "old").exists() and not folder.exists():
            (draft / "old").rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
