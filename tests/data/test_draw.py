"""Images as people hold them: every source gives the same images, and the same again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, SubsetRandomSampler

from hyq_hls.data import FolderImages, draw, labelled_batches
from hyq_hls.data.image_folder import Preparation
from hyq_hls.errors import InputError
from hyq_hls.images import image_bytes

COUNT = 20
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(COUNT) % 10
FLOATS = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).float() / 255


class Samples(Dataset[Any]):
    """A dataset of whatever a function makes of a place."""

    def __init__(self, sample: Callable[[int], Any]) -> None:
        self.sample = sample

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, place: int) -> Any:
        return self.sample(place)


class Stream(IterableDataset[Any]):
    """Samples without a length."""

    def __iter__(self) -> Iterator[Any]:
        return ((FLOATS[i], int(LABELS[i])) for i in range(COUNT))


def tensors(place: int) -> Any:
    return FLOATS[place], int(LABELS[place])


def dicts(place: int) -> Any:
    return {"label": int(LABELS[place]), "pixel_values": FLOATS[place]}


def pillows(place: int) -> Any:
    return Image.fromarray(PIXELS[place]), int(LABELS[place])


def columns(batch: list[Any]) -> Any:
    """Collate as people do for object detection."""
    return tuple(zip(*batch, strict=True))


def samples(batch: list[Any]) -> Any:
    return batch


PAIRS = [(FLOATS[i : i + 6], LABELS[i : i + 6]) for i in range(0, COUNT, 6)]
#: Sources with labels, then those without.
LABELLED: dict[str, Callable[[], Any]] = {
    "tuple": lambda: (PIXELS, LABELS),
    "dict": lambda: {"image": PIXELS, "label": LABELS},
    "list of batches with labels": lambda: PAIRS,
    "list of samples": lambda: [tensors(i) for i in range(COUNT)],
    "generator of batches with labels": lambda: iter(PAIRS),
    "dataset": lambda: Samples(tensors),
    "dataset of dicts": lambda: Samples(dicts),
    "dataset of Pillow images": lambda: Samples(pillows),
    "loader": lambda: DataLoader(Samples(tensors), 6),
    "shuffling loader": lambda: DataLoader(Samples(tensors), 6, shuffle=True),
    "loader with a generator": lambda: DataLoader(
        Samples(tensors), 6, shuffle=True, generator=torch.Generator()
    ),
    "loader of dicts": lambda: DataLoader(Samples(dicts), 6),
    "loader of single samples": lambda: DataLoader(Samples(tensors), batch_size=None),
    "loader of columns": lambda: DataLoader(Samples(pillows), 6, collate_fn=columns),
    "loader of lists of samples": lambda: DataLoader(Samples(pillows), 6, collate_fn=samples),
    "iterable dataset": Stream,
    "loader of an iterable dataset": lambda: DataLoader(Stream(), 6),
}
UNLABELLED: dict[str, Callable[[], Any]] = {
    "array": lambda: PIXELS,
    "tensor": lambda: FLOATS,
    "half": FLOATS.half,
    "double": FLOATS.double,
    "nested lists": PIXELS.tolist,
    "list of images": lambda: list(FLOATS),
    "list of Pillow images": lambda: [Image.fromarray(pixels) for pixels in PIXELS],
    "list of batches": lambda: [FLOATS[i : i + 6] for i in range(0, COUNT, 6)],
    "generator of batches": lambda: (FLOATS[i : i + 6] for i in range(0, COUNT, 6)),
    "generator of images": lambda: iter(FLOATS),
    "loader of images": lambda: DataLoader(Samples(lambda place: FLOATS[place]), 6),
}
SOURCES = LABELLED | UNLABELLED


@pytest.mark.parametrize("source", SOURCES)
def test_all_images_of_every_source(source: str) -> None:
    found = image_bytes(draw(SOURCES[source]()).images)
    assert len(found) == COUNT
    order = np.argsort(found.sum(axis=(1, 2, 3)), kind="stable")
    wanted = np.argsort(PIXELS.sum(axis=(1, 2, 3)), kind="stable")
    assert np.array_equal(found[order], PIXELS[wanted])


@pytest.mark.parametrize("source", SOURCES)
def test_some_images_are_the_same_again(source: str) -> None:
    first, again = (draw(SOURCES[source](), 7, seed=3) for _ in range(2))
    assert np.array_equal(first.images, again.images)
    assert first.origin == again.origin
    assert len(first.images) == 7
    known = {pixels.tobytes() for pixels in PIXELS}
    assert len({p.tobytes() for p in image_bytes(first.images)} & known) == 7


@pytest.mark.parametrize("source", LABELLED)
def test_labels_stay_with_their_images(source: str) -> None:
    number = {pixels.tobytes(): label for pixels, label in zip(PIXELS, LABELS, strict=True)}
    total = 0
    for images, labels in labelled_batches(LABELLED[source]()):
        assert [number[p.tobytes()] for p in image_bytes(images)] == labels.tolist()
        total += len(labels)
    assert total == COUNT


def test_a_sorted_dataset_is_drawn_from_everywhere() -> None:
    """The first images of an ImageNet folder are of one class."""
    origin = "8 of 20 images of a DataLoader, drawn with seed 1"
    found = draw(DataLoader(Samples(tensors), 6), 8, seed=1)
    assert found.origin == origin
    places = [PIXELS.tolist().index(p) for p in image_bytes(found.images).tolist()]
    assert places == sorted(places)
    assert places[-1] > 10
    assert places != [
        PIXELS.tolist().index(p) for p in image_bytes(draw(PIXELS, 8, 2).images).tolist()
    ]


def test_the_sampler_of_a_loader_is_kept() -> None:
    """People split training and validation with it."""
    loader = DataLoader(Samples(tensors), 3, sampler=SubsetRandomSampler([2, 3, 5, 7]))
    found = image_bytes(draw(loader).images)
    assert sorted(map(bytes, found)) == sorted(map(bytes, PIXELS[[2, 3, 5, 7]]))


def test_random_transforms_are_the_same_again() -> None:
    def augmented(place: int) -> Any:
        moved = random.randrange(4) + int(np.random.randint(4)) + int(torch.randint(4, ()))  # noqa: NPY002
        return FLOATS[place].roll(moved, dims=1)

    torch.manual_seed(5)
    state = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore  # noqa: NPY002
    first, again = (draw(Samples(augmented)).images for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, draw(Samples(augmented), seed=1).images)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.random.get_state()[1].tolist() == state[1]  # type: ignore  # noqa: NPY002
    assert random.getstate() == state[2]


def test_an_endless_stream_is_read_only_as_far_as_asked() -> None:
    read = []

    def endless() -> Iterator[Any]:
        while True:
            read.append(0)
            yield FLOATS[:8]

    assert draw(endless(), 20).images.shape == (20, 3, 8, 8)
    assert len(read) == 3
    assert len(draw(endless()).images) == 512


def test_more_than_there_are_gives_all() -> None:
    assert draw(PIXELS, 1000).origin == "all 20 images"


def test_a_folder(tmp_path: Path) -> None:
    for i, pixels in enumerate(PIXELS[:6]):
        folder = tmp_path / f"class{i % 2}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    for source in (tmp_path, str(tmp_path), FolderImages(tmp_path)):
        found = draw(source, 4)
        assert len(found.images) == 4
        assert found.origin == "4 of 6 images of a FolderImages, drawn with seed 0"
    assert np.array_equal(draw(tmp_path).images, PIXELS[[0, 2, 4, 1, 3, 5]])
    Image.fromarray(PIXELS[0, :4]).save(tmp_path / "small.png")
    with pytest.raises(InputError, match=r"different shapes.*FolderImages\(folder, Preparation"):
        draw(tmp_path)
    assert draw(FolderImages(tmp_path, Preparation(6))).images.shape == (7, 6, 6, 3)


def failing(place: int) -> Any:
    raise FileNotFoundError(f"no file {place}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (3, "images are wanted, found int"),
        (None, "images are wanted, found NoneType"),
        (object(), "images are wanted, found object"),
        ([], "no images in list"),
        ({}, "a dict with the keys  found"),
        (iter(()), "no images: the set is empty"),
        (["a", "b"], "no images in 'a'"),
        ({"train": 1, "test": 2}, "keys train, test found; images are looked for"),
        (
            [PIXELS[0], PIXELS[0, :4]],
            r"shapes: \(8, 8, 3\) first, \(4, 8, 3\) in entry 1",
        ),
        (
            Samples(failing),
            r"images from a Samples failed \(FileNotFoundError: no file 0\)",
        ),
        (DataLoader(Samples(failing)), r"reading images from a DataLoader failed"),
        (Path("/no/such"), "no such folder: /no/such"),
        (__file__, "is a file; a folder of images is wanted"),
        ([(1, 2), (3, 4)], "images of shape"),
    ],
)
def test_refused(source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw(source)


@pytest.mark.parametrize("count", [0, -1, 2.5, "3", True])
def test_a_count_that_is_none(count: Any) -> None:
    with pytest.raises(InputError, match=r"count=.*an integer of 1 or more is wanted"):
        draw(PIXELS, count)


def test_a_seed_that_is_none() -> None:
    with pytest.raises(InputError, match="seed=-1: an integer of 0 or more is wanted"):
        draw(PIXELS, seed=-1)


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (PIXELS, ["cat"] * COUNT, "labels of text found; integers are wanted"),
        (PIXELS, LABELS / 2, "labels of float64 found"),
        (PIXELS, np.eye(10)[LABELS].astype(int), r"labels of shape \(20, 10\); one-hot"),
        (PIXELS, LABELS[:4], r"20 images but labels of shape \(4,\)"),
        ([PIXELS], None, "no labels in ndarray"),
        (3, None, "images and labels are wanted, found int"),
        (Samples(failing), None, r"failed \(FileNotFoundError: no file 0\)"),
    ],
)
def test_labels_that_are_refused(data: Any, labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(labelled_batches(data, labels))
