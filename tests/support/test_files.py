"""Files that appear complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hyq_hls.errors import FileFormatError
from hyq_hls.support import replaced_file, write_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_take_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_file(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write_file(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a.txt"]


def test_the_old_file_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replaced_file(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_block_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    def fail_half_way(draft: Path) -> None:
        draft.write_text("half")
        raise KeyError

    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replaced_file(path) as draft:
        fail_half_way(draft)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_two_writers_have_drafts_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replaced_file(path) as first, replaced_file(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # its block ends last
    assert names(tmp_path) == ["a.txt"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot write .*a\.txt: No such file.*has room"):
        write_file(tmp_path / "no" / "a.txt", "text")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileFormatError, match=r"cannot write .*a\.txt: No space left on device;"):
        write_file(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]
