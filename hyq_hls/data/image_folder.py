"""Folders of images as ImageNet has them, and the preparation that MobileViT's authors used.

``<folder>/<class>/<image>``; the label of a class is its place among the sorted folder names, as
torchvision's ``ImageFolder`` has it. With ImageNet's folder names (``n01440764`` ...) that is the
order of the 1000 public logits.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hyq_hls.errors import InputError

#: Suffixes of image files, in small letters.
SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".ppm", ".webp", ".tif", ".tiff")
#: Errors that Pillow raises for a file that is damaged or no image at all.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
#: Share of the shorter side of a resized image that the centre crop keeps.
_CROP = 0.9


@dataclass(frozen=True)
class Preparation:
    """Makes bytes of an image file: shorter side to ``resize`` (bicubic), centre crop of ``size``.

    Nothing is normalized. The sizes, 284 and 256 pixels, are those of the released code of HyQ
    (``test_quant.py``, ``crop_pct = 0.9``) and of timm for the weights ``cvnets_in1k``. Rounding
    follows torchvision's ``Resize`` and ``CenterCrop``, so that the bytes are theirs.

    Attributes:
        size: height and width of the result in pixels.
        resize: shorter side before the crop in pixels; None means ``floor(size / 0.9)``.

    Raises:
        InputError: a size is not positive, or the crop is larger than the resized image.
    """

    size: int = 256
    resize: int | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or self.shorter < self.size:
            raise InputError(
                f"a crop of {self.size} from images resized to {self.shorter} is asked for; the "
                "crop must be positive and no larger than the resized image"
            )

    @property
    def shorter(self) -> int:
        """Shorter side before the crop, in pixels."""
        return int(self.size / _CROP) if self.resize is None else self.resize

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        """Return the bytes (size, size, 3) of one file.

        Raises:
            InputError: it cannot be read as an image; names it.
        """
        image = read_image(path)
        width, height = image.size
        shorter = min(width, height)
        wide, high = (
            self.shorter if side == shorter else int(self.shorter * side / shorter)
            for side in (width, height)
        )
        image = image.resize((wide, high), Image.Resampling.BICUBIC)
        left, top = (round((side - self.size) / 2) for side in (wide, high))
        return np.array(image.crop((left, top, left + self.size, top + self.size)))


@dataclass(frozen=True)
class LabelledImages:
    """Image files with the classes that their folders say.

    Attributes:
        root: folder that holds the class folders.
        classes: names of the class folders, sorted; the label is the place.
        paths: image files, class by class, sorted.
        labels: labels of the files.
    """

    root: Path
    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[int, ...]

    def some(self, indices: Sequence[int] | NDArray[np.int64]) -> LabelledImages:
        """Return the images at these places."""
        paths = tuple(self.paths[i] for i in indices)
        return LabelledImages(
            self.root, self.classes, paths, tuple(self.labels[i] for i in indices)
        )

    def digest(self) -> str:
        """Return a SHA-256 over names inside the folder, sizes in bytes and labels of the files."""
        rows = (
            f"{path.relative_to(self.root).as_posix()}\t{path.stat().st_size}\t{label}\n"
            for path, label in zip(self.paths, self.labels, strict=True)
        )
        return hashlib.sha256("".join(rows).encode()).hexdigest()


def labelled_images(folder: Path) -> LabelledImages:
    """List ``<folder>/<class>/<image>``; hidden folders and other files are passed over.

    Raises:
        InputError: there is no such folder, it has no class folders, or one has no images.
    """
    _need_folder(folder)
    entries = sorted(folder.iterdir(), key=lambda path: path.name)
    classes = tuple(p.name for p in entries if p.is_dir() and not _is_hidden(p.name))
    if not classes:
        loose = sum(_is_image(p.name) for p in entries)
        raise InputError(
            f"{folder} has no class folders{f' but {loose} loose images' if loose else ''}; "
            "<folder>/<class>/<image> is wanted: sort the images into one folder per class"
        )
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = sorted(file.name for file in os.scandir(folder / name) if _is_image(file.name))
        if not files:
            raise InputError(
                f"class folder {folder / name} holds no images ({', '.join(SUFFIXES)}); fill it, "
                "or give the folder that holds the class folders"
            )
        paths += [folder / name / file for file in files]
        labels += [label] * len(files)
    return LabelledImages(folder, classes, tuple(paths), tuple(labels))


def all_images(folder: Path) -> list[Path]:
    """List every image file below a folder, sorted, whatever its class, but no hidden ones.

    Raises:
        InputError: there is no such folder, or it holds none.
    """
    _need_folder(folder)
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [Path(place, name) for name in files if _is_image(name)]
    if not found:
        raise InputError(f"{folder} holds no images ({', '.join(SUFFIXES)}) in any folder below it")
    return sorted(found)


def drawn(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Draw ``count`` of ``total`` places without repetition, sorted, the same for a seed.

    Raises:
        InputError: there are fewer than ``count``, or none is asked for.
    """
    if not 1 <= count <= total:
        raise InputError(f"{count} images are asked for; 1 to {total} are there")
    return np.sort(np.random.default_rng(seed).choice(total, count, replace=False))


def read_image(path: Path) -> Image.Image:
    """Read an image file as RGB.

    Raises:
        InputError: it cannot be read as an image; names it.
    """
    try:
        with Image.open(path) as file:
            image: Image.Image = file.convert("RGB")
            return image
    except _DAMAGE as error:
        raise InputError(
            f"{path} cannot be read as an image ({type(error).__name__}: {error}); restore the "
            "file, or take it away"
        ) from error


def load_images(
    paths: Sequence[Path], preparation: Preparation, workers: int | None = None
) -> NDArray[np.uint8]:
    """Return the bytes (B, size, size, 3) of image files.

    Raises:
        InputError: a file cannot be read as an image; names it.
    """
    # Warnings of Pillow about odd metadata do not concern the pixels. Filters belong to the whole
    # process, so they are set here and not in the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as pool:
        warnings.simplefilter("ignore")
        return np.stack(list(pool.map(preparation, paths)))


def _need_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}; a folder of images is wanted")


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _is_hidden(folder: str) -> bool:
    """Return whether no person made a folder; Python makes one beside a module with a model."""
    return folder.startswith(".") or folder == "__pycache__"
