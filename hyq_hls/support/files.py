"""Files and folders that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from hyq_hls.errors import ConversionError, FileFormatError

#: Name of the new folder inside the scratch folder.
DRAFT = "draft"


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


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a new scratch folder that takes the place of ``folder`` when the block succeeds.

    Raises:
        ConversionError: the place cannot be written; what stood there stays.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ConversionError(
            f"cannot write to {folder.parent}: {error.strerror or error}; choose a writable folder"
        ) from error
    draft, old = scratch / DRAFT, scratch / "old"
    try:
        draft.mkdir()
        yield draft
        if folder.is_dir():
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        raise ConversionError(
            f"cannot write {folder}: {error.strerror or error}; choose another folder, with room"
        ) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(scratch, ignore_errors=True)
