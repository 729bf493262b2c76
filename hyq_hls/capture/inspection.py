"""Look at a module before it is traced, because a trace would not name what is wrong with it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.weight_norm import WeightNorm

from hyq_hls.capture.report import CaptureReport, UnsupportedModelError, explain
from hyq_hls.errors import CaptureError

_WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)
#: Buffers that must be finite, because they are the statistics of a normalization.
_STATISTICS = ("running_mean", "running_var")


def unwrapped(model: object) -> nn.Module:
    """Return the module itself, without ``DataParallel`` or ``torch.compile`` around it.

    Raises:
        CaptureError: it is no module.
    """
    if isinstance(model, nn.Module):
        while isinstance(model, _WRAPPERS) or hasattr(model, "_orig_mod"):
            model = model.module if isinstance(model, _WRAPPERS) else model._orig_mod
        assert isinstance(model, nn.Module)
        return model
    found, advice = f"a {type(model).__name__}", "give the module itself"
    if isinstance(model, type) and issubclass(model, nn.Module):
        found, advice = f"the class {model.__name__}", f"make an instance, {model.__name__}(...)"
    elif isinstance(model, Mapping):
        found = f"a {type(model).__name__}, such as the weights of a model"
        advice = "make the model and load the weights into it, model.load_state_dict(weights)"
    elif isinstance(model, str):
        found, advice = f"the text {model!r}", "make or load the model, and give the module"
    raise CaptureError(explain("model", found, "model must be a torch.nn.Module", advice))


def check_module(model: nn.Module, report: CaptureReport) -> None:
    """Refuse modules that cannot be traced or have no values.

    Raises:
        UnsupportedModelError: it is a ScriptModule, a parameter has no values, or ``forward`` needs
            several inputs.
    """
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            _refuse(
                report,
                f"module {path or '(root)'}",
                "a ScriptModule, whose Python code is gone",
                "a torch.nn.Module",
                "give the module from before torch.jit.script or torch.jit.trace",
            )
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor):
            _refuse(
                report,
                f"parameter {name}",
                "a lazy parameter without values",
                "parameters with values",
                "run the model once on an image, then train it or load its weights",
            )
        if tensor.is_meta:
            _refuse(
                report,
                f"parameter {name}",
                "a tensor on the meta device, which has no values",
                "parameters with values",
                "make the model on the CPU and load its weights",
            )
    _check_signature(model, report)


def _check_signature(model: nn.Module, report: CaptureReport) -> None:
    required = [
        parameter.name
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    if len(required) != 1:
        _refuse(
            report,
            f"forward() of {report.model}",
            f"it needs {len(required)} inputs {required}",
            "one input, a batch of images",
            "wrap the model in a module whose forward() takes the image and supplies the others",
        )


def check_finite(name: str, value: torch.Tensor, parameter: bool, report: CaptureReport) -> None:
    """Refuse a parameter or buffer that is not finite.

    Args:
        name: its name in the module.
        value: its value.
        parameter: whether it is a parameter. Buffers may hold masks with infinities.
        report: names the model.

    Raises:
        UnsupportedModelError: a value is NaN, or infinite where only finite numbers make sense.
    """
    if not value.is_floating_point():
        return
    finite = parameter or name.endswith(_STATISTICS)
    wrong = int((~value.isfinite() if finite else value.isnan()).sum())
    if wrong:
        _refuse(
            report,
            f"{'parameter' if parameter else 'buffer'} {name}",
            f"{wrong} of {value.numel()} values are NaN or infinite",
            "finite numbers",
            "load weights that are sound; training may have diverged before they were saved",
        )


def copied(module: nn.Module) -> nn.Module:
    """Return a copy; tensors that were computed with gradients hold plain values in it."""
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    return copy.deepcopy(module, computed)


def evaluation_copy(model: nn.Module) -> nn.Module:
    """Return a copy of a module on the CPU, in float32 and in evaluation mode.

    Raises:
        CaptureError: the module cannot be copied.
    """
    try:
        module = copied(unwrapped(model))
    except Exception as error:
        raise CaptureError(
            explain(
                type(model).__name__,
                f"copy.deepcopy of the module fails: {type(error).__name__}: {error}",
                "a module that can be copied, because it stays as it is",
                "remove open files, locks and generators from its attributes",
            )
        ) from error
    module = module.cpu().float().eval()
    for part in module.modules():
        for hook in list(part._forward_pre_hooks.values()):
            if isinstance(hook, WeightNorm):  # it would compute the weight anew in every run
                nn.utils.remove_weight_norm(part, hook.name)
    return module


def _refuse(report: CaptureReport, place: str, found: str, wanted: str, advice: str) -> None:
    text = explain(place, found, wanted, advice)
    raise UnsupportedModelError(f"{report.model} cannot be captured\n  {text}", report)
