"""hyq-hls evaluate on small folders: numbers, resumption, and files that were damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import hyq_hls
from hyq_hls.cli import sources
from hyq_hls.data.image_folder import Preparation, drawn, labelled_images, load_images
from hyq_hls.errors import QuantizationError
from hyq_hls.evaluate import measurement, predictions, recipes
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.quant.config import QuantConfig
from tests.cli.conftest import run
from tests.cli.evaluation import PER_CLASS, evaluate, results, tiny
from tests.cli.test_errors import fails


@pytest.fixture
def quantized(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Configurations that were quantized."""
    seen: list[object] = []
    real = hyq_hls.quantize

    def quantize(
        model: torch.nn.Module, images: object, config: QuantConfig, progress: bool
    ) -> object:
        seen.append(config)
        return real(model, images, config, progress=False)

    monkeypatch.setattr(measurement, "quantize", quantize)
    return seen


def interrupted_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Ctrl-C while the next batch is read; returns what undoes it."""
    count = 0

    def load(*arguments: object) -> object:
        nonlocal count
        count += 1
        if count > batches:
            raise KeyboardInterrupt
        return load_images(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(predictions, "load_images", load)
    return lambda: monkeypatch.setattr(predictions, "load_images", load_images)


@pytest.fixture(scope="module")
def uninterrupted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of two settings; not to be changed."""
    output = tmp_path_factory.mktemp("whole")
    more = ("--settings", "W8A8,w4a8")
    assert run(*evaluate(dataset, output, *more, presets=" percentile")) == 0
    return output


@pytest.mark.slow
def test_numbers_are_those_of_the_api(dataset: Path, uninterrupted: Path) -> None:
    found = results(uninterrupted)
    val = labelled_images(dataset / "val")
    pixels = load_images(val.paths, Preparation(32, 32))
    assert len(val.paths) == 10 * PER_CLASS
    train = labelled_images(dataset / "train").paths
    model = mobilevit_digits(pretrained=True)
    with torch.inference_mode():
        real = model(digits.as_input(pixels)).argmax(1).numpy()
    labels = np.array(val.labels)
    right = int((real == labels).sum())
    assert right > 8 * PER_CLASS  # folders and labels belong together
    assert found["float"] == {"top1": 100 * right / 30, "right": right, "images": 30}

    calibration = load_images([train[i] for i in drawn(20, 8, 0)], Preparation(32, 32))
    wanted = [("percentile", 8), ("percentile", 4)]
    assert [(row["preset"], row["setting"]) for row in found["recipes"]] == [
        (name, f"W{bits}A8") for name, bits in wanted
    ]
    for row, (name, bits) in zip(found["recipes"], wanted, strict=True):
        config = presets.preset(name, bits, 8)
        qmodel = hyq_hls.quantize(model, calibration, config, progress=False)
        classes = qmodel.codes(pixels).argmax(axis=1)
        assert row["right"] == (classes == labels).sum()
        assert row["agreeing"] == (classes == real).sum()
        assert row["top1"] == 100 * row["right"] / 30
        assert row["drop"] == pytest.approx(found["float"]["top1"] - row["top1"])
        assert row["config"] == json.loads(json.dumps(config.to_json()))


