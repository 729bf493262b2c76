"""The front door: a module becomes a float graph that is checked against it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from torch import nn

from hyq_hls.capture.absorption import absorb_constants
from hyq_hls.capture.batch_axis import reduction_over_batch
from hyq_hls.capture.drafts import Unsupported
from hyq_hls.capture.export import Exported, export_module, without_autocast
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.inspection import unwrapped
from hyq_hls.capture.module_check import Runs, output_index, relative_error
from hyq_hls.capture.outcome import Outcome, Traced
from hyq_hls.capture.report import CaptureReport, NodeReport, UnsupportedModelError, explain
from hyq_hls.capture.tracing import trace


def capture(
    model: nn.Module, input_shape: Sequence[int] = (3, 256, 256)
) -> tuple[FloatGraph, CaptureReport]:
    """Turn a module into a float graph, and prove on random images that both agree.

    Args:
        model: takes one float image batch ``(B, C, H, W)`` and returns one tensor. It is captured
            in evaluation mode and is not modified.
        input_shape: ``(C, H, W)`` of the image.

    Returns:
        The graph, channels-last, with normalizations absorbed; and the report, which tells the fate
        of every node of the exported graph.

    Raises:
        UnsupportedModelError: some nodes have no meaning here. All are in the message and
            ``.report``.
        CaptureMismatchError: the graph computes something else than the module.
        CaptureError: the arguments make no sense.
    """
    with without_autocast():
        return _capture(unwrapped(model), tuple(input_shape))


def _capture(
    model: nn.Module, channels_height_width: tuple[int, ...]
) -> tuple[FloatGraph, CaptureReport]:
    exported = export_module(model, channels_height_width)
    traced = trace(exported)
    result = traced.output.source if traced.output is not None and traced.complete else None
    drafts = traced.drafts.since(0) if result is None else traced.drafts.needed(result)
    result = absorb_constants(drafts, result)
    traced.drafts.name()
    name = type(model).__name__
    _refuse_unsupported(name, channels_height_width, exported, traced)
    assert traced.output is not None
    assert result is not None
    runs = Runs.of(exported.module, channels_height_width)
    try:
        index = output_index(traced.output, runs)
    except Unsupported as problem:
        found = reduction_over_batch(exported.graph)
        name, told = ("output", problem) if found is None else (found[0].name, found[1])
        traced.outcomes[name] = Outcome("unsupported", "NOT SUPPORTED", problem=told)
        _refuse_unsupported(name, channels_height_width, exported, traced)
    graph = traced.drafts.finish(result, index)
    error = relative_error(graph, runs)
    # Only now do the drafts have the names of the nodes that remain.
    report = _report(name, channels_height_width, exported, traced)
    counts = Counter(node.op.kind for node in graph)
    return graph, dataclasses.replace(report, operations=counts, relative_error=error)


def _refuse_unsupported(
    model: str, input_shape: tuple[int, ...], exported: Exported, traced: Traced
) -> None:
    report = _report(model, input_shape, exported, traced)
    if report.unsupported:
        raise UnsupportedModelError(_complaint(report), report, traced.drafts.partial())


def _complaint(report: CaptureReport) -> str:
    """List all unsupported nodes, those with the same reason together."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for entry in report.unsupported:
        place = f"{entry.node} ({entry.target}) in module {entry.module or '(root)'}"
        groups.setdefault((entry.found, entry.wanted, entry.advice), []).append(place)
    count = len(report.unsupported)
    lines = [
        f"{report.model} cannot be captured at input {report.input_shape}: "
        f"{count} unsupported node{'s' if count > 1 else ''}"
    ]
    for (found, wanted, advice), places in groups.items():
        lines.append("  " + explain("\n  ".join(places), found, wanted, advice))
    return "\n".join(lines)


def _report(
    model: str, input_shape: tuple[int, ...], exported: Exported, traced: Traced
) -> CaptureReport:
    entries = []
    for node in exported.nodes:
        outcome = traced.outcomes[node.name].final()
        text, names = outcome.told()
        problem = outcome.problem
        entries.append(
            NodeReport(
                node.name,
                str(node.target),
                traced.paths[node.name],
                outcome.status,
                text,
                names,
                problem.found if problem else "",
                problem.wanted if problem else "",
                problem.advice if problem else "",
            )
        )
    return CaptureReport(model, input_shape, tuple(entries))
