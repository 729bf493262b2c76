"""Weights of public networks, from files and through timm."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
import torch

from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.models import MobileViT, mobilevit_digits, mobilevit_xxs, public, save_weights
from hyq_hls.models.public import load_weight_file, public_model, weights_sha256


@pytest.fixture(scope="module")
def trained() -> MobileViT:
    return mobilevit_digits(pretrained=True)


def saved(model: MobileViT, path: Path, form: str) -> Path:
    state = model.state_dict()
    if form == "safetensors":
        library = pytest.importorskip("safetensors.torch")
        library.save_file(state, path)
    elif form == "npz":
        save_weights(model, path)
    else:
        torch.save(
            {"state_dict": {"state_dict": state, "epoch": 3}, "model": {"model": state}}.get(
                form, state
            ),
            path,
        )
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("w.safetensors", "safetensors"),
        ("w.npz", "npz"),
        ("w.pt", "plain"),
        ("w.pth", "state_dict"),
        ("w.bin", "model"),
    ],
)
def test_every_kind_of_file_gives_the_same_weights(
    name: str, form: str, trained: MobileViT, tmp_path: Path
) -> None:
    model = mobilevit_digits(pretrained=False)
    before = weights_sha256(model)
    load_weight_file(model, saved(trained, tmp_path / name, form))
    counters = {k: v for k, v in trained.state_dict().items() if k.endswith("tracked")}
    model.load_state_dict(counters, strict=False)
    assert weights_sha256(model) == weights_sha256(trained) != before


def test_digest_sees_one_changed_bit(trained: MobileViT) -> None:
    model = mobilevit_digits(pretrained=True)
    assert weights_sha256(model) == weights_sha256(trained)
    with torch.no_grad():
        model.head.fc.bias[3] = torch.nextafter(model.head.fc.bias[3], torch.tensor(9.0))
    assert weights_sha256(model) != weights_sha256(trained)


def test_weights_of_another_network_are_refused(trained: MobileViT, tmp_path: Path) -> None:
    path = saved(trained, tmp_path / "digits.pt", "plain")
    with pytest.raises(InputError, match=r"digits\.pt do not fit MobileViT: ") as caught:
        public_model("mobilevit_xxs", path)
    message = str(caught.value)
    assert " missing, as stages.1.1.conv1_1x1.conv.weight" in message
    assert " unknown, as stages.0.1.conv1_1x1.conv.weight" in message
    assert "as stem.conv.weight (8, 3, 3, 3) where the network has (16, 3, 3, 3)" in message
    assert len(message) < 600
    with pytest.raises(FileFormatError, match="do not fit MobileViT"):
        public_model("mobilevit_xxs", saved(trained, tmp_path / "digits.npz", "npz"))


def test_files_that_are_no_weights_are_refused(trained: MobileViT, tmp_path: Path) -> None:
    def refused(name: str, message: str, content: bytes | None = b"nothing") -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            load_weight_file(trained, path)

    refused("none.pt", r"no such weights: .*none\.pt", None)
    refused("w.h5", r"w\.h5: \.safetensors, \.npz, \.pt, \.pth, \.bin are wanted, found '\.h5'")
    refused("w.pt", r"w\.pt is not a file of plain torch weights")
    torch.save([1, 2], tmp_path / "list.pt")
    refused("list.pt", "holds no state dict", None)
    torch.save({"epoch": 3}, tmp_path / "epoch.pt")
    refused("epoch.pt", "holds no state dict", None)
    torch.save(trained, tmp_path / "module.pt")  # a pickle of code, which is not run
    refused("module.pt", r"module\.pt is not a file of plain torch weights", None)


def test_missing_safetensors_names_the_command(
    trained: MobileViT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r'which is not installed: pip install "hyq_hls\[timm\]"'):
        load_weight_file(trained, path)


def test_without_a_file_timm_gives_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    theirs = mobilevit_xxs()
    asked = []

    def create_model(name: str, pretrained: bool) -> MobileViT:
        asked.append((name, pretrained))
        return theirs

    monkeypatch.setattr(public, "import_timm", lambda: SimpleNamespace(create_model=create_model))
    ours = public_model("mobilevit_xxs")
    assert asked == [("mobilevit_xxs.cvnets_in1k", True)]
    assert not ours.training
    assert weights_sha256(ours) == weights_sha256(theirs)


def test_without_file_and_timm_both_commands_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> NoReturn:
        raise ImportError('timm cannot be imported; install: pip install "hyq_hls[timm]"')

    monkeypatch.setattr(public, "import_timm", absent)
    with pytest.raises(InputError, match=r"pip install.*hf download timm/mobilevit_s\.cvnets_in1k"):
        public_model("mobilevit_s")


def test_without_network_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def create_model(name: str, pretrained: bool) -> NoReturn:
        raise OSError("no route to host")

    monkeypatch.setattr(public, "import_timm", lambda: SimpleNamespace(create_model=create_model))
    message = r"OSError: no route to host\); fetch .*--weights mobilevit_xs/model\.safetensors"
    with pytest.raises(InputError, match=message):
        public_model("mobilevit_xs")


def test_file_without_step_counters_loads(trained: MobileViT, tmp_path: Path) -> None:
    state = {k: v for k, v in trained.state_dict().items() if not k.endswith("tracked")}
    torch.save(state, tmp_path / "w.pt")
    model = mobilevit_digits(pretrained=False)
    load_weight_file(model, tmp_path / "w.pt")
    assert torch.equal(model.head.fc.weight, trained.head.fc.weight)
    del state["head.fc.bias"]
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"1 missing, as head\.fc\.bias; give the weights"):
        load_weight_file(model, tmp_path / "w.pt")
