"""A part of benchmarks/robustness.py: the tables are sound, and what they tell is met clearly."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness import GROUPS
from benchmarks.situations.runner import of_group
from benchmarks.situations.situation import Place, Situation, Wrong, attempt
from hyq_hls.errors import InputError

#: One of so many situations is tried here; the benchmark tries all.
SHARES = {"models": 40, "damaged_files": 40, "command_lines": 9, "misuses": 7, "odd_paths": 8}
#: Least number of situations in a group.
LEAST = {
    "reports": 16,
    "models": 75,
    "damaged_files": 1100,
    "command_lines": 124,
    "misuses": 120,
    "odd_paths": 24,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


def test_there_are_as_many_as_promised() -> None:
    for group, least in LEAST.items():
        names = [situation.name for situation in of_group(group)]
        assert len(names) >= least
        assert all(names)
    assert set(LEAST) | {"disturbances"} == set(GROUPS)


@pytest.mark.slow
@pytest.mark.parametrize("group", SHARES)
def test_some_of_each_group(group: str, place: Place) -> None:
    for situation in of_group(group)[:: SHARES[group]]:
        outcome, message = attempt(situation, place)
        assert outcome == "clear", f"{situation.name}: {message}"


def refuse(_: Place) -> None:
    raise InputError("two images are wanted")


def stumble(_: Place) -> None:
    raise KeyError("images")


def differ(_: Place) -> None:
    raise Wrong("other codes")


@pytest.mark.parametrize(
    ("act", "says", "outcome"),
    [
        (refuse, "two images", "clear"),
        (refuse, "three images", "wrong"),
        (refuse, None, "wrong"),
        (stumble, "images", "traceback"),
        (differ, "", "wrong"),
        (lambda _: None, None, "clear"),
        (lambda _: None, "", "clear"),
        (lambda _: None, "images", "wrong"),
    ],
)
def test_outcomes(act: object, says: str | None, outcome: str, place: Place) -> None:
    assert attempt(Situation("", act, says), place)[0] == outcome  # type: ignore[arg-type]
