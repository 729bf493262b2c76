"""Folders of images: labels, choice, and the bytes that the papers' preparation gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hyq_hls.data.image_folder import (
    Preparation,
    all_images,
    drawn,
    labelled_images,
    load_images,
)
from hyq_hls.errors import InputError


def write(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, files in (("n2", ["b.JPEG", "a.png"]), ("n10", ["c.jpg"]), ("n1", ["d.bmp"])):
        for file in files:
            write(tmp_path / name / file, noise(5, 5))
    (tmp_path / "n1" / "notes.txt").write_text("not an image")
    (tmp_path / "n1" / "._d.jpg").write_text("not an image either")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "classes.json").write_text("{}")
    return tmp_path


def test_labels_are_the_places_of_the_sorted_folder_names(folder: Path) -> None:
    found = labelled_images(folder)
    assert found.classes == ("n1", "n10", "n2")
    assert [p.name for p in found.paths] == ["d.bmp", "c.jpg", "a.png", "b.JPEG"]
    assert found.labels == (0, 1, 2, 2)
    some = found.some([3, 0])
    assert [p.name for p in some.paths] == ["b.JPEG", "d.bmp"]
    assert some.labels == (2, 0)
    assert some.classes == found.classes


def test_all_images_are_found_at_any_depth(folder: Path) -> None:
    write(folder / "n2" / "deep" / "e.PNG", noise(5, 5))
    write(folder / "top.png", noise(5, 5))
    write(folder / ".cache" / "hidden.png", noise(5, 5))
    write(folder / "__pycache__" / "hidden.png", noise(5, 5))
    names = [p.relative_to(folder).as_posix() for p in all_images(folder)]
    assert names == sorted(names)
    assert set(names) == {
        *("n1/d.bmp", "n10/c.jpg", "n2/a.png", "n2/b.JPEG", "n2/deep/e.PNG", "top.png")
    }


def test_digest_depends_on_names_sizes_and_labels(folder: Path) -> None:
    found = labelled_images(folder)
    first = found.digest()
    assert labelled_images(folder).digest() == first
    assert found.some([0, 1]).digest() != first
    (folder / "n10" / "c.jpg").rename(folder / "n10" / "other.jpg")
    renamed = labelled_images(folder).digest()
    assert renamed != first
    with (folder / "n10" / "other.jpg").open("ab") as file:
        file.write(b"x")
    longer = labelled_images(folder).digest()
    assert longer != renamed
    write(folder / "n0" / "z.png", noise(5, 5))
    assert labelled_images(folder).some([1, 2, 3, 4]).digest() != longer  # other labels


def test_draw_is_the_same_for_a_seed_and_has_no_repetition() -> None:
    chosen = drawn(1000, 100, 3)
    assert np.array_equal(chosen, drawn(1000, 100, 3))
    assert not np.array_equal(chosen, drawn(1000, 100, 4))
    assert len(set(chosen.tolist())) == 100
    assert np.array_equal(drawn(5, 5, 0), np.arange(5))
    for count in (0, 6):
        with pytest.raises(InputError, match=f"{count} images are asked for; 1 to 5 are there"):
            drawn(5, count, 0)


def test_published_sizes_are_the_default() -> None:
    assert (Preparation().size, Preparation().shorter) == (256, 284)


@pytest.mark.parametrize("shape", [(300, 500), (500, 300), (284, 284), (20, 31), (284, 1000)])
def test_shorter_side_is_resized_and_the_centre_is_cut_out(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    height, width = shape
    pixels = noise(height, width)
    found = Preparation()(write(tmp_path / "image.png", pixels))
    scaled = 284 * max(shape) // min(shape)
    size = (scaled, 284) if width > height else (284, scaled)
    whole = np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    top, left = (round((side - 256) / 2) for side in whole.shape[:2])
    assert found.dtype == np.uint8
    assert np.array_equal(found, whole[top : top + 256, left : left + 256])


def test_images_of_the_right_size_keep_their_bytes(tmp_path: Path) -> None:
    pixels = noise(32, 32)
    path = write(tmp_path / "image.png", pixels)
    assert np.array_equal(Preparation(32, 32)(path), pixels)
    assert np.array_equal(Preparation(30, 32)(path), pixels[1:31, 1:31])


@pytest.mark.parametrize(("mode", "suffix"), [("L", "jpg"), ("CMYK", "jpg"), ("P", "png")])
def test_other_colours_become_three_channels(mode: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(noise(9, 9)).convert(mode).save(path)
    assert Preparation(8, 8)(path).shape == (8, 8, 3)


def test_files_keep_their_order_whatever_thread_reads_them(tmp_path: Path) -> None:
    images = [noise(8, 8, seed) for seed in range(12)]
    paths = [write(tmp_path / f"{i}.png", image) for i, image in enumerate(images)]
    assert np.array_equal(load_images(paths, Preparation(8, 8), 4), np.stack(images))


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_broken_files_are_named(content: bytes | None, tmp_path: Path) -> None:
    good = write(tmp_path / "good.png", noise(8, 8))
    bad = write(tmp_path / "bad.JPEG", noise(64, 64))
    bad.write_bytes(bad.read_bytes()[:900] if content is None else content)
    with pytest.raises(InputError, match=r"bad\.JPEG cannot be read as an image \(.*restore"):
        load_images([good, bad], Preparation(8, 8))


@pytest.mark.parametrize(("size", "resize"), [(0, None), (-1, 5), (32, 31)])
def test_impossible_sizes_are_refused(size: int, resize: int | None) -> None:
    with pytest.raises(InputError, match=f"a crop of {size} from images resized to"):
        Preparation(size, resize)


def test_folders_that_do_not_do_are_named(tmp_path: Path) -> None:
    for find in (labelled_images, all_images):
        with pytest.raises(InputError, match=r"no such folder: .*none"):
            find(tmp_path / "none")
    with pytest.raises(InputError, match="has no class folders; <folder>/<class>/<image>"):
        labelled_images(tmp_path)
    with pytest.raises(InputError, match="holds no images"):
        all_images(tmp_path)
    write(tmp_path / "loose.png", noise(5, 5))
    with pytest.raises(InputError, match="has no class folders but 1 loose images"):
        labelled_images(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"class folder .*empty holds no images"):
        labelled_images(tmp_path)
