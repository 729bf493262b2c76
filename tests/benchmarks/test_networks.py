"""benchmarks/networks.py: checkpoints are those recorded, variants differ, images are fixed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import networks
from benchmarks._spread import KINDS, Spread, ratios
from benchmarks.networks import NETWORKS, calibration_images, load, record, test_images
from hyq_hls.errors import FileFormatError, HyqError, InputError
from hyq_hls.models.digits import as_input
from hyq_hls.models.mobilevit import MobileViT
from hyq_hls.models.train import TrainConfig, count_correct

CYCLES = {"plain": "training", "natural": "natural"}
TRAINED = [(name, variant) for name, network in NETWORKS.items() for variant in network.trained]
NATURAL = [name for name, network in NETWORKS.items() if network.natural]


def parameters(model: torch.nn.Module) -> list[torch.Tensor]:
    return [value for name, value in model.state_dict().items() if not name.endswith("_tracked")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), TRAINED)
def test_checkpoint_is_the_recorded_one(name: str, variant: str) -> None:
    found = record(name, variant)
    content = networks.checkpoint(name, variant).read_bytes()
    assert hashlib.sha256(content).hexdigest() == found["sha256"]
    model = load(name, variant)
    assert not model.training
    assert sum(p.numel() for p in model.parameters()) == found["parameters"]
    assert all(torch.equal(value, value.bfloat16().float()) for value in parameters(model))
    network = NETWORKS[name]
    assert found["training"]["cycles"] == [asdict(c) for c in getattr(network, CYCLES[variant])]
    assert 90 < record(name, "plain")["top1"] < 99
    assert found["top1"] > record(name, "plain")["top1"] - 2


def test_nothing_lies_beside_the_checkpoints() -> None:
    wanted = {networks.checkpoint(*trained).name for trained in TRAINED} | {"networks.json"}
    assert {path.name for path in networks.CHECKPOINTS.iterdir()} == wanted


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["plain", "natural"])
def test_accuracy_is_the_recorded_one(variant: str) -> None:
    """A logit that lies between two answers may fall either way on another processor."""
    found = record("slim32", variant)
    correct = count_correct(load("slim32", variant), test_images("slim32"))
    assert abs(100 * correct / 2000 - found["top1"]) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default32", "long96"])
def test_a_sample_is_as_accurate_as_recorded(name: str) -> None:
    data = test_images(name, 200)
    assert count_correct(load(name), data, 50) > 2 * (record(name, "plain")["top1"] - 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("long96", "long80")])
def test_outlier_variants_are_the_same_function_and_natural_is_not(name: str) -> None:
    images = as_input(test_images(name, 4).images)
    with torch.no_grad():
        plain = load(name)(images)
        assert torch.equal(load(name, "outliers 16")(images), plain)
        assert torch.equal(load(name, "outliers 64", 1)(images), plain)
        if name in NATURAL:
            assert not torch.equal(load(name, "natural")(images), plain)


def test_the_seed_chooses_the_outlier_channels() -> None:
    one, again, other = (parameters(load("slim32", "outliers 16", seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", NATURAL)
def test_natural_channels_stand_out_more(name: str) -> None:
    plain, natural = (
        record(name, variant)["largest_over_median_channel"] for variant in ("plain", "natural")
    )
    assert tuple(plain) == tuple(natural) == KINDS
    for kind in KINDS:
        assert natural[kind] > 2 * plain[kind], kind
    if name == "slim32":
        images = test_images(name, 256).images
        assert ratios(load(name, "natural"), images) == pytest.approx(natural, rel=0.01)


def test_ratios_are_those_of_written_out_maxima() -> None:
    model, images = load("slim32"), test_images("slim32", 3).images
    kept: dict[str, list[float]] = {kind: [] for kind in KINDS}

    def note(kind: str, values: torch.Tensor) -> None:
        channels = values.abs().amax(dim=tuple(range(1, values.ndim))).tolist()
        kept[kind].append(max(channels) / sorted(channels)[(len(channels) - 1) // 2])

    def hook(module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        if isinstance(module, torch.nn.SiLU):
            axis = 1 if output.ndim == 4 else 2
            note("activation input", inputs[0].transpose(0, axis))
            note("activation output", output.transpose(0, axis))
        elif isinstance(module, torch.nn.LayerNorm):
            note("normalization", output.transpose(0, 2))
        else:
            q, k, _ = output.chunk(3, dim=2)
            heads = [
                torch.einsum("gic,gjc->gij", a, b)
                for a, b in zip(q.chunk(4, 2), k.chunk(4, 2), strict=True)
            ]
            note("scores", torch.stack(heads))

    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.SiLU, torch.nn.LayerNorm)) or name.endswith("qkv"):
            module.register_forward_hook(hook)
    with torch.no_grad():
        model(as_input(images))
    expected = {kind: sum(found) / len(found) for kind, found in kept.items()}
    assert ratios(load("slim32"), images) == pytest.approx(expected, abs=0.01)


def test_the_reward_makes_channels_stand_out() -> None:
    """One step along the gradient of the term alone, which is bounded."""
    model = load("slim32")
    assert isinstance(model, MobileViT)
    images = as_input(test_images("slim32", 16).images)
    spread = Spread(model, reward=0.5)
    model(images)
    before = spread()
    torch.autograd.backward(before)
    with torch.no_grad():
        for parameter in model.stages.parameters():
            assert parameter.grad is not None
            parameter.sub_(0.01 * parameter.grad)
        model(images)
        assert spread() < before < 0
        spread.bound = 1.0
        assert spread() == 0
    count = len(spread.found)
    model(images)
    assert len(spread.found) == count  # of one pass
    spread.remove()


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_images_have_the_side_of_the_network_and_calibration_is_apart(name: str) -> None:
    side = NETWORKS[name].side
    few, labels = test_images(name, 8)
    assert few.shape == (8, side, side, 3)
    assert labels.shape == (8,)
    assert np.array_equal(test_images(name, 16).images[:8], few)
    first, other = calibration_images(name, 8), calibration_images(name, 8, seed=1)
    assert np.array_equal(calibration_images(name, 4), first[:4])
    assert first.shape == few.shape
    assert len(np.unique(np.concatenate([few, first, other]), axis=0)) == 24


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load("tiny"), "no benchmark network 'tiny'; there are default32, slim32, xxs64"),
        (
            lambda: load("slim32", "outliers 32"),
            "variant 'outliers 32': slim32 has plain, outliers",
        ),
        (lambda: load("mobile_former_32", "natural"), "variant 'natural': mobile_former_32 has pl"),
        (lambda: test_images("slim32", 2001), "1 to 2000 images, found count=2001"),
        (lambda: calibration_images("slim32", 1025), "1 to 1024 images .* count=1025, seed=0"),
        (lambda: calibration_images("slim32", 8, -1), "count=8, seed=-1"),
        (lambda: calibration_images("tiny", 8), "no benchmark network 'tiny'"),
    ],
)
def test_unknown_names_and_counts_are_refused(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Checkpoints of one network that is hardly trained, in a folder of their own."""
    network = replace(
        NETWORKS["slim32"],
        training=(TrainConfig(1, batch_size=32), TrainConfig(1, seed=2, batch_size=32)),
        natural=(TrainConfig(1, seed=1, batch_size=32),),
        images=64,
        natural_images=64,
    )
    monkeypatch.setattr(networks, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(networks, "TEST_IMAGES", 64)
    monkeypatch.setitem(NETWORKS, "slim32", network)
    return networks.CHECKPOINTS


@pytest.mark.slow
def test_command_trains_what_is_missing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--networks", "slim32"]
    assert networks.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "training slim32 plain\ntraining slim32 natural\n" in printed
    content = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    assert set(content) == {"slim32.npz", "slim32-natural.npz", "networks.json"}
    found = json.loads(content["networks.json"])["slim32 plain"]
    assert found["training"]["images"] == 64
    assert count_correct(load("slim32"), test_images("slim32", 64)) * 100 / 64 == pytest.approx(
        found["top1"], abs=1e-3
    )

    # The second time nothing is trained; what is deleted comes back the same.
    assert networks.main(arguments) == 0
    again = capsys.readouterr().out
    assert "training" not in again
    assert again.splitlines()[-2:] == printed.splitlines()[-2:]
    (elsewhere / "slim32-natural.npz").unlink()
    assert networks.main(arguments) == 0
    assert "training slim32 plain" not in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == content


@pytest.mark.slow
def test_a_checkpoint_that_is_not_the_recorded_one_is_refused(elsewhere: Path) -> None:
    with pytest.raises(FileFormatError, match=r"networks.json has no record of slim32 plain"):
        load("slim32")
    assert networks.main(["--networks", "slim32"]) == 0
    path = elsewhere / "slim32.npz"
    path.write_bytes((elsewhere / "slim32-natural.npz").read_bytes())
    with pytest.raises(HyqError, match=r"slim32.npz is missing or is not the checkpoint"):
        load("slim32")
