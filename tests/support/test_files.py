"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hyq_hls.errors import ConversionError, FileFormatError, InputError
from hyq_hls.support import is_empty, replaced_file, replaced_folder, user_path, write_file


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


def fill(folder: Path, **texts: str) -> None:
    """Replace a folder by one with these files."""
    with replaced_folder(folder) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text)


def test_a_link_to_a_folder_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "disk" / "target", tmp_path / "link"
    target.mkdir(parents=True)
    (target / "old").touch()
    link.symlink_to(target)
    fill(link, new="text")
    assert link.is_symlink()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["disk", "link"]
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(ConversionError, match="choose a writable folder"):
        fill(link, new="text")


def test_the_current_folder_stays_and_its_content_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell in it would be in a folder that is gone."""
    monkeypatch.chdir(tmp_path)
    fill(Path(), a="first", b="first")
    fill(Path(), b="second", c="second")
    assert os.path.samefile(os.curdir, tmp_path)
    assert names(tmp_path) == ["b", "c"]
    assert (tmp_path / "b").read_text() == "second"


def test_the_current_folder_keeps_its_content_when_a_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path(), a="first", b="first")
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.parent.name == "draft" and self.name == "c":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(ConversionError, match="No space left on device; choose another folder"):
        fill(Path(), b="second", c="second")
    assert names(tmp_path) == ["a", "b"]
    assert (tmp_path / "b").read_text() == "first"


def test_what_a_killed_program_left_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".hyq-1234" / "draft").mkdir(parents=True)
    assert is_empty(tmp_path)
    (tmp_path / "mine").touch()
    assert not is_empty(tmp_path)


def test_a_path_outlives_a_change_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert user_path("a/b") == tmp_path / "a" / "b"
    assert user_path("~/net") == tmp_path / "home" / "net"
    assert user_path("a~") == tmp_path / "a~"
    assert user_path(b"a") == tmp_path / "a"  # type: ignore[arg-type]  # as os.fsdecode takes it


@pytest.mark.parametrize("path", ["", "a\0b", None, 5, [], b"\xff", "\ud800"])
def test_what_is_no_path_is_named(path: str) -> None:
    with pytest.raises(InputError, match="a path"):
        user_path(path)


@pytest.mark.skipif(sys.platform != "linux", reason="others do not remove a folder in use")
def test_the_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InputError, match="the current folder does not exist any more"):
        user_path("net.hyq")
