"""Draw calibration images from what people hold: the same images for the same seed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from operator import index
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from hyq_hls.data.folder import FolderImages
from hyq_hls.data.image_folder import drawn
from hyq_hls.data.sample import images_of
from hyq_hls.errors import HyqError, InputError

#: Number of images that are drawn from a source that does not lie in memory.
DEFAULT_COUNT = 512
_BATCH = 32


@dataclass(frozen=True, eq=False)
class Drawn:
    """Images, and where they come from.

    Attributes:
        images: (B, H, W, C) or (B, C, H, W) in any type of number, as the source has them.
        origin: where they come from, for people, such as
            ``512 of 60,000 images of a MNIST, drawn with seed 0``.
    """

    images: NDArray[Any]
    origin: str


def draw(source: Any, count: int | None = None, seed: int = 0, progress: bool = False) -> Drawn:
    """Draw images from a source.

    From an array, a dataset with a length, a folder, or a loader of such a dataset, images are
    drawn without repetition and stay in order. From a generator or another stream come the first
    ones. While it is read, the random numbers of Python, numpy and torch are seeded, so that
    shuffling and random transforms give the same again; afterwards they are as before.

    Args:
        source: an array, a list of images or batches, ``(images, labels)``, a dict, a
            ``DataLoader``, a ``Dataset``, a generator, or the path of a folder of images.
        count: number of images; None takes all of what lies in memory, and up to 512 of the rest.
        seed: seed of the drawing.
        progress: whether to show a progress bar.

    Raises:
        InputError: the source has no images, they differ in shape, or reading one failed.
    """
    count = None if count is None else _integer("count", count, 1)
    seed = _integer("seed", seed, 0)
    if isinstance(source, str | os.PathLike):
        source = FolderImages(source)
    if _in_memory(source):
        return _from_memory(images_of(source), count, seed)
    wanted = DEFAULT_COUNT if count is None else count
    name = f"a {type(source).__name__}"
    with _seeded(seed, source):
        try:
            items, total = _items(source, wanted, seed)
            pieces = _read(items, min(wanted, total or wanted), progress)
        except HyqError:
            raise
        except Exception as error:  # whatever the user's dataset or transform raises
            raise InputError(
                f"reading images from {name} failed ({type(error).__name__}: {error}); it must "
                "give images when it is read by itself"
            ) from error
    images = _joined(pieces)
    if total is None:
        return Drawn(images, f"the first {len(images):,} images of {name}, read with seed {seed}")
    return Drawn(images, _of(len(images), total, f"images of {name}", seed))


def _integer(name: str, value: Any, least: int) -> int:
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise InputError(f"{name}={value!r}: an integer of {least} or more is wanted")
    return number


def _in_memory(source: Any) -> bool:
    return isinstance(source, Mapping | list | tuple) or hasattr(source, "ndim")


def _from_memory(pieces: list[NDArray[Any]], count: int | None, seed: int) -> Drawn:
    images = _joined(pieces)
    total = len(images)
    if count is not None and count < total:
        images = images[drawn(total, count, seed)]
    return Drawn(images, _of(len(images), total, "images", seed))


def _of(count: int, total: int, what: str, seed: int) -> str:
    if count == total:
        return f"all {total:,} {what}"
    return f"{count:,} of {total:,} {what}, drawn with seed {seed}"


def _items(source: Any, count: int, seed: int) -> tuple[Iterable[Any], int | None]:
    """Return samples or batches, and the number of images there are, or None for a stream."""
    if isinstance(source, DataLoader):
        return _loader_items(source, count, seed)
    if hasattr(source, "__len__") and hasattr(source, "__getitem__"):
        total = len(source)
        places = drawn(total, min(count, total), seed) if total else ()
        return (source[int(place)] for place in places), total
    if isinstance(source, Iterable):
        return source, None
    raise InputError(
        f"images are wanted, found {type(source).__name__}; give an array, a list of images or "
        "batches, a DataLoader, a Dataset, a generator or the path of a folder"
    )


def _loader_items(
    loader: DataLoader[Any], count: int, seed: int
) -> tuple[Iterable[Any], int | None]:
    """Draw from what the sampler of a loader names; the first images would be of few classes."""
    if isinstance(loader.dataset, IterableDataset):
        return loader, None
    sampler = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    if not hasattr(sampler, "__len__"):
        return loader, None  # It may have no end.
    if loader.batch_sampler is None:
        places = list(loader.sampler)
    else:
        places = list(chain.from_iterable(loader.batch_sampler))
    if not places:
        return (), 0
    chosen = [places[i] for i in drawn(len(places), min(count, len(places)), seed)]
    reader: DataLoader[Any] = DataLoader(
        loader.dataset,
        batch_size=None if loader.batch_sampler is None else _BATCH,
        sampler=chosen,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
    )
    return reader, len(places)


def _read(items: Iterable[Any], count: int, progress: bool) -> list[NDArray[Any]]:
    pieces: list[NDArray[Any]] = []
    found = 0
    with tqdm(desc="read images", total=count, unit="img", disable=not progress) as bar:
        for item in items:
            for images in images_of(item):
                pieces.append(images[: count - found])
                found += len(pieces[-1])
                bar.update(len(pieces[-1]))
            if found >= count:
                break
    return pieces


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    if not pieces:
        raise InputError("no images: the set is empty; give at least one")
    if len(pieces) == 1:
        return pieces[0]
    for i, images in enumerate(pieces):
        if images.shape[1:] != pieces[0].shape[1:]:
            raise InputError(
                f"images of different shapes: {pieces[0].shape[1:]} first, {images.shape[1:]} in "
                f"entry {i}; bring them to the size that the network takes (for a folder: "
                "hyq_hls.data.FolderImages(folder, Preparation(size)))"
            )
    return np.concatenate(pieces)


@contextmanager
def _seeded(seed: int, source: Any) -> Iterator[None]:
    """Seed all random numbers that reading may use, and put them back."""
    own = {id(g): g for g in _generators(source)}.values()
    states = [(generator, generator.get_state()) for generator in own]
    python, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002  (transforms use the global generator)
        for generator in own:
            generator.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)  # noqa: NPY002
            for generator, state in states:
                generator.set_state(state)


def _generators(source: Any) -> list[torch.Generator]:
    """Return the generators of a loader and of its sampler, which it may not share."""
    holders = (source, getattr(source, "sampler", None))
    found = (getattr(holder, "generator", None) for holder in holders)
    return [g for g in found if isinstance(g, torch.Generator)]
