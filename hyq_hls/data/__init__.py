"""Images as people hold them: arrays, folders, datasets, loaders, generators."""

from __future__ import annotations

from hyq_hls.data.draw import DEFAULT_COUNT, Drawn, draw
from hyq_hls.data.folder import FolderImages
from hyq_hls.data.labelled import labelled_batches

__all__ = ["DEFAULT_COUNT", "Drawn", "FolderImages", "draw", "labelled_batches"]
