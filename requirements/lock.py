"""Remake the lock files: one set of pins for Python 3.10 to 3.14.

Run it with `make lock`. Pins that are there stay unless a .in file rules them out;
`make lock LOCK_ARGS=--upgrade` moves everything forward, `LOCK_ARGS="--upgrade-package ruff"` one.

No hashes: the same pin `torch==2.13.0` must accept the CPU build and the GPU build of torch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

UV = "uv==0.13.8"  # the resolver; it lives in a throwaway environment
HERE = Path(__file__).resolve().parent

# The GPU build of torch pins these itself, exactly; the CPU build must not pull them in.
GPU_PACKAGES = ("cuda-", "nvidia-", "triton")

HEADER = """\
# Made by requirements/lock.py from {source}: edit that file and run `make lock`.
# Where two versions stand, the markers say which Python takes which.
"""


def main(arguments: list[str]) -> None:
    """Write the files, each with the versions of the one before for what both hold."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", UV], check=True)
        lock("runtime", python, arguments)
        lock("dev", python, [*arguments, "--constraint", "runtime.txt"])
        lock("browser", python, [*arguments, "--constraint", "dev.txt"])


def lock(name: str, python: Path, arguments: list[str]) -> None:
    """Resolve ``<name>.in`` and write ``<name>.txt``."""
    source, target = f"{name}.in", f"{name}.txt"
    command = [
        *(str(python), "-m", "uv", "pip", "compile", *arguments),
        *("--universal", "--python-version", "3.10", "--no-python-downloads"),
        *("--annotation-style", "line", "--no-header", "--quiet"),
        *("--output-file", target, source),
    ]
    subprocess.run(command, cwd=HERE, check=True)
    path = HERE / target
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if "==" in line and not line.startswith(GPU_PACKAGES)]
    path.write_text(HEADER.format(source=source) + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"requirements/{target}: {len(pins)} pins")


if __name__ == "__main__":
    main(sys.argv[1:])
