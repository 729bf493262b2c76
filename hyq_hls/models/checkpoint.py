"""Weights in a file: float32 arrays under their public names in an npz. No pickle."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hyq_hls.errors import FileFormatError
from hyq_hls.support import write_file

_SHOWN = 5
#: Errors of numpy and zipfile for a damaged file, an encrypted one or one that needs pickle.
_DAMAGE = (ValueError, EOFError, RuntimeError, OSError, zipfile.BadZipFile, zlib.error)


def save_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write parameters and running statistics of ``model`` atomically; same weights, same bytes.

    Args:
        model: its entries are float32, but for integers, which are left out: BatchNorm's counters
            of steps, and indices that a constructor computes.
        path: ends in ``.npz``; an existing file is replaced when the new one is complete.

    Raises:
        FileFormatError: an entry is not float32, or the file cannot be written.
    """
    arrays = {}
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            continue
        if value.dtype != torch.float32:
            raise FileFormatError(
                f"a checkpoint holds float32, found {name} of {value.dtype}; "
                "convert the model with model.float()"
            )
        arrays[name] = value.detach().cpu().numpy()
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_file(path, content.getvalue())


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a file of ``save_weights`` into ``model``, strictly: same names and shapes, all float32.

    The model is unchanged if anything does not fit. Integers, such as ``num_batches_tracked`` of
    BatchNorm, may be absent from the file and then keep their values.

    Raises:
        FileFormatError: the file is missing or no npz without pickle, or entries are missing,
            extra, misshaped or not float32; names them.
    """
    arrays = _read(Path(path))
    wanted = model.state_dict()
    required = {name for name, value in wanted.items() if value.is_floating_point()}
    problems = []
    if missing := sorted(required - arrays.keys()):
        problems.append(f"{len(missing)} missing: {_some(missing)}")
    if extra := sorted(arrays.keys() - wanted.keys()):
        problems.append(f"{len(extra)} that the model does not have: {_some(extra)}")
    shared = sorted(arrays.keys() & wanted.keys())
    misshaped = [
        f"{name} {arrays[name].shape} where the model has {tuple(wanted[name].shape)}"
        for name in shared
        if arrays[name].shape != tuple(wanted[name].shape)
    ]
    if misshaped:
        problems.append(f"{len(misshaped)} misshaped: {_some(misshaped)}")
    mistyped = [
        f"{name} is {arrays[name].dtype}"
        for name in shared
        if name in required and arrays[name].dtype != np.float32
    ]
    if mistyped:
        problems.append(f"{len(mistyped)} not float32: {_some(mistyped)}")
    if problems:
        raise FileFormatError(
            f"the entries of {path} do not fit {type(model).__name__}: {'; '.join(problems)}. "
            "Build the model with the configuration that the file was trained with"
        )
    loaded = {name: torch.from_numpy(arrays[name]) for name in shared}
    model.load_state_dict({**wanted, **loaded}, strict=True)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFormatError(
            f"cannot read checkpoint {path}: {error.strerror or error}; check the path"
        ) from error
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except _DAMAGE as error:
        raise FileFormatError(
            f"{path} is not an npz of plain arrays ({error}); write checkpoints with save_weights"
        ) from error


def _some(names: Collection[str]) -> str:
    shown = list(names)[:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
