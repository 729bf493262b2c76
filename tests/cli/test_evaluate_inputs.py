"""hyq-hls evaluate: which images it takes, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from hyq_hls.data.image_folder import drawn, labelled_images
from hyq_hls.models import mobilevit_xxs
from tests.cli.conftest import run
from tests.cli.evaluation import evaluate, results, tiny
from tests.cli.test_errors import fails


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::hyq_hls.errors.InputRangeWarning")  # it is not trained
def test_calibration_images_come_from_where_the_options_say(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    val = dataset / "val"
    message = fails(capsys, *tiny(val, tmp_path / "a"))
    assert "has no train/; give --calibration-data" in message
    assert "--calibrate-on-val" in message

    assert run(*tiny(val, tmp_path / "b", "--calibrate-on-val")) == 0
    assert "taken out of the validation images and not evaluated" in capsys.readouterr().out
    assert results(tmp_path / "b")["float"]["images"] == 22

    given = ("--calibration-data", dataset / "train" / "n3", "--calibration", 2)
    assert run(*tiny(val, tmp_path / "c", *given)) == 0
    assert results(tmp_path / "c")["made_with"]["calibration_from"] == "from --calibration-data"

    message = fails(capsys, *tiny(dataset, tmp_path / "d", "--calibration-data", val))
    assert "8 calibration images are evaluated too" in message
    message = fails(capsys, *tiny(dataset, tmp_path / "d", "--calibration", 21))
    assert "has 20 images; ask for fewer" in message
    message = fails(capsys, *tiny(val, tmp_path / "d", "--calibrate-on-val", "--calibration", 30))
    assert "30 of 30 images would leave none" in message


def test_some_images_are_drawn_by_seed(dataset: Path, tmp_path: Path) -> None:
    assert run(*tiny(dataset, tmp_path, "--count", 9, "--seed", 4)) == 0
    val = labelled_images(dataset / "val").some(drawn(30, 9, 4))
    found = results(tmp_path)
    assert found["made_with"]["images_sha256"] == val.digest()
    assert found["float"]["images"] == 9


def test_broken_and_missing_images_are_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(dataset, data)
    command = evaluate(data, tmp_path / "out")
    broken = data / "val" / "n5" / "2.png"
    broken.write_bytes(broken.read_bytes()[:60])
    assert f"{broken} cannot be read as an image" in fails(capsys, *command)
    shutil.rmtree(data / "val" / "n5")
    message = fails(capsys, *command)
    assert "has 9 class folders, but mobilevit_digits tells 10 classes apart" in message
    (data / "val" / "n5").mkdir()
    assert "n5 holds no images" in fails(capsys, *command)
    shutil.rmtree(data / "val")
    assert "has train/ but no val/" in fails(capsys, *command)
    shutil.rmtree(data / "train")
    assert "has no class folders" in fails(capsys, *command)
    shutil.rmtree(data)
    assert "no such folder" in fails(capsys, *command)


OPTIONS: dict[str, tuple[object, ...]] = {
    "unknown preset 'bset'; choose one of fast": ("--presets", "minmax,bset"),
    "--presets 'minmax,minmax': different names": ("--presets", "minmax,minmax"),
    "--presets ' ,': different names": ("--presets", " ,"),
    "--settings '8/8': W<bits>A<bits> is wanted": ("--settings", "8/8"),
    "--weight-bits 99": ("--settings", "W99A8"),
    "--batch 0: at least one image": ("--batch", 0),
    "--count -1: at least one image": ("--count", -1),
    "--count 31: ": ("--count", 31),
    "--calibration 0: at least one image": ("--calibration", 0),
    "--seed -1: 0 or more": ("--seed", -1),
    "a crop of 32 from images resized to 31": ("--resize", 31),
    "40x40 image": ("--size", 40, "--resize", 40),
    "unknown model 'resnet50'; choose mobilevit_xxs": ("--model", "resnet50"),
    "no such weights: none.npz": ("--weights", "none.npz"),
    "has 10 class folders, but mobilevit_xxs tells 1000": (
        *("--model", "mobilevit_xxs", "--weights", "xxs.pt", "--size", 64, "--resize", 64),
    ),
    "model.py:number: a torch.nn.Module is wanted, found int": ("--model", "model.py:number"),
    "logits (images, classes) are wanted": ("--model", "shapes.py:maps"),
    "the model does not take float images (1, 3, 32, 32)": ("--model", "shapes.py:grey"),
}

SHAPES = """
from torch import nn


def maps():
    return nn.Conv2d(3, 4, 1)


def grey():
    return nn.Conv2d(1, 4, 1)
"""


@pytest.mark.parametrize("message", OPTIONS)
def test_options_that_do_not_do(
    message: str,
    dataset: Path,
    workplace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workplace)
    (workplace / "shapes.py").write_text(SHAPES)
    if "xxs.pt" in OPTIONS[message]:
        torch.save(mobilevit_xxs().state_dict(), "xxs.pt")
    assert message in fails(capsys, *evaluate(dataset, tmp_path / "out", *OPTIONS[message]))
    assert not (tmp_path / "out").exists()


def test_output_that_cannot_be_written(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    message = fails(capsys, *evaluate(dataset, tmp_path / "file"))
    assert "cannot write --output" in message
