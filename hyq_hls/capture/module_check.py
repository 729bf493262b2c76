"""Compare a captured graph with its module, which has the last word."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.report import explain
from hyq_hls.errors import CaptureMismatchError

# Both sides compute in float64 unless the module cannot. They differ by the order of sums, and by
# casts to float32 inside the module, which cost some 1e-7 each.
TOLERANCE = 1e-5
TOLERANCE_FLOAT32 = 1e-3


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of a module on two random images.

    Attributes:
        module: the module, in float64 if it can compute in float64.
        images: the two images ``(2, C, H, W)``.
        alone: the outputs of the images one by one, ``(2, *output shape)``. The output shape is
            that of a batch of one image, so its batch axis may have size 1 here.
        tolerance: relative difference that the arithmetic of the module allows.
        doubted: runs in float64 that differ from these of float32. Either rounding to float32 grew
            on its way through the network, or a kernel misread a tensor that stays float32.
    """

    module: nn.Module
    images: torch.Tensor
    alone: torch.Tensor
    tolerance: float
    doubted: Runs | None = None

    @classmethod
    def of(cls, module: nn.Module, input_shape: tuple[int, ...]) -> Runs:
        """Run the module, which may be written for a batch of one image, on each image."""
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(2, *input_shape, generator=generator, dtype=torch.float64)
        plain = cls._on(module, images.float(), TOLERANCE_FLOAT32)
        try:
            exact = cls._on(copy.deepcopy(module).double(), images, TOLERANCE)
        except RuntimeError:
            return plain  # It makes float32 tensors, which do not mix with float64.
        # A mask that is no buffer stays float32, and some kernels read it as if it were float64.
        return exact if plain.agree(exact.alone, plain.alone) else replace(plain, doubted=exact)

    @classmethod
    def _on(cls, module: nn.Module, images: torch.Tensor, tolerance: float) -> Runs:
        with torch.no_grad():
            alone = [output_of(module, image) for image in images.split(1)]
        return cls(module, images, torch.stack(alone), tolerance)

    def difference(self, found: torch.Tensor, wanted: torch.Tensor) -> float:
        """Return the largest difference, relative to the largest output."""
        largest = float(wanted.abs().max())
        difference = float((found.double() - wanted.double()).abs().max())
        return difference / largest if largest > 0 else difference

    def agree(self, found: torch.Tensor, wanted: torch.Tensor) -> bool:
        """Return whether two tensors are equal up to the tolerance."""
        return found.shape == wanted.shape and self.difference(found, wanted) <= self.tolerance

    def again(self) -> torch.Tensor:
        """Return the output of the first image in another run."""
        with torch.no_grad():
            return output_of(self.module, self.images[:1])

    def together(self) -> torch.Tensor | None:
        """Return the output of both images as one batch; None if the module takes only one."""
        try:
            with torch.no_grad():
                return output_of(self.module, self.images)
        except Exception:  # It is the code of the user, which may raise anything.
            return None


class _EpsOfFloat32(TorchFunctionMode):
    """RMSNorm takes its default from the type of its input, and must not change in float64."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch."""
        del types
        if func not in (torch.rms_norm, nn.functional.rms_norm):
            return func(*args, **(kwargs or {}))
        given = inspect.signature(nn.functional.rms_norm).bind(*args, **(kwargs or {}))
        if given.arguments.get("eps") is None:
            given.arguments["eps"] = torch.finfo(torch.float32).eps
        return nn.functional.rms_norm(*given.args, **given.kwargs)


def output_of(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the one tensor that a module returns, alone or in a list, tuple or dictionary."""
    with _EpsOfFloat32():
        leaves = tree_leaves(module(images))
    (output,) = (leaf for leaf in leaves if isinstance(leaf, torch.Tensor))
    tensor: torch.Tensor = output
    return tensor


def outputs_of(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the outputs of a batch; a module may be written for a batch of one image."""
    try:
        return output_of(module, images)
    except Exception:  # It is the code of the user, which may raise anything.
        return torch.cat([output_of(module, image) for image in images.split(1)])


def output_index(view: View, runs: Runs) -> NDArray[np.int64]:
    """Return the index map of the output of one image, without the axis of the batch.

    Args:
        view: the output of a batch of one image, as the trace found it.
        runs: what the module itself returns.

    Raises:
        Unsupported: the output is not finite or not always the same, its first axis is not the
            batch, an image changes the output of another image, or no layer computes the output.
    """
    index, alone = view.index, runs.alone
    if not bool(alone.isfinite().all()):
        raise Unsupported(
            "an output with NaN or infinite values on random images",
            "finite numbers",
            "look for divisions by zero and overflows in forward()",
        )
    if not runs.agree(runs.again(), alone[0]):
        raise Unsupported(
            "an output that differs from run to run on the same image",
            "an output that depends on the image alone",
            "remove random numbers, and state that forward() changes",
        )
    # ``squeeze()`` drops the axis of a batch of one image.
    candidates = [(index[0], alone[:, 0])] if view.shape[:1] == (1,) else []
    candidates.append((index, alone))
    together = runs.together()
    if together is None and len(candidates) == 2:
        return np.asarray(index[0].numpy())
    if together is None:
        raise Unsupported(
            f"an output of shape {view.shape} for a batch of one image, without an axis for the "
            "batch",
            "an output (B, ...) with one entry per image",
            "keep the batch axis in forward(), for example flatten(1) instead of flatten()",
        )
    for candidate, wanted in candidates:
        if runs.agree(together, wanted):
            _check_computed(view)
            return np.asarray(candidate.numpy())
    if runs.doubted is not None:  # A batch sums in another order, and float32 tells them apart.
        return output_index(view, runs.doubted)
    if any(together.shape == wanted.shape for _, wanted in candidates):
        raise Unsupported(
            "an output of an image that changes with the other images of its batch",
            "an output of each image that depends on this image alone",
            "look for an operation over the axis of the batch in forward(), such as attention "
            "without batch_first=True, or a reshape that mixes images",
        )
    raise Unsupported(
        f"an output of shape {view.shape} for one image and {tuple(together.shape)} for two",
        "an output (B, ...) whose first axis is the batch",
        "return the outputs of all images along the first axis: transpose(0, 1) where the batch "
        "comes second, flatten(1) instead of reshape(1, -1), and no selection of images as in x[0]",
    )


def _check_computed(view: View) -> None:
    if view.source.op is not None and not view.source.inputs:
        raise Unsupported(
            "the image itself, or its elements in another order",
            "an output that a layer computes from the image",
            "give the module with its layers",
        )


def relative_error(graph: FloatGraph, runs: Runs) -> float:
    """Return the largest difference between graph and module, relative to the largest output.

    Args:
        graph: the float graph.
        runs: what the module returns.

    Raises:
        CaptureMismatchError: the difference is above the tolerance.
    """
    with torch.no_grad():
        found = torch.cat([graph(image, layout="nchw") for image in runs.images.split(1)])
    wanted = runs.alone.reshape(found.shape)
    relative = runs.difference(found, wanted)
    if relative <= runs.tolerance:
        return relative
    if runs.doubted is not None:
        # The graph knows nothing of misread tensors: when both agree, float64 was right.
        with suppress(CaptureMismatchError):
            return relative_error(graph, runs.doubted)
    raise CaptureMismatchError(
        explain(
            "the float graph of the module",
            f"its output differs from the module's: relative error {relative:.3g}",
            f"at most {runs.tolerance:.0e}",
            "report it with the module, because this is an error of the capture",
        )
    )
