"""A folder of image files as a dataset: one file is read when it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.data.image_folder import Preparation, all_images, read_image
from hyq_hls.errors import InputError


class FolderImages:
    """All image files below a folder, sorted by path, as bytes (H, W, 3).

    Attributes:
        folder: the folder.
        preparation: how a file is resized and cropped; None leaves its size.
        paths: the files.

    Raises:
        InputError: there is no such folder, or it holds no images.
    """

    def __init__(
        self, folder: str | os.PathLike[str], preparation: Preparation | None = None
    ) -> None:
        self.folder, self.preparation = Path(folder).expanduser(), preparation
        if self.folder.is_file():
            raise InputError(
                f"{folder} is a file; a folder of images is wanted: give its folder, or for a "
                "numpy file what np.load returns"
            )
        self.paths = all_images(self.folder)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> NDArray[np.uint8]:
        path = self.paths[place]
        if self.preparation is None:
            return np.asarray(read_image(path))
        return self.preparation(path)

    def __repr__(self) -> str:
        return f"FolderImages({str(self.folder)!r}, {self.preparation}): {len(self)} images"
