"""image_bytes: every accepted form gives the same bytes; everything else is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls.errors import InputError, RoundedImagesWarning
from hyq_hls.images import image_bytes

SHAPE = (5, 7, 3)
PIXELS = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), dtype=np.uint8)
PIXELS[0, 0, 0] = (0, 255, 128)
FIRST = PIXELS.transpose(0, 3, 1, 2)


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


FORMS: dict[str, Any] = {
    "uint8 last": PIXELS,
    "uint8 first": FIRST,
    "int64 last": PIXELS.astype(np.int64),
    "uint16 first": FIRST.astype(np.uint16),
    "float32 last": PIXELS.astype(np.float32) / 255,
    "float32 first": FIRST.astype(np.float32) / 255,
    "float64 last": PIXELS / 255,
    "float16 first": (FIRST / 255).astype(np.float16),
    "read-only, reversed twice": PIXELS[::-1][::-1],
    "Fortran order": np.asfortranarray(PIXELS),
    "nested lists": PIXELS.tolist(),
    "list of images": list(PIXELS),
    "torch uint8 last": tensor(PIXELS),
    "torch uint8 first": tensor(FIRST),
    "torch int64 first": tensor(FIRST).long(),
    "torch float first": tensor(FIRST).float() / 255,
    "torch double last": tensor(PIXELS).double() / 255,
    "torch with gradient": (tensor(FIRST).float() / 255).requires_grad_(),
    "torch channels_last": (tensor(FIRST).float() / 255).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("shape", [SHAPE, None], ids=["shape", "no_shape"])
@pytest.mark.parametrize("form", FORMS)
def test_accepted(form: str, shape: tuple[int, int, int] | None) -> None:
    found = image_bytes(FORMS[form], shape)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert np.array_equal(found, PIXELS)


@pytest.mark.parametrize("shape", [SHAPE, None], ids=["shape", "no_shape"])
@pytest.mark.parametrize("form", [f for f in FORMS if "list" not in f])
def test_one_image_is_a_batch_of_one(form: str, shape: tuple[int, int, int] | None) -> None:
    assert np.array_equal(image_bytes(FORMS[form][1], shape), PIXELS[1:])


def test_every_byte_survives_as_float() -> None:
    bytes_ = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for kind in (np.float16, np.float32, np.float64):
        assert np.array_equal(image_bytes((bytes_ / 255).astype(kind)), bytes_)
        scaled = bytes_.astype(kind) * kind(1 / 255)
        assert np.array_equal(image_bytes(scaled), bytes_)


def test_the_input_is_not_changed() -> None:
    original = PIXELS / 255
    copy = original.copy()
    image_bytes(original)
    assert np.array_equal(original, copy)


def test_grey_images() -> None:
    grey = PIXELS[..., :1]
    for form in (grey, grey.transpose(0, 3, 1, 2)):
        for shape in ((5, 7, 1), None):
            assert np.array_equal(image_bytes(form, shape), grey)


def test_a_network_of_other_channels() -> None:
    """Its shape says where they are."""
    many = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 4), dtype=np.uint8)
    assert np.array_equal(image_bytes(many, (5, 7, 4)), many)
    assert np.array_equal(image_bytes(many.transpose(0, 3, 1, 2), (5, 7, 4)), many)
    with pytest.raises(InputError, match=r"an axis of 1 or 3 channels.*is wanted"):
        image_bytes(many)


NORMALIZED = (PIXELS / 255 - 0.45) / 0.225


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, *SHAPE), np.uint8), "no images: the set is empty"),
        (np.zeros((2, 0, 7, 3), np.uint8), "empty|found"),
        (np.zeros((2, 0, 0, 3)), "empty|found"),
        ([], r"shape \(0,\) found"),
        (PIXELS[0, 0], r"shape \(7, 3\) found; \(batch, height, width, channels\) or"),
        (PIXELS[None], r"shape \(1, 2, 5, 7, 3\) found"),
        (np.uint8(3), r"shape \(\) found"),
        (np.where(PIXELS > 200, np.nan, PIXELS / 255), "NaN or infinite"),
        (np.full((1, *SHAPE), np.inf), "NaN or infinite"),
        (np.full((1, *SHAPE), -np.inf, np.float32), "NaN or infinite"),
        (NORMALIZED, r"float images in \[-2, 2.444\] found; \[0, 1\] is wanted .*normalized"),
        (PIXELS / 127.5 - 1, r"\[0, 1\] is wanted"),
        (PIXELS.astype(np.float32), r"\[0, 255\] found; \[0, 1\] is wanted .*; divide them"),
        (np.full((1, *SHAPE), -0.01), r"\[0, 1\] is wanted"),
        (np.full((1, *SHAPE), 1.01), r"\[0, 1\] is wanted"),
        (np.full((1, *SHAPE), 256), r"dtype int64 in \[256, 256\] found; bytes"),
        (np.full((1, *SHAPE), -1), r"dtype int64 in \[-1, -1\] found; bytes"),
        (np.ones((1, *SHAPE), bool), "dtype bool"),
        (np.ones((1, *SHAPE), complex), "dtype complex128"),
        (np.full((1, *SHAPE), "x"), "dtype <U1"),
        (np.full((1, *SHAPE), None), "dtype object"),
        ([PIXELS[0], PIXELS[0, :4]], "cannot be one array"),
        ("digits.npy", r"shape \(\) found"),
        (None, r"shape \(\) found"),
        (torch.zeros(1, *SHAPE).to_sparse(), "cannot be one array"),
    ],
)
@pytest.mark.parametrize("shape", [SHAPE, None], ids=["shape", "no_shape"])
def test_refused(images: Any, message: str, shape: tuple[int, int, int] | None) -> None:
    with pytest.raises(InputError, match=message):
        image_bytes(images, shape)


def test_other_floats_are_rounded_with_a_word() -> None:
    """As images are that were resized after they became floats."""
    resized = np.random.default_rng(1).random((2, *SHAPE))
    with pytest.warns(RoundedImagesWarning, match=r"up to 0\.[45]\d of a byte away"):
        found = image_bytes(resized, SHAPE)
    assert np.array_equal(found, np.rint(resized * 255))


def test_bfloat16_gives_the_same_bytes() -> None:
    """Its eight bits of mantissa move a byte by less than half."""
    bytes_ = torch.arange(256).reshape(1, 16, 16, 1)
    with pytest.warns(RoundedImagesWarning):
        found = image_bytes((bytes_ / 255).bfloat16())
    assert np.array_equal(found, bytes_)


@pytest.mark.parametrize("wrong", [(5, 7, 1), (7, 5, 3), (3, 7, 5), (10, 14, 3), (5, 7, 4)])
def test_other_shapes_are_refused(wrong: tuple[int, int, int]) -> None:
    wanted = r"\(batch, 5, 7, 3\) or \(batch, 3, 5, 7\) is wanted"
    with pytest.raises(InputError, match=wanted):
        image_bytes(np.zeros((2, *wrong), np.uint8), SHAPE)


@pytest.mark.parametrize("ambiguous", [(3, 3, 3), (3, 8, 3), (1, 8, 1), (3, 8, 1), (1, 1, 3)])
def test_ambiguous_layouts_need_a_shape(ambiguous: tuple[int, int, int]) -> None:
    """Both ends could be the channels."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, *ambiguous), dtype=np.uint8)
    with pytest.raises(InputError, match="either end could be the channels"):
        image_bytes(pixels)
    if ambiguous != (3, 3, 3):
        assert np.array_equal(image_bytes(pixels, ambiguous), pixels)
        height, width, channels = ambiguous
        first = pixels.reshape(2, channels, height, width)
        assert np.array_equal(image_bytes(first, ambiguous), first.transpose(0, 2, 3, 1))


def test_a_cube_is_ambiguous_even_with_a_shape() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="either end could be the channels"):
        image_bytes(pixels, (3, 3, 3))
    one = pixels[:, :1, :1, :1]
    assert np.array_equal(image_bytes(one, (1, 1, 1)), one)
    assert np.array_equal(image_bytes(one), one), "1 x 1 x 1 is the same in both layouts"


def test_the_channels_of_the_network_say_which_axis_they_are() -> None:
    """Any number of channels is found when it is known; else, or in vain, 1 or 3."""
    for channels in (2, 4, 8):
        pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, channels), np.uint8)
        assert np.array_equal(image_bytes(pixels, channels=channels), pixels)
        first = np.moveaxis(pixels, 3, 1)
        assert np.array_equal(image_bytes(first, channels=channels), pixels)
        with pytest.raises(InputError, match="1 or 3 channels"):
            image_bytes(pixels, channels=9)
    assert np.array_equal(image_bytes(PIXELS, channels=9), PIXELS)
