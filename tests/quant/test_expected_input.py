"""What a model expects for bytes is asked, read from it, or found, and is a part of the network."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import QuantizedModel, quantize
from hyq_hls.capture import capture
from hyq_hls.errors import InputError, InputRangeWarning
from hyq_hls.normalization import Normalization
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.expected_input import with_normalization
from hyq_hls.support import sqnr_db
from tests.capture.hybrids import settle
from tests.quant.test_image_codes import images

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PIXELS = images(3)


class Plain(nn.Sequential):
    """A small network that does nothing to its images."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(
            nn.Conv2d(3, 6, 3, padding=1),
            *layers,
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, 4),
        )


class Divided(nn.Module):
    """A network that takes bytes and divides them itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Plain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.net((x - 127.5) / 127.5)
        return logits


def plain(*layers: nn.Module) -> Plain:
    model: Plain = settle(Plain(*layers))
    return model


def normalized(pixels: np.ndarray, mean: Any = MEAN, std: Any = STD) -> torch.Tensor:
    """Images (B, C, H, W) as a model that was trained with mean and deviation takes them."""
    columns = [torch.tensor(v).view(-1, 1, 1) for v in (mean, std)]
    return (to_float(pixels) - columns[0]) / columns[1]


def db(model: nn.Module, inputs: torch.Tensor, qmodel: QuantizedModel) -> float:
    """Signal-to-noise of the logits of bytes against the model's."""
    with torch.no_grad():
        return sqnr_db(model(inputs).numpy(), qmodel(PIXELS))


def test_the_float_graph_has_the_numbers_of_the_normalization() -> None:
    """The module is checked in float64, and is exported in float32."""
    _, report = capture(with_normalization(plain(), Normalization(MEAN, STD)), (3, 8, 8))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10


@pytest.mark.parametrize("form", ["bytes", "floats in [0, 1]", "normalized"])
def test_mean_and_std_are_arguments(form: str) -> None:
    model, inputs = plain(), normalized(PIXELS)
    given = {"bytes": PIXELS, "floats in [0, 1]": to_float(PIXELS), "normalized": inputs}[form]
    qmodel = quantize(model, given, mean=MEAN, std=STD, progress=False)
    assert db(model, inputs, qmodel) > 25
    assert np.array_equal(qmodel.codes(PIXELS), qmodel.codes(inputs))
    assert np.array_equal(qmodel.codes(PIXELS), qmodel.codes(to_float(PIXELS)))
    assert "normalizes them itself: (byte / 255 - (0.485, 0.456, 0.406))" in str(qmodel)


def test_node_names_are_those_without_mean_and_std() -> None:
    model = plain()
    found = quantize(model, PIXELS, mean=0.0, std=0.5, progress=False)
    assert list(found.graph.nodes) == list(quantize(model, PIXELS, progress=False).graph.nodes)


def test_the_file_says_it(tmp_path: Path) -> None:
    qmodel = quantize(plain(), PIXELS, mean=MEAN, std=STD, progress=False)
    loaded = QuantizedModel.load(qmodel.save(tmp_path / "net.hyq"))
    assert loaded.normalization == qmodel.normalization
    assert loaded.normalization.mean == MEAN
    assert np.array_equal(loaded.codes(normalized(PIXELS)), qmodel.codes(PIXELS))


def test_the_module_is_kept_with_its_normalization() -> None:
    qmodel = quantize(plain(), PIXELS, mean=MEAN, std=STD, progress=False)
    module = pickle.loads(pickle.dumps(qmodel.module))
    with torch.no_grad():
        wanted = plain()(normalized(PIXELS))
        torch.testing.assert_close(module(to_float(PIXELS)), wanted)


def test_numbers_above_one_speak_of_bytes() -> None:
    model = plain()
    inputs = (to_float(PIXELS) * 255 - 128) / 64
    assert db(model, inputs, quantize(model, PIXELS, mean=128, std=64, progress=False)) > 25


@pytest.mark.slow
def test_timm_says_it() -> None:
    model = plain()
    stated = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    object.__setattr__(model, "pretrained_cfg", stated)
    inputs = normalized(PIXELS, (0.5,) * 3, (0.5,) * 3)
    qmodel = quantize(model, PIXELS, progress=False)
    assert db(model, inputs, qmodel) > 25
    assert qmodel.normalization.source == "pretrained_cfg of the model"
    off = quantize(model, PIXELS, mean=0.0, std=1.0, progress=False)
    assert off.normalization.is_plain


def test_the_range_is_an_argument() -> None:
    model = plain()
    qmodel = quantize(model, PIXELS, input_range=(0, 255), progress=False)
    assert db(model, to_float(PIXELS) * 255, qmodel) > 25


@pytest.mark.slow
def test_a_model_that_divides_its_images_gets_bytes() -> None:
    model = settle(Divided())
    with pytest.warns(InputRangeWarning, match=r"in \[0, 255\].*divided by 128"):
        qmodel = quantize(model, PIXELS, progress=False)
    assert db(model, to_float(PIXELS) * 255, qmodel) > 25
    told = quantize(model, PIXELS, input_range=(0, 1), progress=False)
    assert told.normalization.is_plain


def test_a_model_that_was_trained_on_bytes_gets_bytes() -> None:
    model = plain(nn.BatchNorm2d(6, momentum=None)).train()
    with torch.no_grad():
        model(to_float(PIXELS) * 255)
    model.eval()
    with pytest.warns(InputRangeWarning, match="BatchNorm"):
        qmodel = quantize(model, PIXELS, progress=False)
    assert db(model, to_float(PIXELS) * 255, qmodel) > 20


@pytest.mark.parametrize("norm", [[], [nn.BatchNorm2d(6)]])
def test_other_models_get_bytes_divided_by_255_and_no_warning(norm: list[nn.Module]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputRangeWarning)
        qmodel = quantize(plain(*norm), PIXELS, progress=False)
    assert qmodel.normalization.is_plain


def test_floats_in_one_are_not_questioned() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputRangeWarning)
        qmodel = quantize(settle(Divided()), to_float(PIXELS), progress=False)
    assert qmodel.normalization.is_plain


def test_outputs_that_hardly_differ_are_a_warning() -> None:
    model = plain()
    with torch.no_grad():
        next(model.parameters()).mul_(1e-3)
    with pytest.warns(InputRangeWarning, match="hardly differ"):
        quantize(model, PIXELS, progress=False)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"std": 0.0}, "deviations above 0"),
        ({"std": "wide"}, "std='wide'"),
        ({"mean": (0.5, 0.5)}, "2 numbers for images of 3 channels"),
        ({"mean": np.nan}, "one number, or one per channel"),
        ({"input_range": (-1, 1)}, "give mean=0.5, std=0.5"),
        ({"input_range": 255}, r"\(0, 1\) or \(0, 255\)"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], found: str) -> None:
    with pytest.raises(InputError, match=found):
        quantize(plain(), PIXELS, progress=False, **arguments)


def test_normalized_images_without_mean_are_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match="give their mean= and std="):
        quantize(plain(), normalized(PIXELS), progress=False)


def test_images_are_undone_in_both_layouts() -> None:
    normalization = Normalization.of(MEAN, STD, None, "a test")
    first = normalized(PIXELS).numpy()
    for images_ in (first, first.transpose(0, 2, 3, 1)):
        found = normalization.undone(images_)
        back = found if found.shape[-1] == 3 else found.transpose(0, 2, 3, 1)
        assert np.array_equal(np.rint(back * 255), PIXELS)
