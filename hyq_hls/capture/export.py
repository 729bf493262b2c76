"""Export a module to the graph that ``torch.export`` sees, with its parameters."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.export.graph_signature import InputKind

from hyq_hls.capture.report import CaptureReport, UnsupportedModelError
from hyq_hls.errors import CaptureError

# One more name for a module that is called a second time, as ``block.act@1``.
_REPEATED = "@"


@dataclass(frozen=True)
class Exported:
    """An exported module in evaluation mode.

    Attributes:
        module: a copy on the CPU in float32.
        graph: its nodes.
        constants: values of the placeholders of parameters, buffers and constants; floating ones
            are float64.
        image: name of the image's placeholder.
    """

    module: nn.Module
    graph: fx.Graph
    constants: Mapping[str, torch.Tensor]
    image: str


def export_module(model: nn.Module, input_shape: tuple[int, int, int]) -> Exported:
    """Trace ``model`` on one image ``(1, C, H, W)``; the model itself is left as it is.

    Raises:
        CaptureError: the input shape is impossible.
        UnsupportedModelError: the model takes other inputs than one image, or cannot be traced.
    """
    if len(input_shape) != 3 or any(not isinstance(n, int) or n < 1 for n in input_shape):
        raise CaptureError(f"input_shape must be (C, H, W), three positive ints; got {input_shape}")
    report = CaptureReport(type(model).__name__, tuple(input_shape), ())
    _check_signature(model, report)
    module = evaluation_copy(model)
    image = torch.zeros(1, *input_shape)
    try:
        with torch.no_grad():
            module(image)
    except Exception as error:
        raise UnsupportedModelError(
            f"{report.model} fails on an image of shape (1, {str(input_shape)[1:-1]}): "
            f"{type(error).__name__}: {error}\n"
            "wanted: a module that takes one image; choose the input_shape it was made for",
            report,
        ) from error
    try:
        program = torch.export.export(module, (image,), strict=False)
    except Exception as error:
        raise UnsupportedModelError(
            f"torch.export cannot trace {report.model}: {type(error).__name__}: "
            f"{_first_lines(str(error))}\n"
            "found:  control flow or Python code that depends on tensor values, most likely\n"
            "wanted: a forward() that does the same operations for every image\n"
            "to do:  replace `if`, `while` and `.item()` on tensors by tensor operations, or "
            "decide them in __init__",
            report,
        ) from error
    constants: dict[str, torch.Tensor] = {}
    images = []
    for spec in program.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT:
            images.append(spec.arg.name)
            continue
        stored = program.state_dict if spec.target in program.state_dict else program.constants
        value = stored.get(spec.target) if spec.target is not None else None
        if isinstance(value, torch.Tensor):
            value = value.detach().clone()
            constants[spec.arg.name] = value.double() if value.is_floating_point() else value
    if len(images) != 1:
        raise UnsupportedModelError(
            f"{report.model} has {len(images)} inputs {images}; exactly one image is wanted", report
        )
    return Exported(module, program.graph, constants, images[0])


def evaluation_copy(model: nn.Module) -> nn.Module:
    """Return a copy of a module on the CPU, in float32 and in evaluation mode."""
    return copy.deepcopy(model).cpu().float().eval()


def _check_signature(model: nn.Module, report: CaptureReport) -> None:
    required = [
        parameter.name
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    if len(required) > 1:
        raise UnsupportedModelError(
            f"forward() of {report.model} needs {len(required)} inputs {required}\n"
            "wanted: one image\nto do:  wrap the model in a module that supplies the others",
            report,
        )


def _first_lines(text: str, count: int = 4) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n    ".join(lines[:count])


def module_path(node: fx.Node) -> str:
    """Return the dotted path of the module whose forward made the node, empty for the root.

    A second call of the same module has its number after ``_call``, as ``act_call1``.
    """
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return ""
    path = str(list(stack.values())[-1][0])
    return path.removeprefix("L['self'].").replace(_REPEATED, "_call")


def storage(node: fx.Node) -> int | None:
    """Identify the memory that the node's tensor lives in; None if it is not a tensor."""
    value = node.meta.get("val")
    return value.untyped_storage()._cdata if isinstance(value, torch.Tensor) else None
