"""Export a module to the graph that ``torch.export`` sees, with its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import fx, nn
from torch.export.graph_signature import InputKind
from torch.nn.modules import transformer
from torch.utils._pytree import tree_leaves

from hyq_hls.capture.inspection import check_finite, check_module, evaluation_copy
from hyq_hls.capture.norm_forms import unify_norms
from hyq_hls.capture.pruning import prune
from hyq_hls.capture.report import CaptureReport, UnsupportedModelError, explain
from hyq_hls.capture.softmax_forms import unify_softmax
from hyq_hls.errors import CaptureError


@dataclass(frozen=True)
class Exported:
    """An exported module in evaluation mode.

    Attributes:
        module: a copy on the CPU in float32.
        graph: the nodes that the output depends on.
        nodes: all nodes that were exported, in their order.
        parts: nodes outside of the graph that became part of a softmax or of a normalization, with
            the node that computes it.
        constants: values of the placeholders of parameters, buffers and constants; floating ones
            are float64.
        image: name of the image's placeholder.
    """

    module: nn.Module
    graph: fx.Graph
    nodes: tuple[fx.Node, ...]
    parts: Mapping[fx.Node, fx.Node]
    constants: Mapping[str, torch.Tensor]
    image: str


def export_module(model: nn.Module, input_shape: tuple[int, ...]) -> Exported:
    """Trace ``model`` on one image ``(1, C, H, W)``; the model itself is left as it is.

    Raises:
        CaptureError: the input shape is impossible.
        UnsupportedModelError: the model takes other inputs than one image, or cannot be traced.
    """
    if len(input_shape) != 3 or any(not isinstance(n, int) or n < 1 for n in input_shape):
        raise CaptureError(
            explain(
                "input_shape",
                repr(input_shape),
                "input_shape must be (C, H, W), three positive integers",
                "give the shape of one image, for example (3, 224, 224)",
            )
        )
    report = CaptureReport(type(model).__name__, tuple(input_shape), ())
    check_module(model, report)
    module = evaluation_copy(model)
    image = torch.zeros(1, *input_shape)
    try:
        with torch.no_grad():
            outputs = module(image)
    except Exception as error:
        raise UnsupportedModelError(
            explain(
                f"forward() of {report.model}",
                f"it fails on an image of shape {(1, *input_shape)}: "
                f"{type(error).__name__}: {error}",
                "a module that takes one float image (B, C, H, W) in evaluation mode",
                "choose the channels and the size of the images that the module was made for",
            ),
            report,
        ) from error
    _check_outputs(outputs, report)
    try:
        with patch.object(transformer, "_detect_is_causal_mask", _is_no_hint, create=True):
            program = torch.export.export(module, (image,), strict=False)
    except Exception as error:
        raise UnsupportedModelError(
            explain(
                f"forward() of {report.model}",
                "torch.export cannot trace it: "
                f"{type(error).__name__}: {_first_lines(str(error))}\n"
                "    most likely, control flow or Python code depends on the values of tensors",
                "a forward() that does the same operations for every image",
                "replace `if`, `while` and `.item()` on tensors by tensor operations, or decide "
                "them in __init__",
            ),
            report,
        ) from error
    name, constants = _inputs(program, report)
    nodes = tuple(program.graph.nodes)
    parts = unify_softmax(program.graph) | unify_norms(program.graph)
    prune(program.graph)
    read = {node.name for node in program.graph.find_nodes(op="placeholder") if node.users}
    for spec in program.graph_signature.input_specs:
        if spec.arg.name in read & constants.keys():
            parameter = spec.kind == InputKind.PARAMETER
            check_finite(str(spec.target), constants[spec.arg.name], parameter, report)
    return Exported(module, program.graph, nodes, parts, constants, name)


def _check_outputs(outputs: Any, report: CaptureReport) -> None:
    """Refuse outputs in which ``torch.export`` finds no tensors, such as those of a dataclass."""
    kinds = {type(leaf).__name__ for leaf in tree_leaves(outputs) if not _is_plain(leaf)}
    if kinds:
        raise UnsupportedModelError(
            explain(
                f"forward() of {report.model}",
                f"it returns a {', a '.join(sorted(kinds))}",
                "one tensor, alone or in a list, tuple or dictionary",
                "wrap the model in a module whose forward() returns the tensor, for example "
                "model(x).logits",
            ),
            report,
        )


def _is_plain(leaf: Any) -> bool:
    return leaf is None or isinstance(leaf, torch.Tensor | int | float | str)


@contextmanager
def without_autocast() -> Iterator[None]:
    """Let ``torch.autocast`` inside of a model do nothing: it changes types, and no meaning."""

    def enter(self: torch.autocast) -> torch.autocast:
        return self

    def leave(self: torch.autocast, *error: object) -> None:
        return None

    with patch.multiple(torch.autocast, __enter__=enter, __exit__=leave):
        yield


def _is_no_hint(*mask: Any) -> bool:
    """Take a mask as it is, where ``nn.TransformerEncoder`` compares it with a causal one.

    The branch on the result depends on values of a tensor, which no export can follow. Its only
    use is a hint that lets PyTorch choose a faster kernel.
    """
    return False


def _inputs(
    program: torch.export.ExportedProgram, report: CaptureReport
) -> tuple[str, dict[str, torch.Tensor]]:
    """Return the name of the image's placeholder, and the values of all other placeholders."""
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
            explain(
                f"forward() of {report.model}",
                f"{len(images)} inputs {images}",
                "one input, a batch of images",
                "wrap the model in a module whose forward() takes the image only",
            ),
            report,
        )
    return images[0], constants


def _first_lines(text: str, count: int = 4) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n    ".join(lines[:count])
