"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from hyq_hls.errors import ConversionError, FileFormatError, InputError

#: Name of the new folder inside the scratch folder.
DRAFT = "draft"
#: What the names of scratch folders begin with; one stays where the program was killed.
_SCRATCH = ".hyq-"


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return an absolute path, which a later ``chdir`` does not change; ``~`` is the home folder.

    Raises:
        InputError: it is no path of UTF-8 text, or the current folder is gone.
    """
    try:
        text = os.fsdecode(path)
        text.encode()
    except (TypeError, UnicodeError) as error:
        raise InputError(f"a path in UTF-8 is wanted, found {path!r:.200}") from error
    if not text or "\0" in text:
        raise InputError(f"a path is wanted, found {path!r:.200}")
    try:
        return Path(os.path.expanduser(text)).absolute()
    except OSError as error:
        raise InputError(
            f"{text}: the current folder does not exist any more; go to another, or give an "
            "absolute path"
        ) from error


def is_file(path: Path) -> bool:
    """Return whether a file is there that can be read to its end, unlike a device or a pipe."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a draft that takes the place of ``path`` when the block succeeds.

    The draft lies beside ``path`` and does not exist yet; the block writes it. Several processes
    may replace the same file: each has a draft of its own, and the last one to finish wins.

    Raises:
        FileFormatError: the folder is missing, not writable or full; the old file stays.
    """
    path = Path(path)
    draft = path.parent / f".{uuid4().hex}.part"
    try:
        try:
            yield draft
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise FileFormatError(
            f"cannot write {path}: {error.strerror or error}; check that the folder exists, is "
            "writable and has room"
        ) from error


def write_file(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a whole file at once; text becomes UTF-8.

    Raises:
        FileFormatError: the folder is missing, not writable or full; the old file stays.
    """
    with replaced_file(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def is_empty(folder: Path) -> bool:
    """Return whether a folder holds nothing, apart from what a killed program left."""
    return all(path.name.startswith(_SCRATCH) for path in folder.iterdir())


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a new scratch folder that takes the place of ``folder`` when the block succeeds.

    A symbolic link to a folder stays, and so does a folder that cannot be renamed: the current
    one, a mount point, or one in a folder that is not writable. There the content is replaced.

    Raises:
        ConversionError: the place cannot be written; what stood there stays.
    """
    try:
        folder = folder.resolve()
        folder.parent.mkdir(parents=True, exist_ok=True)
        fixed = _is_fixed(folder)
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder if fixed else folder.parent))
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise ConversionError(
            f"cannot write to {folder.parent}: {getattr(error, 'strerror', None) or error}; choose "
            "a writable folder"
        ) from error
    draft, old = scratch / DRAFT, scratch / "old"
    try:
        draft.mkdir()
        yield draft
        if fixed:
            _exchange_content(folder, scratch, draft, old)
        else:
            if folder.is_dir():
                folder.rename(old)
            draft.rename(folder)
    except OSError as error:
        raise ConversionError(
            f"cannot write {folder}: {_reason(error)}; choose another folder, with room"
        ) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(scratch, ignore_errors=True)


def _reason(error: OSError) -> str:
    """Return one reason; ``shutil.copytree`` gathers one for every file that it could not copy."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        _, _, first = error.args[0][0]
        return str(first)
    return error.strerror or str(error)


def _is_fixed(folder: Path) -> bool:
    """Return whether a folder is there that must stay itself."""
    return folder.is_dir() and (
        folder.samefile(os.curdir)
        or folder.is_mount()
        or not os.access(folder.parent, os.W_OK | os.X_OK)
    )


def _exchange_content(folder: Path, scratch: Path, draft: Path, old: Path) -> None:
    """Move what is in ``folder`` to ``old`` and what is in ``draft`` to ``folder``, or neither."""
    old.mkdir()
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in ((folder, old), (draft, folder)):
            for path in sorted(source.iterdir()):
                if path != scratch:
                    path.rename(target / path.name)
                    done.append((path, target / path.name))
    except BaseException:
        for path, moved in reversed(done):
            moved.rename(path)
        raise