def test_table_is_printed_and_written(
    uninterrupted: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the presets that were asked for; a finished run is read, not measured."""
    assert run(*evaluate(dataset, uninterrupted, presets="percentile")) == 0
    text = capsys.readouterr().out
    row = results(uninterrupted)["recipes"][0]
    assert f"percentile-W8A8: {row['top1']:.2f} % (float" in text
    assert "8 calibration images, seed 0, from train/" in text
    (markdown,) = uninterrupted.glob("*/evaluate.md")
    figures = (f"{row[key]:.3f}" for key in ("top1", "drop", "agreement"))
    assert f"| percentile | W8A8 | {' | '.join(figures)} | 30 |" in markdown.read_text()
    assert "| preset | setting | top-1 | drop | agreement | images | seconds |" in (
        markdown.read_text()
    )


@pytest.mark.slow
@pytest.mark.parametrize("batches", [2, 5 + 3])
def test_interrupted_run_goes_on_with_the_same_numbers(
    batches: int,
    dataset: Path,
    tmp_path: Path,
    quantized: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once in float, once in a quantized network, which is not quantized again."""
    command = evaluate(dataset, tmp_path / "cut")
    undo = interrupted_after(batches, monkeypatch)
    assert run(*command) == 130
    assert "the same command, without --restart, goes on" in capsys.readouterr().err
    assert not list(tmp_path.glob("cut/*/evaluate.json"))
    name, done = ("float", 14) if batches < 5 else ("minmax-W8A8", 21)
    (saved,) = tmp_path.glob(f"cut/*/{name}.json")
    assert len(json.loads(saved.read_text())["predictions"]) == done
    before = len(quantized)
    assert before == (batches > 5)

    undo()
    assert run(*command) == 0
    assert len(quantized) == 1
    assert run(*evaluate(dataset, tmp_path / "whole")) == 0
    assert results(tmp_path / "cut") == results(tmp_path / "whole")


@pytest.mark.slow
def test_changed_options_are_refused_until_restart(
    dataset: Path,
    tmp_path: Path,
    quantized: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    data = tmp_path / "data"
    shutil.copytree(dataset, data)
    assert run(*tiny(data, output)) == 0
    cure = "give --restart to measure again, or another --output"

    message = fails(capsys, *tiny(data, output, "--calibration", 9))
    assert "calibration_images was 8, is 9" in message
    assert cure in message
    assert "resize was 32, is 35" in fails(capsys, *tiny(data, output, "--resize", 35))
    assert "images was 30, is 20" in fails(capsys, *tiny(data, output, "--count", 20))
    with monkeypatch.context() as patch:
        patch.setitem(presets.PRESETS, "minmax", presets.percentile)
        message = fails(capsys, *tiny(data, output))
    assert "config.observer was minmax, is percentile" in message
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(data / "val" / "n3" / "1.png")
    assert "images_sha256 was " in fails(capsys, *tiny(data, output))

    assert len(quantized) == 1
    assert run(*tiny(data, output, "--restart")) == 0
    assert len(quantized) == 2
    assert run(*tiny(data, output)) == 0
    assert len(quantized) == 2
    other = tiny(data, output, "--seed", 1)
    assert run(*other) == 0  # a seed has a folder of its own
    assert len(list(output.iterdir())) == 2


def test_other_weights_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = sources.model(f"{dataset / 'tiny.py'}:tiny")
    torch.save(model.state_dict(), tmp_path / "a.pt")
    assert run(*tiny(dataset, tmp_path / "out", "--weights", tmp_path / "a.pt")) == 0
    with torch.no_grad():
        model.get_parameter("4.bias").add_(1)
    torch.save(model.state_dict(), tmp_path / "b.pt")
    message = fails(capsys, *tiny(dataset, tmp_path / "out", "--weights", tmp_path / "b.pt"))
    assert "weights_sha256 was " in message


def test_recipe_that_fails_does_not_stop_the_others(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = hyq_hls.quantize

    def quantize(
        model: torch.nn.Module, images: object, config: QuantConfig, progress: bool
    ) -> object:
        if config.weight_bits == 4:
            raise QuantizationError("node head: too few bits")
        return real(model, images, config, progress=False)

    monkeypatch.setattr(measurement, "quantize", quantize)
    assert run(*tiny(dataset, tmp_path, "--settings", "W4A8,W8A8")) == 1
    why = "minmax-W4A8 failed: node head: too few bits"
    assert capsys.readouterr().out.count(why) == 2  # when it happens and below the table
    found = results(tmp_path)
    assert [row["setting"] for row in found["recipes"]] == ["W8A8"]
    assert found["failed"] == {"minmax-W4A8": "node head: too few bits"}
    (markdown,) = tmp_path.glob("*/evaluate.md")
    assert why in markdown.read_text()


def test_saved_files_that_were_damaged_are_refused(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = tiny(dataset, tmp_path)
    undo = interrupted_after(6, monkeypatch)
    assert run(*command) == 130
    undo()
    (network,) = tmp_path.glob("*/minmax-W8A8.hyq")
    network.unlink()
    assert "is not the network that 7 saved predictions came from" in fails(capsys, *command)
    (record,) = tmp_path.glob("*/float.json")
    record.write_text("{")
    assert "float.json is not a file of saved results" in fails(capsys, *command)


@pytest.mark.parametrize(
    ("model", "rate"), [("mobilevit_xxs", 0.1), ("mobilevit_xs", 0.01), ("mobilevit_s", 0.01)]
)
def test_qads_learns_at_the_released_rate_of_each_network(model: str, rate: float) -> None:
    hyq, *_, minmax = found = recipes(model, ["hyq", "minmax"], [(4, 4), (6, 8)])
    assert [r.name for r in found] == ["hyq-W4A4", "hyq-W6A8", "minmax-W4A4", "minmax-W6A8"]
    rates = [m.learning_rate for m in hyq.config.methods if hasattr(m, "learning_rate")]
    assert rates == [rate]
    assert (hyq.config.weight_bits, hyq.config.activation_bits) == (4, 4)
    assert minmax.config == presets.minmax(6, 8)
