"""Training: it lowers the loss, repeats exactly, and its command writes what it measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls.errors import ShapeError
from hyq_hls.models import (
    MobileViT,
    MobileViTConfig,
    digits,
    load_weights,
    mobilevit_clutter,
    mobilevit_digits,
)
from hyq_hls.models.clutter import cluttered
from hyq_hls.models.mobilevit import CLUTTER_CHECKPOINT
from hyq_hls.models.train import NETWORKS, TrainConfig, count_correct, fit, main

FEW = TrainConfig(epochs=4, batch_size=32)


def subset(count: int) -> digits.Digits:
    data = digits.train()
    return digits.Digits(data.images[:count], data.labels[:count])


def trained(config: TrainConfig) -> tuple[list[float], MobileViT]:
    torch.manual_seed(config.seed)
    model = MobileViT(MobileViTConfig.digits())
    return fit(model, subset(96), config), model


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with few images."""
    data = subset(66)
    monkeypatch.setattr(digits, "train", lambda: data)
    monkeypatch.setattr(digits, "test", lambda: data)
    monkeypatch.setattr(digits, "distorted", lambda: data)


@pytest.mark.slow
def test_few_steps_lower_the_loss_and_repeat_exactly() -> None:
    losses, model = trained(FEW)
    assert len(losses) == FEW.epochs
    assert losses[-1] < losses[0]
    assert not model.training
    again, twin = trained(FEW)
    assert again == losses
    state = twin.state_dict()
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


@pytest.mark.slow
def test_other_seed_trains_otherwise() -> None:
    one = TrainConfig(epochs=1, batch_size=32)
    other = TrainConfig(epochs=1, batch_size=32, seed=1)
    assert trained(one)[0] != trained(other)[0]


@pytest.mark.slow
def test_count_correct_counts() -> None:
    model = mobilevit_digits()
    data = digits.test()
    right = count_correct(model, data)
    shifted = digits.Digits(data.images, (data.labels + 1) % 10)
    assert right > 350
    assert count_correct(model, shifted, batch_size=100) <= 360 - right


@pytest.mark.slow
def test_command_writes_checkpoint_and_record(
    tmp_path: Path, small_data: None, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "net.npz"
    state = torch.random.get_rng_state()
    arguments = ["--epochs", "1", "--seed", "3", "--output", str(output)]
    assert main(arguments) == 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "net.npz"]
    record = json.loads((tmp_path / "net.json").read_text())
    assert record["training"]["epochs"] == 1
    assert record["training"]["seed"] == 3
    assert record["held_out"]["clean"]["images"] == 66
    assert set(record["versions"]) == {"python", "torch", "numpy", "scikit-learn"}
    model = mobilevit_digits(pretrained=False)
    load_weights(model, output)
    correct = count_correct(model.eval(), digits.train())
    assert correct == record["held_out"]["clean"]["correct"]

    before = output.read_bytes()
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "would be replaced; name another --output or give --force" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert main([*arguments, "--force"]) == 0
    assert output.read_bytes() == before


def test_command_trains_the_network_of_the_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyq_hls.models.train.CLUTTER_IMAGES", 40)
    few = cluttered("test", 20, 32, seed=0)
    monkeypatch.setitem(
        NETWORKS,
        "mobilevit_clutter",
        replace(NETWORKS["mobilevit_clutter"], held_out=lambda: {"cluttered": few}),
    )
    output = tmp_path / "net.npz"
    arguments = ["--network", "mobilevit_clutter", "--epochs", "1", "--output", str(output)]
    assert main(arguments) == 0
    record = json.loads((tmp_path / "net.json").read_text())
    assert record["model"] == "mobilevit_clutter"
    assert record["training"]["learning_rate"] == 4e-3
    model = mobilevit_clutter(pretrained=False)
    load_weights(model, output)
    correct = count_correct(model.eval(), few)
    assert record["held_out"] == {
        "cluttered": {"correct": correct, "images": 20, "accuracy": correct / 20}
    }


def test_weights_that_come_with_the_package_are_those_of_their_record() -> None:
    model = mobilevit_clutter()
    assert not model.training
    record = json.loads(CLUTTER_CHECKPOINT.with_suffix(".json").read_text())
    content = CLUTTER_CHECKPOINT.read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(content).hexdigest()
    right = count_correct(model, cluttered("test", 256, 32, seed=0)) / 256
    assert abs(right - record["held_out"]["cluttered"]["accuracy"]) < 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs must be at least 1, found 0"),
        (["--seed", "-1"], "seed must be at least 0, found -1"),
        (["--threads", "0"], "--threads must be at least 1, found 0"),
        (["--output", "net.pt"], "must end in .npz, found net.pt"),
        (["--output", "absent/net.npz"], "there is no folder absent"),
    ],
)
def test_command_refuses_before_training(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_empty_batch_is_refused() -> None:
    with pytest.raises(ShapeError, match="batch_size must be at least 1, found 0"):
        TrainConfig(batch_size=0)


def test_data_given_is_not_changed() -> None:
    data = subset(34)
    before = data.images.copy()
    fit(mobilevit_digits(pretrained=False), data, TrainConfig(epochs=1))
    assert np.array_equal(data.images, before)
