"""Networks with public weights, from a file under their public names or through timm."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hyq_hls.errors import InputError
from hyq_hls.models import mobile_former
from hyq_hls.models.checkpoint import load_weights
from hyq_hls.models.mobilevit import mobilevit_s, mobilevit_xs, mobilevit_xxs
from hyq_hls.models.timm_compat import import_timm

_BY_TIMM: tuple[Callable[[], nn.Module], ...] = (mobilevit_xxs, mobilevit_xs, mobilevit_s)
_BY_AUTHORS: tuple[Callable[[], nn.Module], ...] = (
    mobile_former.mobile_former_26m,
    mobile_former.mobile_former_52m,
    mobile_former.mobile_former_96m,
    mobile_former.mobile_former_151m,
    mobile_former.mobile_former_214m,
    mobile_former.mobile_former_294m,
    mobile_former.mobile_former_508m,
)
#: Networks with public weights; all have 1000 classes.
PUBLIC: dict[str, Callable[[], nn.Module]] = {
    function.__name__: function for function in (*_BY_TIMM, *_BY_AUTHORS)
}
#: Name of the weights that HyQ, Q-HyViT and others start from.
TAG = "cvnets_in1k"
#: Keys under which a training checkpoint keeps the weights.
_INNER = ("state_dict", "model")
#: A counter of training steps in every BatchNorm; no result depends on it.
_COUNTER = ".num_batches_tracked"
_TORCH_SUFFIXES = (".pt", ".pth", ".bin")


def public_model(name: str, weights: Path | None = None) -> nn.Module:
    """Return a public network with its weights, in evaluation mode.

    Args:
        name: a key of :data:`PUBLIC`.
        weights: a file for :func:`load_weight_file`; None lets timm find or fetch its own, which
            it has of MobileViT.

    Raises:
        InputError: no weights can be had, or they do not fit; says how to get them.
    """
    model = PUBLIC[name]()
    if weights is not None:
        load_weight_file(model, weights)
        return model.eval()
    if PUBLIC[name] in _BY_AUTHORS:
        raise InputError(
            f"{name} has no weights: --weights is not given, and timm has none; fetch the file "
            "that github.com/AAboys/MobileFormer links, and give --weights"
        )
    repository = f"timm/{name}.{TAG}"
    cure = (
        f"fetch the file with `hf download {repository} model.safetensors --local-dir {name}` and "
        f"give --weights {name}/model.safetensors"
    )
    try:
        timm = import_timm()
    except ImportError as error:
        raise InputError(
            f"{name} has no weights: --weights is not given and {error}; or {cure}"
        ) from error
    try:
        public = timm.create_model(f"{name}.{TAG}", pretrained=True)
    except Exception as error:  # whatever the hub, the network and timm raise
        raise InputError(
            f"timm cannot get the weights of {name}.{TAG} ({type(error).__name__}: {error}); {cure}"
        ) from error
    model.load_state_dict(public.state_dict(), strict=True)
    return model.eval()


def load_weight_file(model: nn.Module, path: Path) -> None:
    """Load all weights of a file into ``model``, strictly.

    Args:
        model: has the names and shapes of the file.
        path: ``.safetensors``; ``.npz`` of :func:`~hyq_hls.models.save_weights`; ``.pt``, ``.pth``
            or ``.bin``: a state dict of torch, by itself or under ``state_dict`` or ``model``,
            which is read without running any code of the file (``weights_only``).

    Raises:
        InputError: the file is missing, damaged, of another kind, or does not fit the model.
        FileFormatError: the same of an ``.npz`` file.
    """
    if not path.is_file():
        raise InputError(f"no such weights: {path}; give a .safetensors, .npz or .pth file")
    if path.suffix == ".npz":
        load_weights(model, path)
        return
    if path.suffix == ".safetensors":
        state = _safetensors(path)
    elif path.suffix in _TORCH_SUFFIXES:
        state = _torch_state(path)
    else:
        raise InputError(
            f"weights {path}: .safetensors, .npz, {', '.join(_TORCH_SUFFIXES)} are wanted, found "
            f"{path.suffix!r}"
        )
    # The message of a strict load_state_dict has a line for every entry: hundreds of them.
    wanted = model.state_dict()
    problems = {
        "missing": [k for k in wanted if k not in state and not k.endswith(_COUNTER)],
        "unknown": [k for k in state if k not in wanted],
        "of another shape": [
            f"{k} {tuple(state[k].shape)} where the network has {tuple(v.shape)}"
            for k, v in wanted.items()
            if k in state and state[k].shape != v.shape
        ],
    }
    found = [f"{len(names)} {kind}, as {names[0]}" for kind, names in problems.items() if names]
    if found:
        raise InputError(
            f"the entries of {path} do not fit {type(model).__name__}: {'; '.join(found)}; give "
            "the weights of the network that --model names"
        )
    model.load_state_dict({**wanted, **state}, strict=True)


def weights_sha256(model: nn.Module) -> str:
    """Return a SHA-256 over names, types, shapes and bytes of all weights.

    It does not depend on the file that they came from.
    """
    total = hashlib.sha256()
    for name, value in model.state_dict().items():
        tensor = value.detach().cpu().contiguous().reshape(-1)
        total.update(f"{name} {tensor.dtype} {tuple(value.shape)}\n".encode())
        total.update(tensor.view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file  # noqa: PLC0415  (an optional package)
    except ImportError as error:
        raise InputError(
            f"{path} needs the package safetensors, which is not installed: "
            'pip install "hyq_hls[timm]", or pip install safetensors'
        ) from error
    try:
        state: dict[str, torch.Tensor] = load_file(path)
    except Exception as error:  # SafetensorError is no subclass of anything documented
        raise InputError(f"{path} is not a safetensors file: {error}; fetch it again") from error
    return state


def _torch_state(path: Path) -> dict[str, torch.Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path} is not a file of plain torch weights: {first}; save model.state_dict() alone"
        ) from error
    for name in _INNER:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
            break
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise InputError(
            f"{path} holds no state dict (name -> tensor), by itself or under "
            f"{' or '.join(_INNER)}; save model.state_dict() alone"
        )
    return content
