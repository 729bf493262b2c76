"""Circuits of the area comparison in a bench: any words in, the words of a reference out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.circuits.point import CIRCUITS, Point
from hyq_hls.tools.systemverilog import alone
from tests.stream.rtl.stream_bench import PACKAGE, TEMPLATES, Case, Traffic, Transfers, verilator

#: The rules of the handshake, as verif/stream_parts.cpp names what breaks them.
BROKEN = {"unstable", "waits_for_ready"}
TRAFFIC = {
    "balanced": Traffic(50, 50, 3000),
    "slow_source": Traffic(25, 90, 4000),
    "slow_sink": Traffic(95, 25, 4000),
    "reset_between": Traffic(60, 60, 3000, reset_cycle=61),
}


def lint(point: Point, folder: Path) -> str:
    """What ``verilator --lint-only -Wall`` finds in a circuit: nothing, if it is clean."""
    binary, environment = verilator()
    text = next(path for path in point.sources if path.stem == point.top).read_text("utf-8")
    top, wrapper = alone(point.top, text, point.parameters)
    (folder / f"{top}.sv").write_text(wrapper, encoding="utf-8")
    command = [str(binary), "--lint-only", "-Wall", "--top-module", top]
    sources = dict.fromkeys([PACKAGE, *point.sources, folder / f"{top}.sv"])
    result = subprocess.run(
        [*command, "-y", str(TEMPLATES), *map(str, sources)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def sources(prefix: str) -> dict[str, str]:
    """The comparison's own SystemVerilog, by module name."""
    return {path.stem: path.read_text("utf-8") for path in CIRCUITS.glob(f"{prefix}*.sv")}


def words(codes: NDArray[np.int64], bits: int, lanes: int) -> list[int]:
    """Words of ``lanes`` codes in two's complement, the first code in the lowest bits."""
    unsigned = (codes & ((1 << bits) - 1)).reshape(-1, lanes).tolist()
    return [sum(code << (i * bits) for i, code in enumerate(word)) for word in unsigned]


def stream_case(
    point: Point,
    lanes: int,
    given: NDArray[np.int64],
    in_bits: int,
    wanted: NDArray[np.int64],
    stages: int,
) -> Case:
    """A circuit that answers the codes ``given`` by 8-bit codes ``wanted``, a beat per cycle."""
    stimulus = words(given, in_bits, lanes)
    return Case(
        name=point.name,
        module=point.top,
        parameters=point.parameters,
        in_bits=in_bits * lanes,
        words=stimulus,
        outputs=[words(wanted, 8, lanes)],
        out_bits=8 * lanes,
        in_cycles=range(len(stimulus)),
        out_cycles=range(stages, stages + len(stimulus)),
    )


def check_run(case: Case, found: Transfers, *, stalled: bool) -> None:
    """Words are those of the reference; without stalls so are the cycles."""
    assert np.array_equal(found.outputs[0], case.outputs[0]), case.name
    assert not found.seen & BROKEN, (case.name, found.seen)
    if not stalled:
        assert found.in_cycles == list(case.in_cycles), case.name
        assert found.out_cycles[0] == list(case.out_cycles), case.name
