"""Import timm, the optional source of public networks, also beside a CPU-only PyTorch.

timm 1.0 imports torchvision, and the torchvision wheel of the package index is built for CUDA. Its
compiled operators do not load beside a CPU-only PyTorch of the same version. Then
``import torchvision`` itself fails, where it registers shape rules for two operators that do not
exist (pytorch/vision issues 9077 and 9085). No network needs these operators.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Literal

import torch

_HINT = 'install the extra: pip install "hyq_hls[timm]"'
#: Operators whose shape rules torchvision registers without looking whether they exist.
_UNGUARDED = ("nms", "qnms")
#: Keeps the declared operators alive: a library takes its operators along when it is collected.
_declared: list[torch.library.Library] = []


def ensure_torchvision() -> Literal["native", "shimmed"]:
    """Make ``import torchvision`` work, declaring the missing operators if that is what it takes.

    Returns:
        "native" if torchvision imports by itself, "shimmed" if the operators had to be declared.
        Declared operators have no implementation: calling ``torchvision.ops.nms`` raises.

    Raises:
        ImportError: torchvision is absent, or fails to import for another reason.
    """
    try:
        importlib.import_module("torchvision")
    except ImportError as error:
        raise ImportError(f"torchvision cannot be imported ({error}); {_HINT}") from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise ImportError(_broken(error)) from error
    else:
        return "shimmed" if _declared else "native"

    _forget_torchvision()
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _UNGUARDED:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        _forget_torchvision()
        raise ImportError(_broken(error)) from error
    _declared.append(library)
    return "shimmed"


def import_timm() -> ModuleType:
    """Import timm, with torchvision made importable first.

    Raises:
        ImportError: timm or torchvision is absent or broken; names the extra to install.
    """
    ensure_torchvision()
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise ImportError(f"timm cannot be imported ({error}); {_HINT}") from error


def _forget_torchvision() -> None:
    """Drop the half-imported modules, which a second import would take for complete."""
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


def _broken(error: Exception) -> str:
    return (
        f"torchvision is installed but does not import ({error}); its version must match "
        f"torch {torch.__version__}: {_HINT}"
    )
