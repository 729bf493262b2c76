"""Checkpoints: the trained weights, their bytes, and files that do not fit."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.errors import FileFormatError
from hyq_hls.models import MobileViT, load_weights, mobilevit_digits, save_weights
from hyq_hls.models.mobilevit import DIGITS_CHECKPOINT
from hyq_hls.models.train import measure

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def fresh() -> MobileViT:
    return mobilevit_digits(pretrained=False)


@pytest.fixture
def arrays() -> Arrays:
    with np.load(DIGITS_CHECKPOINT, allow_pickle=False) as loaded:
        return dict(loaded)


@pytest.mark.slow
def test_accuracy_is_what_the_record_says() -> None:
    record = json.loads(DIGITS_CHECKPOINT.with_suffix(".json").read_text())
    model = mobilevit_digits()
    assert not model.training
    assert measure(model) == record["held_out"]
    assert record["held_out"]["clean"]["accuracy"] >= 0.994
    assert record["held_out"]["distorted"]["accuracy"] >= 0.99
    assert record["parameters"] == sum(p.numel() for p in model.parameters())
    sha = hashlib.sha256(DIGITS_CHECKPOINT.read_bytes()).hexdigest()
    assert record["weights_sha256"] == sha


def test_round_trip_gives_the_same_bytes(tmp_path: Path, fresh: MobileViT) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    save_weights(mobilevit_digits(), first)
    assert first.read_bytes() == DIGITS_CHECKPOINT.read_bytes()
    load_weights(fresh, first)
    save_weights(fresh, second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.npz", "second.npz"]
    assert first.stat().st_mode & stat.S_IRUSR


def test_step_counters_are_optional(tmp_path: Path, fresh: MobileViT, arrays: Arrays) -> None:
    assert not any(name.endswith("num_batches_tracked") for name in arrays)
    load_weights(fresh, DIGITS_CHECKPOINT)
    assert fresh.stem.bn.num_batches_tracked == 0
    path = tmp_path / "counted.npz"
    arrays["stem.bn.num_batches_tracked"] = np.array(5)
    np.savez(path, allow_pickle=False, **arrays)
    load_weights(fresh, path)
    assert fresh.stem.bn.num_batches_tracked == 5


def change_missing(arrays: Arrays) -> None:
    del arrays["head.fc.bias"], arrays["stem.conv.weight"]


def change_extra(arrays: Arrays) -> None:
    arrays["head.fc.scale"] = np.zeros(3, np.float32)


def change_shape(arrays: Arrays) -> None:
    arrays["head.fc.weight"] = np.zeros((1000, 96), np.float32)


def change_dtype(arrays: Arrays) -> None:
    arrays["head.fc.bias"] = arrays["head.fc.bias"].astype(np.float64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_missing, r"2 missing: head\.fc\.bias, stem\.conv\.weight"),
        (change_extra, r"1 that the model does not have: head\.fc\.scale"),
        (
            change_shape,
            r"1 misshaped: head\.fc\.weight \(1000, 96\) where the model has \(10, 96\)",
        ),
        (change_dtype, r"1 not float32: head\.fc\.bias is float64"),
    ],
)
def test_entries_that_do_not_fit_are_named(
    tmp_path: Path, fresh: MobileViT, arrays: Arrays, change: Callable[[Arrays], None], message: str
) -> None:
    path = tmp_path / "wrong.npz"
    change(arrays)
    np.savez(path, allow_pickle=False, **arrays)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(FileFormatError, match=message):
        load_weights(fresh, path)
    assert all(torch.equal(before[name], value) for name, value in fresh.state_dict().items())


def test_long_lists_are_cut(tmp_path: Path, fresh: MobileViT) -> None:
    path = tmp_path / "empty.npz"
    np.savez(path)
    with pytest.raises(FileFormatError, match=r"156 missing: .* and 151 more"):
        load_weights(fresh, path)


def test_missing_file_is_named(tmp_path: Path, fresh: MobileViT) -> None:
    with pytest.raises(
        FileFormatError, match=r"cannot read checkpoint .*absent\.npz: No such file"
    ):
        load_weights(fresh, tmp_path / "absent.npz")


def test_other_files_are_refused(tmp_path: Path, fresh: MobileViT, arrays: Arrays) -> None:
    path = tmp_path / "other.npz"
    content = DIGITS_CHECKPOINT.read_bytes()
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, x=np.array([{}], dtype=object))
    single = tmp_path / "single.npy"
    np.save(single, np.zeros(3))
    flipped = bytearray(content)
    flipped[content.index(arrays["head.fc.weight"].tobytes()) + 5] ^= 1
    for wrong in (b"", b"no zip at all", content[:5000], bytes(flipped), single.read_bytes()):
        path.write_bytes(wrong)
        with pytest.raises(FileFormatError, match="is not an npz of plain arrays"):
            load_weights(fresh, path)
    with pytest.raises(FileFormatError, match="is not an npz of plain arrays"):
        load_weights(fresh, pickled)


def test_saving_is_refused_with_a_reason(tmp_path: Path, fresh: MobileViT) -> None:
    with pytest.raises(FileFormatError, match="check that the folder exists"):
        save_weights(fresh, tmp_path / "absent" / "x.npz")
    with pytest.raises(FileFormatError, match=r"found .* of torch\.float64.*model\.float"):
        save_weights(fresh.double(), tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())
