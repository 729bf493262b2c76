"""The level at which g++ optimizes a simulation follows from the cycles that will run."""

from __future__ import annotations

from hyq_hls.tools.verilator.optimization import MANY_CYCLES, fastest_level


def test_the_level_that_builds_and_runs_soonest() -> None:
    assert [fastest_level(n) for n in (1, 400_000)] == ["-O0"] * 2
    assert [fastest_level(n) for n in (600_000, MANY_CYCLES, 10**9)] == ["-O1"] * 3
    assert [fastest_level(n, "-O0") for n in (800_000, 900_000)] == ["-O0", "-O1"]
    assert fastest_level(1, "-O1") == "-O1"
