"""A machine that gets in the way: kills, full disks, read-only folders, two at a time."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.situations.situation import Place, Situation, Wrong
from hyq_hls import Accelerator, convert, load
from hyq_hls.errors import HyqError

#: Moments at which programs are killed, in seconds after their start of the work.
_MOMENTS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


def _save(place: Place, folder: Path) -> object:
    return place.qmodel.save(folder / "n.hyq")


def _convert(place: Place, folder: Path) -> object:
    return convert(place.qmodel, output_dir=folder / "p", overwrite=True)


def _compile(place: Place, folder: Path) -> object:
    return place.accelerator.compile("-O0")


def _report(place: Place, folder: Path) -> object:
    return place.accelerator.estimate().save(folder / "r.json")


def killed(work: Callable[[Place, Path], object], moments: tuple[float, ...], place: Place) -> None:
    """Kill a process that works; what it wrote is whole or not there, and the next one works.

    Raises:
        Wrong: a file or a project is half written.
    """
    folder = place.fresh().parent
    for moment in moments:
        child = os.fork()
        if not child:
            try:
                while True:
                    work(place, folder)
            finally:
                os._exit(1)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            raise Wrong("the work failed before it was killed")
        if (folder / "n.hyq").exists():
            load(folder / "n.hyq")
        for project in (folder / "p", place.folder / "net"):
            if project.exists():
                Accelerator.open(project)
    work(place, folder)


def interrupted(place: Place) -> None:
    """Press Ctrl-C while the compilers run.

    Raises:
        Wrong: it takes long, or a compiler goes on.
    """
    made = convert(place.qmodel, output_dir=place.fresh())
    (made.folder / "cxx").write_text("#!/bin/sh\nexec sleep 100\n")
    (made.folder / "cxx").chmod(0o755)
    os.environ["CXX"] = str(made.folder / "cxx")
    # A shell lets a program in the background ignore Ctrl-C, and Python then does too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        made.compile()
    del os.environ["CXX"]
    if time.monotonic() - start > 30 or list(made.folder.glob(".build*")):
        raise Wrong("it went on, or left its folder")


@contextlib.contextmanager
def no_room(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, and be nobody where root may write everywhere."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def nothing_left(
    guard: Callable[[], contextlib.AbstractContextManager[None]],
    act: Callable[[], object],
    folder: Path,
) -> None:
    """Act under a guard; what is refused leaves the folder as it was.

    Raises:
        Wrong: something is left.
    """
    before = sorted(os.listdir(folder))
    try:
        with guard():
            act()
    except HyqError as error:
        if sorted(os.listdir(folder)) != before:
            raise Wrong(f"left over: {sorted(os.listdir(folder))}") from error
        if len(str(error)) > 400 or str(error).count("\n") > 1:  # a compiler's first error
            raise Wrong(f"a long message: {error}") from error
        raise


def full(act: Callable[[Place, Path], object], place: Place) -> None:
    """Act on a disk that is full."""
    folder = place.fresh().parent
    nothing_left(partial(no_room, 300), lambda: act(place, folder), folder)


def locked(act: Callable[[Place, Path], object], place: Place) -> None:
    """Act in a folder that is read-only."""
    folder = place.fresh().parent
    place.folder.chmod(0o755)
    nothing_left(partial(read_only, folder), lambda: act(place, folder), folder)


def two_compile(place: Place) -> None:
    """Compile one project twice at a time.

    Raises:
        Wrong: the linker found half of the other's files, or codes differ.
    """
    made = convert(place.qmodel, output_dir=place.fresh())
    faults: list[Exception] = []

    def work() -> None:
        try:
            found = Accelerator.open(made.folder).compile("-O0").codes(place.images)
            if not np.array_equal(found, place.qmodel.codes(place.images)):
                raise Wrong("other codes")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise Wrong(str(faults[0]))


def cut_library(place: Place) -> None:
    """Open a project whose compiled library was cut."""
    made = convert(place.qmodel, output_dir=place.fresh()).compile("-O0")
    library = made.folder / "net.so"
    library.write_bytes(library.read_bytes()[:20_000])
    Accelerator.open(made.folder)


def forked(place: Place) -> None:
    """Emulate in a forked process after torch's threads were used.

    Raises:
        Wrong: other codes, or none.
    """
    import torch  # noqa: PLC0415

    torch.set_num_threads(2)
    wanted = place.qmodel.codes(place.images)
    torch.ones(1000, 1000) @ torch.ones(1000, 1000)
    child = os.fork()
    if not child:
        os._exit(0 if np.array_equal(place.qmodel.codes(place.images), wanted) else 1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise Wrong("other codes in the child")


def pickled(place: Place) -> None:
    """Send a model to another process.

    Raises:
        Wrong: it gives other codes there.
    """
    again = pickle.loads(pickle.dumps(place.qmodel))
    if not np.array_equal(again.codes(place.images), place.qmodel.codes(place.images)):
        raise Wrong("other codes")


def output_full(place: Place) -> None:
    """Print to a full disk.

    Raises:
        HyqError: the one message that was printed.
        Wrong: something else was.
    """
    command = [sys.executable, "-m", "hyq_hls.cli", "estimate", "net.hyq"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with open("/dev/full", "w") as target:
        done = subprocess.run(
            command, stdout=target, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    if done.returncode != 2 or len(done.stderr.splitlines()) != 1:
        raise Wrong(f"status {done.returncode}: {done.stderr}")
    raise HyqError(done.stderr)


def situations() -> list[Situation]:
    """Return all of them."""
    return [
        *(Situation(f"killed while it saves, {m} s", partial(killed, _save, (m,)), None) for m in _MOMENTS),
        *(Situation(f"killed while it converts, {m} s", partial(killed, _convert, (m,)), None) for m in _MOMENTS),
        Situation("killed while it compiles", partial(killed, _compile, (0.5, 2.0)), None),
        Situation("Ctrl-C while it compiles", interrupted, None),
        Situation("full disk, save", partial(full, _save), "has room"),
        Situation("full disk, convert", partial(full, _convert), "with room"),
        Situation("full disk, report", partial(full, _report), "has room"),
        Situation("full disk, compile", partial(full, _compile), ""),
        Situation("full disk, output", output_full, "No space left"),
        Situation("read-only folder, save", partial(locked, _save), "Permission denied"),
        Situation("read-only folder, convert", partial(locked, _convert), "Permission denied"),
        Situation("read-only folder, report", partial(locked, _report), "Permission denied"),
        Situation("two compile one project", two_compile, None),
        Situation("a library that was cut", cut_library, "cut or damaged"),
        Situation("a forked process", forked, None),
        Situation("a pickled model", pickled, None),
    ]  # fmt: skip
