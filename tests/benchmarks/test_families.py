"""benchmarks/families.py: records, the tables, what a failing network leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import _families_levels as levels
from benchmarks import families
from benchmarks._families_levels import LEVELS, blank, in_a_process, measured
from benchmarks._families_networks import FAMILIES, chosen, images, woken
from benchmarks._families_tables import best, matrix
from benchmarks.families import write_docs


def record(model: str, level: str, size: int = 64, **found: Any) -> dict[str, Any]:
    return blank(model, size, [level]) | found


def test_one_record_per_network_that_of_the_most_levels() -> None:
    records = [
        record("resnet18", "csim", captured=True, emulation_equal=True, csim_equal=True),
        record("resnet18", "capture", captured=True),
        record("mobilevit_xxs", "capture", 256, captured=False, problem="2 nodes:\n a | b"),
    ]
    assert best(records)["resnet18", 64]["levels"] == "csim"
    lines = matrix(records).splitlines()
    assert "| mobilevit_xxs | 256 | **no** | - | - | - | - | - | - |" in lines
    assert "| resnet18 | 64 | yes | yes | yes | - | - | - | - |" in lines
    assert "- `mobilevit_xxs`: 2 nodes: a | b" in lines


def test_a_run_that_was_stopped_does_not_hide_what_was_known() -> None:
    records = [
        record("resnet18", "emulation", captured=True, emulation_equal=True, sqnr_db=30.0),
        record("resnet18", "rtl", captured=True, problem="not done within 5 s"),
    ]
    found = best(records)["resnet18", 64]
    assert (found["emulation_equal"], found["sqnr_db"]) == (True, 30.0)
    assert (found["levels"], found["problem"]) == ("rtl", "not done within 5 s")


def test_every_network_of_the_list_has_a_row_in_its_family() -> None:
    text = matrix([])
    for family, networks in FAMILIES.items():
        section = text.split(f"## {family}\n")[1].split("## ")[0]
        for name, side in networks:
            assert f"| {name} | {side} |" in section


def test_the_reduced_member_is_compared_with_its_family() -> None:
    records = [
        record("mobilevit_xxs", "emulation", 256, operations=["dense", "fold"]),
        record("reduced_mobilevit", "rtl", 16, operations=["dense", "fold", "table"]),
        record("mobilevitv2_050", "emulation", 256, operations=["dense", "fold"]),
        record("reduced_mobilevitv2", "rtl", 16, operations=["dense"]),
    ]
    text = matrix(records)
    assert text.count("The reduced member has all 2 kinds of integer operations") == 1
    assert text.count("The reduced member lacks fold.") == 1


def test_the_tables_stand_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "families.md"
    page.write_text(f"before\n{families.BEGIN}\nold\n{families.END}\nafter\n")
    write_docs([record("resnet18", "capture", captured=True)], page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| resnet18 | 64 | yes |" in text
    assert families.PAGE.read_text().count(families.BEGIN) == 1


def test_a_first_run_starts_from_the_kept_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, output, page = (tmp_path / name for name in ("kept.json", "new/output.json", "page.md"))
    page.write_text(f"{families.BEGIN}{families.END}")
    for name, path in (("KEPT", kept), ("OUTPUT", output), ("PAGE", page)):
        monkeypatch.setattr(families, name, path)
    kept.write_text(json.dumps([record("resnet18", "csim", captured=True, csim_equal=False)]))
    arguments = ["--models", "no network", "--output", str(output), "--docs"]
    assert families.main(arguments) == 1  # a level differs
    assert json.loads(output.read_text()) == json.loads(kept.read_text())
    assert "| resnet18 | 64 | yes | - | **no** |" in page.read_text()


def test_the_kept_records_are_those_of_the_page() -> None:
    kept = json.loads(families.KEPT.read_text(encoding="utf-8"))
    assert f"{families.BEGIN}\n\n{matrix(kept)}\n\n{families.END}" in families.PAGE.read_text()


def test_networks_are_chosen_by_pattern() -> None:
    found = dict(chosen(["efficientformer_l*", "mobilevit_xxs"]))
    assert found == {
        "mobilevit_xxs": 256,
        **dict.fromkeys(("efficientformer_l1", "efficientformer_l3", "efficientformer_l7"), 224),
    }
    assert len(dict(chosen(["*"]))) >= 50


def test_nothing_vanishes_in_a_woken_network() -> None:
    model = woken(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.LayerNorm(4)))
    for value in model.state_dict().values():
        if value.dtype == torch.float32:
            assert len(value.unique()) > 1


def test_images_are_bytes_that_a_seed_fixes() -> None:
    found = images(2, 16, 3)
    assert found.shape == (2, 16, 16, 3)
    assert found.dtype == np.uint8
    assert np.array_equal(found, images(2, 16, 3))
    assert not np.array_equal(found, images(2, 16, 4))


def stop_after_the_capture(*_: Any) -> Iterator[dict[str, Any]]:
    yield {"captured": True}
    raise MemoryError


def test_what_was_reached_stays_where_memory_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "_climb", stop_after_the_capture)
    *_, last = measured("mobilevit_xxs", 32, LEVELS[:2])
    assert last["captured"] is True
    assert last["problem"] == "it takes more than 12 GB"
    assert last["peak_gb"] > 0


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"captured": True}
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(levels, "_climb", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        list(measured("mobilevit_xxs", 32, LEVELS[:2]))


@pytest.mark.slow
def test_a_network_that_is_not_done_in_time_leaves_a_record() -> None:
    found = in_a_process("resnet18", 64, ["capture"], 0.01)
    assert found["captured"] is None
    assert found["problem"] == "not done within 0 s"


@pytest.mark.slow
def test_a_small_network_up_to_the_emulation() -> None:
    found = in_a_process("test_resnet", 32, LEVELS[:2], 300)
    assert found["problem"] == ""
    assert found["captured"]
    assert found["emulation_equal"]
    assert "conv2d" in found["operations"]
    assert found["sqnr_db"] > 15
    assert found["seconds"] > 0
