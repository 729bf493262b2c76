"""Images as people hold them: arrays, folders, datasets, loaders, generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyq_hls.data.labelled import labelled_batches
from hyq_hls.support import needs

if TYPE_CHECKING:
    from hyq_hls.data.drawing import DEFAULT_COUNT, Drawn, draw
    from hyq_hls.data.folder import FolderImages

_HOMES = {
    "DEFAULT_COUNT": "drawing",
    "Drawn": "drawing",
    "FolderImages": "folder",
    "draw": "drawing",
}

__all__ = ["DEFAULT_COUNT", "Drawn", "FolderImages", "draw", "labelled_batches"]


def __getattr__(name: str) -> Any:
    """Import a name at its first use: labelled arrays need neither torch nor Pillow."""
    from importlib import import_module  # noqa: PLC0415

    if name in _HOMES:
        needs("torch", "PIL")
        return getattr(import_module(f"hyq_hls.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hyq_hls.data' has no attribute {name!r}")
