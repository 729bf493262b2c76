"""Folders that appear complete or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hyq_hls.errors import ConversionError

#: Inside the scratch folder.
DRAFT = "draft"


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A new scratch folder that takes the place of ``folder`` when the block succeeds.

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
