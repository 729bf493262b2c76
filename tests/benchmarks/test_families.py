"""benchmarks/families.py: records, the table, what a failing network leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import families
from benchmarks.families import best, blank, chosen, images, table, woken, write_docs


def record(model: str, levels: str, **found: Any) -> dict[str, Any]:
    return blank(model, 64, [levels]) | found


def test_one_row_per_network_that_of_the_most_levels() -> None:
    records = [
        record("resnet18", "csim", captured=True, emulation_equal=True, csim_equal=True),
        record("resnet18", "capture", captured=True),
        record("mobilevit_xxs", "capture", captured=False, problem="2 nodes:\n a | b"),
    ]
    assert [r["levels"] for r in best(records)] == ["capture", "csim"]
    rows = table(records).splitlines()[2:]
    assert rows[0] == "| mobilevit_xxs | 64 | **no** | - | - | - | - | - | - | 2 nodes: a / b |"
    assert rows[1].startswith("| resnet18 | 64 | yes | yes | yes | - |")


def test_the_table_stands_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "families.md"
    page.write_text(f"before\n{families.BEGIN}\nold\n{families.END}\nafter\n")
    write_docs([record("resnet18", "capture", captured=True)], page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| resnet18 | 64 | yes |" in text
    assert families.PAGE.read_text().count(families.BEGIN) == 1


def test_networks_are_chosen_by_pattern() -> None:
    found = dict(chosen(["efficientformer_l*", "mobilevit_xxs"]))
    assert found == {
        "mobilevit_xxs": 64,
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


def test_a_network_that_is_not_done_in_time_leaves_a_record() -> None:
    found = families.in_a_process("resnet18", 64, ["capture"], 0.01)
    assert found["captured"] is None
    assert found["problem"] == "not done within 0 s"


@pytest.mark.slow
def test_a_small_network_up_to_the_emulation() -> None:
    found = families.measured("test_resnet", 32, families.LEVELS[:2])
    assert found["problem"] == ""
    assert found["captured"]
    assert found["emulation_equal"]
    assert found["sqnr_db"] > 15
    assert found["seconds"] > 0
