"""``write_report``: one HTML page about a network and its design, which needs no network."""

from __future__ import annotations

import os
from typing import Any

from hyq_hls.accelerator import Accelerator
from hyq_hls.errors import InputError
from hyq_hls.machine import CosimReport, Machine
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.report.collect import collect, default_path
from hyq_hls.report.page import page
from hyq_hls.support import HtmlPage

#: Images on which every node is compared.
_TRACED = 2


def write_report(
    design: Accelerator | QuantizedModel,
    path: str | os.PathLike[str] | None = None,
    images: Any = None,
    labels: Any = None,
    *,
    machine: Machine | None = None,
    cosim: CosimReport | None = None,
    trace_images: int = _TRACED,
    rtl: bool = False,
    sensitivity: bool = True,
    pareto: bool = False,
    command: str = "",
    progress: bool = True,
) -> HtmlPage:
    """Write one HTML page about a network and its design.

    The page holds all that it shows, styles and pictures too. It shows what is known: the design by
    its estimate always, accuracy and equality where images are given, cycles and FIFOs where the
    RTL was simulated. Of what was not measured it says so, and how to measure it.

    Args:
        design: a project of :func:`hyq_hls.convert`; or a quantized model, of which the page knows
            no hardware unless ``machine`` is given.
        path: the file; by default ``report.html`` in the folder of the project, and for a quantized
            model in the current folder.
        images: images for accuracy and for the comparison of the levels; see
            :func:`hyq_hls.images.image_bytes`. The C++ takes part where it is compiled.
        labels: their classes, integers (B,).
        machine: design of a quantized model that has no project.
        cosim: what :meth:`hyq_hls.Accelerator.cosimulate` returned; with ``activity_cycles`` it
            shows the activity over a frame. By default the report that ``hyq-hls cosim`` left in
            the project.
        trace_images: number of the images on which every node is compared, and on which the cost of
            every node is measured.
        rtl: whether every node of the RTL is compared too; Verilator is run for it.
        sensitivity: whether to measure what every node costs; it takes as long as some hundred
            images in float.
        pareto: whether to search for other designs of the network, which may take minutes.
        command: the command that the page names as its origin.
        progress: whether to show progress bars.

    Returns:
        The page, which a notebook shows.

    Raises:
        InputError: it is no project or model, or images and labels are unusable.
        FileFormatError: the file cannot be written, or the report of a co-simulation is damaged.
        CompilationError: Verilator is missing or failed.
        SimulationError: a simulation failed.
    """
    accelerator = design if isinstance(design, Accelerator) else None
    qmodel = design if accelerator is None else accelerator.qmodel
    if not isinstance(qmodel, QuantizedModel):
        raise InputError(
            f"a report is of an Accelerator or of a QuantizedModel; found {type(design).__name__}; "
            "give what hyq_hls.convert or hyq_hls.quantize returned"
        )
    if accelerator is not None:
        if machine is not None:
            raise InputError("a project has its machine; leave machine out")
        machine = accelerator.machine
    if labels is not None and images is None:
        raise InputError("labels without images; give images too")
    content = collect(
        qmodel,
        machine,
        accelerator,
        images,
        labels,
        cosim=cosim,
        trace_images=trace_images,
        rtl=rtl,
        sensitivity=sensitivity,
        pareto=pareto,
        command=command
        or _call(
            accelerator,
            images=None if images is None else f"<{len(qmodel.image_bytes(images))} images>",
            labels=None if labels is None else "<labels>",
            cosim=None if cosim is None else "<co-simulation>",
            trace_images=trace_images if trace_images != _TRACED else None,
            rtl=rtl or None,
            sensitivity=None if sensitivity else False,
            pareto=pareto or None,
        ),
        progress=progress,
    )
    return HtmlPage.write(default_path(accelerator) if path is None else path, page(content))


def _call(accelerator: Accelerator | None, **arguments: Any) -> str:
    """Return the call in Python, with the arguments that are not None."""
    given = ", ".join(f"{name}={value}" for name, value in arguments.items() if value is not None)
    if accelerator is None:
        return f"hyq_hls.write_report(<QuantizedModel>{', ' if given else ''}{given})"
    return f"Accelerator.open({str(accelerator.folder)!r}).report({given})"
