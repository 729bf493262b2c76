"""``inspect()`` follows every node of a module through all levels, without calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike

from hyq_hls.capture import FloatGraph, UnsupportedModelError, capture
from hyq_hls.capture.inspection import unwrapped
from hyq_hls.capture.report import CaptureReport
from hyq_hls.capture.unknown import Unknown
from hyq_hls.errors import ConversionError, HyqError, InputError
from hyq_hls.inspection.preview import PreviewedNode, previewed
from hyq_hls.inspection.report import InspectedNode, Inspection, Missing
from hyq_hls.normalization import Normalization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.expected_input import expected_normalization, with_normalization
from hyq_hls.quant.image_codes import centred_on_codes
from hyq_hls.quant.prepare import octave_scores
from hyq_hls.quant.presets import as_config
from hyq_hls.stream.circuits import circuits_of
from hyq_hls.stream.rtl.modules import module_file
from hyq_hls.support import template_dir

#: The remedy where a message has none of its own.
_EXTEND = "change the shapes at this node, or extend its operation as docs/own-model.md says"


def inspect(
    model: torch.nn.Module,
    image_size: int | tuple[int, int] | None = None,
    config: QuantConfig | str | Mapping[str, Any] | None = None,
    *,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    input_range: tuple[float, float] | None = None,
) -> Inspection:
    """Say what every node of a module would become: float, integer, C++ and SystemVerilog.

    Nothing is calibrated or compiled, so weights may be random. The integer operations come from
    the rules of the lowering themselves, and the circuits from those of the streaming machine.

    Args:
        model: takes float images (B, C, H, W), as for :func:`hyq_hls.quantize`; it is not changed.
        image_size: side of the images, or (height, width). None takes that of timm's
            ``pretrained_cfg``.
        config: choices about quantization, as for :func:`hyq_hls.quantize`.
        mean: mean of the normalization outside of the model, as for :func:`hyq_hls.quantize`.
        std: standard deviation of the same normalization.
        input_range: values of black and white before it.

    Raises:
        InputError: the size of the images is not known, or makes no sense.
        CaptureMismatchError: the float graph computes something else than the module.
        CaptureError: the module cannot be traced at all; the message says why.
    """
    module, chosen = unwrapped(model), as_config(config)
    shape = _image_shape(module, image_size)
    stated = expected_normalization(module, mean, std, input_range) or Normalization()
    try:
        graph, report = capture(with_normalization(module, stated), shape)
    except UnsupportedModelError as error:
        if error.graph is None:
            raise
        graph, report = error.graph, error.report
    prepared = centred_on_codes(octave_scores(graph), chosen.activation_bits)
    nodes = tuple(_nodes(prepared, report, chosen))
    return Inspection(type(module).__name__, shape, nodes, tuple(_missing(nodes, report)), report)


def _image_shape(
    model: torch.nn.Module, image_size: int | tuple[int, int] | None
) -> tuple[int, int, int]:
    """Return (C, H, W) of the images."""
    first = next((m for m in model.modules() if isinstance(m, torch.nn.Conv2d)), None)
    channels = 3 if first is None else first.in_channels
    if image_size is None:
        stated = getattr(model, "pretrained_cfg", None) or {}
        size = stated.get("input_size")
        if not isinstance(size, Sequence) or len(size) != 3:
            raise InputError(
                f"{type(model).__name__} does not say the size of its images; give image_size=, "
                "such as image_size=224 or (192, 256)"
            )
        _, height, width = size
        return channels, int(height), int(width)
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise InputError(f"image_size={image_size!r}: a side or (height, width) is wanted")
    return channels, *sides


def _nodes(
    graph: FloatGraph, report: CaptureReport, config: QuantConfig
) -> Iterator[InspectedNode]:
    """Yield the float nodes in their order, with the exported nodes that are not supported."""
    stopped = {entry.node for entry in report.unsupported}
    for found in previewed(graph, config):
        op, shape = found.node.op, graph.shape(found.node.name)
        if not isinstance(op, Unknown):
            yield _followed(found, shape)
        elif op.origin in stopped:
            stopped.remove(op.origin)
            yield InspectedNode(op.origin, _kind(report, op.origin), shape, level="capture")
    for name in sorted(stopped):
        yield InspectedNode(name, _kind(report, name), (), level="capture")


def _followed(found: PreviewedNode, shape: tuple[int, ...]) -> InspectedNode:
    """Follow a float node through the lowering to its circuits."""
    node, name = found.node, found.node.name
    kind = node.op.kind
    if found.problem:
        return InspectedNode(name, kind, shape, level="integers", problem=found.problem)
    operations = tuple(operation.name for operation, _ in found.steps)
    try:
        circuits = [c for step in found.steps for c in circuits_of(step[0], *step[1]).values()]
        modules = tuple(dict.fromkeys(circuit.module for circuit in circuits))
        for module in modules:
            _check_templates(module)
    except HyqError as error:
        return InspectedNode(name, kind, shape, operations, level="hardware", problem=str(error))
    return InspectedNode(name, kind, shape, operations, modules)


def _check_templates(module: str) -> None:
    """Raise ``ConversionError`` unless a circuit has a C++ header and a SystemVerilog module."""
    header = template_dir() / f"{module}.h"
    if not header.is_file():
        raise ConversionError(
            f"there is no C++ template {header.name}; write hls_templates/{header.name}"
        )
    module_file(f"hyq_{module}")


def _kind(report: CaptureReport, node: str) -> str:
    """Return the name of an exported operation, such as ``max_pool2d``."""
    target = report[node].target
    parts = target.split(".")
    return parts[1] if parts[0] == "aten" and len(parts) > 1 else target


def _missing(nodes: Sequence[InspectedNode], report: CaptureReport) -> Iterator[Missing]:
    """Yield what is missing: nodes that one remedy helps, together."""
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for node in nodes:
        if node.level == "capture":
            entry = report[node.name]
            remedy = f"{entry.advice} (supported: {entry.wanted})"
            groups.setdefault((node.kind, "capture", remedy), []).append((node.name, entry.found))
        elif node.level:
            # Messages of this package say what was found and wanted, then what to do.
            message = node.problem.removeprefix(f"{node.name}: ")
            found, separator, remedy = message.rpartition("; ")
            if not separator:
                found, remedy = message, _EXTEND
            groups.setdefault((node.kind, node.level, remedy), []).append((node.name, found))
    for (kind, level, remedy), members in groups.items():
        names, reasons = zip(*members, strict=True)
        yield Missing(kind, level, names, tuple(dict.fromkeys(reasons)), remedy)
