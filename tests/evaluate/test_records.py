"""A file of records that survives what stops a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.evaluate import KEYS, Records


def record(**others: Any) -> dict[str, Any]:
    key = {"model": "m", "variant": "plain", "preset": "p", "setting": "W8A8", "seed": 0}
    return {**key, "top1": 99.5, **others}


def test_records_are_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.json"
    records = Records(path)
    assert records.all == []
    records.add(record())
    assert json.loads(path.read_text("utf-8")) == [record()]
    records.add(record(seed=1, top1=98.0))
    again = Records(path)
    assert again.all == [record(), record(seed=1, top1=98.0)]
    assert again.has(record(top1=0))  # measures are no part of the key
    assert not again.has(record(seed=2))
    assert [p.name for p in path.parent.iterdir()] == ["records.json"]


@pytest.mark.parametrize("name", KEYS)
def test_every_field_of_the_key_counts(name: str, tmp_path: Path) -> None:
    records = Records(tmp_path / "records.json")
    records.add(record())
    assert not records.has(record(**{name: "another"}))
    incomplete = record()
    del incomplete[name]
    with pytest.raises(InputError, match=f"without {name}"):
        records.add(incomplete)


def test_a_key_of_ones_own(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.json", (*KEYS, "images"))
    records.add(record(images=10))
    assert not records.has(record(images=20))
    with pytest.raises(InputError, match="without images"):
        records.has(record())


def test_a_record_is_not_made_twice(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.json")
    records.add(record())
    with pytest.raises(InputError, match="already"):
        records.add(record(top1=1.0))
    assert Records(tmp_path / "records.json").all == [record()]


@pytest.mark.parametrize("text", ["[{", "{}", "[1]", '[{"model": "m"}]'])
def test_another_file_is_not_overwritten(text: str, tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text(text, "utf-8")
    with pytest.raises(FileFormatError, match=r"records\.json is no list of records"):
        Records(path)
    assert path.read_text("utf-8") == text


def test_a_failed_save_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "records.json"
    records = Records(path)
    records.add(record())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(FileFormatError, match="No space left"):
        records.add(record(seed=1))
    monkeypatch.undo()
    assert Records(path).all == [record()]
    assert [p.name for p in tmp_path.iterdir()] == ["records.json"]
