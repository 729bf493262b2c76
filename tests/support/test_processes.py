"""Programs of others: their output, and that they end when we are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hyq_hls.support.processes import in_parallel, run


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


def alive(file: Path) -> bool:
    """Whether the process whose number is in ``file`` runs; a zombie does not."""
    status = Path(f"/proc/{file.read_text().strip()}/stat")
    return status.exists() and status.read_text().split()[2] != "Z"


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_output_and_status() -> None:
    result = run(shell(r"printf 'a\377'; echo b >&2; exit 3"))
    assert (result.returncode, result.stdout, result.stderr) == (3, "a\ufffd", "b\n")


def test_output_into_a_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        run(shell("echo a; echo b >&2"), stdout=stream, stderr=subprocess.STDOUT)
    assert (tmp_path / "log").read_text() == "a\nb\n"


def test_a_program_that_does_not_exist() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"])


def test_results_in_their_order() -> None:
    assert in_parallel(lambda n: run(shell(f"echo {n}")).stdout, range(5)) == [
        f"{n}\n" for n in range(5)
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_interrupt_ends_what_a_program_has_started(tmp_path: Path) -> None:
    """Also a program that ignores the first signal."""
    started = tmp_path / "pid"
    script = f"trap '' TERM; sleep 60 & echo $! > {started}.part; mv {started}.part {started}; wait"

    def interrupt() -> None:
        wait_for(started.exists)
        os.kill(os.getpid(), signal.SIGINT)

    # The processes of pytest-xdist ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(shell(script))
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for(lambda: not alive(started))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_error_ends_the_programs_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those that have not begun do not begin."""
    started = tmp_path / "pid"
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            wait_for(started.exists)
            raise ValueError("the first one failed")
        run(shell(f"echo $$ > {started}.part; mv {started}.part {started}; exec sleep 60"))

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(ValueError, match="the first one failed"):
        in_parallel(work, range(50))
    assert len(begun) < 50
    wait_for(lambda: not alive(started))
