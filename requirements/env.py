"""Make, update or repair the project's virtual environment; do nothing when it is current.

    python env.py runtime|dev VENV [--check] [--torch-index=URL] [--pip-args="..."]

The Makefile calls it before every target that needs packages, so the usual case is one comparison:
a stamp in the environment against a hash of the lock files. A second file marks an environment
that is being worked on; who finds it (the installer was killed) remakes the environment.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# What an installed environment depends on. pyproject.toml and setup.py: entry points and packages.
SOURCES = [HERE / "runtime.txt", HERE / "dev.txt", ROOT / "pyproject.toml", ROOT / "setup.py"]
LOCKS = ("runtime", "dev")  # in this order, each holds the one before


class EnvironmentProblem(Exception):
    """Something that the user must put right; the message says what."""


def main() -> int:
    """Run the command line; 1 on a problem or when not current, 130 when interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock", choices=LOCKS)
    parser.add_argument("venv", type=Path)
    parser.add_argument("--check", action="store_true", help="do nothing; exit 0 when current")
    parser.add_argument("--torch-index", default="", help="package index that torch comes from")
    parser.add_argument("--pip-args", type=shlex.split, default=[], help="more for pip install")
    options = parser.parse_args()
    environment = Environment(options.venv.absolute())
    if options.check:
        return 0 if environment.is_current(options.lock) else 1
    # As an exception, a termination stops pip as well instead of leaving it to run on its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with one_at_a_time() as environment.lock_file:
            if not environment.is_current(options.lock):
                environment.make(options.lock, options.torch_index, options.pip_args)
    except EnvironmentProblem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the next call makes the environment anew", file=sys.stderr)
        return 130
    return 0


@contextmanager
def one_at_a_time() -> Iterator[int]:
    """Hold a lock, so that two makes in two terminals do not install into each other."""
    with open(__file__, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another make that prepares the environment ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


class Environment:
    """One virtual environment and what its files say about it."""

    lock_file: int  # held while the environment changes

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.stamp = folder / ".hyq-stamp"
        self.unfinished = folder / ".hyq-unfinished"

    def is_current(self, lock: str) -> bool:
        """Compare the stamp with the files as they are now."""
        done = self.read_stamp()
        return (
            len(done) == len(stamp_for(lock))
            and done[1:] == stamp_for(lock)[1:]
            and LOCKS.index(done[0]) >= LOCKS.index(lock)
            and not self.unfinished.exists()
            and self.python.exists()  # not so when the Python below was uninstalled
        )

    def read_stamp(self) -> list[str]:
        """Lines of the stamp; none when there is no stamp or it is not ours."""
        try:
            lines = self.stamp.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return lines if lines and lines[0] in LOCKS else []

    def make(self, lock: str, torch_index: str, pip_args: list[str]) -> None:
        """Bring the environment to what the lock says and stamp it."""
        if self.folder.exists() and not self.is_usable():
            self.remove()
        if not self.folder.exists():
            version = ".".join(map(str, sys.version_info[:3]))
            print(f"Making {self.folder.name} with Python {version}; some minutes, once.")
            self.folder.mkdir(parents=True)
            self.unfinished.touch()
            self.run([sys.executable, "-m", "venv", self.folder], "Making the environment failed")
        print(f"Installing requirements/{lock}.txt", flush=True)
        self.unfinished.touch()
        self.stamp.unlink(missing_ok=True)
        if torch_index:
            # From that index torch alone; its own dependencies come with the lock.
            self.pip("--no-deps", "--index-url", torch_index, torch_pin(lock), *pip_args)
        self.pip("--requirement", HERE / f"{lock}.txt", *pip_args)
        # Last, without dependencies and build environment: both are in the lock.
        self.pip("--no-deps", "--no-build-isolation", "--editable", ROOT, *pip_args)
        # The packages that are not installed: a script of benchmarks/ imports others of them.
        (packages,) = self.folder.glob("lib/python*/site-packages")
        (packages / "hyq_hls_repository.pth").write_text(f"{ROOT}\n", encoding="utf-8")
        self.stamp.write_text("\n".join(stamp_for(lock)) + "\n", encoding="utf-8")
        self.unfinished.unlink()

    def is_usable(self) -> bool:
        """Whether packages can be installed into what is there."""
        if self.unfinished.exists():
            print(f"{self.folder.name} was left unfinished; it is made anew.")
            return False
        moved = self.read_stamp()[2:] not in ([], [str(ROOT)])
        works = "import pip, sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))"
        if moved or not self.python.exists() or subprocess.call([self.python, "-c", works]):
            print(f"{self.folder.name} does not work (any more) in this place; it is made anew.")
            return False
        return True

    def remove(self) -> None:
        """Delete the folder, provided that it is an environment."""
        if self.folder.is_symlink() or not (
            (self.folder / "pyvenv.cfg").is_file() or self.unfinished.exists()
        ):
            raise EnvironmentProblem(
                f"{self.folder} is in the way: it is not a virtual environment of this project. "
                "Move it, or choose another folder with VENV=<folder>"
            )
        # What marks it as unfinished goes last: this, too, may be interrupted.
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != self.unfinished:
                path.unlink()
        shutil.rmtree(self.folder)

    def pip(self, *arguments: str | Path) -> None:
        """Run pip install."""
        self.run(
            [self.python, "-m", "pip", "install", "--disable-pip-version-check", *arguments],
            "pip failed; its message stands above. Check the network connection and PIP_ARGS, "
            "then give the same command again",
        )

    def run(self, command: Sequence[str | Path], problem: str) -> None:
        """Run a command; it inherits the lock, which so outlives this process if need be."""
        variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
        try:
            subprocess.run(command, check=True, pass_fds=[self.lock_file], env=variables)
        except subprocess.CalledProcessError as error:
            raise EnvironmentProblem(problem) from error


def stamp_for(lock: str) -> list[str]:
    """What the stamp of a current environment says: lock, content, place."""
    content = hashlib.sha256(b"\0".join(path.read_bytes() for path in SOURCES)).hexdigest()
    return [lock, content, str(ROOT)]


def torch_pin(lock: str) -> str:
    """The requirement of torch as the lock has it."""
    lines = (HERE / f"{lock}.txt").read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if line.startswith("torch=="))


if __name__ == "__main__":
    sys.exit(main())
