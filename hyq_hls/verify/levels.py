"""``verify``: which level each node reaches, from float to RTL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.accelerator import Accelerator
from hyq_hls.errors import InputError
from hyq_hls.plots import sqnr_by_node
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import Shown, aligned, counted, sqnr_db
from hyq_hls.verify.compare import Difference, first_difference
from hyq_hls.verify.module_agreement import ModuleAgreement, module_agreement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOAT, QUANTIZED, INTEGER, EMULATION, CPP, RTL = (
    "float",
    "quantized float",
    "integer",
    "emulation",
    "C++",
    "RTL",
)


@dataclass(frozen=True)
class NodeLevels:
    """One node: how close each level is to the one before.

    Attributes:
        node: name of the node.
        quantized_db: signal-to-noise of quantized float against float, dB; None without a float
            graph, and for a step of which the float graph knows nothing.
        integer_db: signal-to-noise of the integers against float, dB.
        level: the last level whose codes equal all before it.
    """

    node: str
    quantized_db: float | None
    integer_db: float | None
    level: str


@dataclass
class VerifyReport(Shown):
    """The result of :func:`verify`.

    Attributes:
        nodes: one entry per node, in order.
        differences: the first difference of each level that disagrees; empty when all are equal.
        images: number of images on which the network's output was compared.
        equal_images: per integer level, number of images with equal output codes.
        module: how close the outputs are to those of the PyTorch module; None without the module.
    """

    nodes: list[NodeLevels] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    images: int = 0
    equal_images: dict[str, int] = field(default_factory=dict)
    module: ModuleAgreement | None = None

    @property
    def ok(self) -> bool:
        """Whether every level agrees.

        Integer levels are equal on every node and image. The float graph gives the outputs of the
        PyTorch module, in its shape and order.
        """
        equal = all(n == self.images for n in self.equal_images.values())
        return not self.differences and equal and (self.module is None or self.module.ok)

    def to_json(self) -> dict[str, Any]:
        """Return everything in the types of JSON."""
        return {
            "ok": self.ok,
            "images": self.images,
            "equal_images": self.equal_images,
            "nodes": [asdict(node) for node in self.nodes],
            "differences": [asdict(difference) for difference in self.differences],
            "module": None if self.module is None else asdict(self.module),
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Plot the noise of every node; see :func:`hyq_hls.plots.sqnr_by_node`.

        Raises:
            InputError: the network was loaded without its float graph.
            MissingPackageError: matplotlib is not installed.
        """
        return sqnr_by_node(self, axes=axes)

    def __repr__(self) -> str:
        return (
            f"VerifyReport({len(self.nodes)} nodes, {self.images} images, "
            f"{'all levels agree' if self.ok else 'LEVELS DISAGREE'})"
        )

    def __str__(self) -> str:
        """Return a table of nodes, then the network, then the first differences."""
        rows = [("node", "quantized float", "integer", "equal up to")]
        rows += [(n.node, _db(n.quantized_db), _db(n.integer_db), n.level) for n in self.nodes]
        lines = aligned(rows)
        for level, count in self.equal_images.items():
            lines.append(f"network: {level} equal on {count} of {self.images} images")
        if self.module is not None:
            lines.append(str(self.module))
        lines += [str(d) for d in self.differences]
        lines.append("all levels agree" if self.ok else "LEVELS DISAGREE")
        return "\n".join(lines)


def verify(
    qmodel: QuantizedModel,
    images: Any,
    accelerator: Accelerator | None = None,
    *,
    trace_images: int = 4,
    rtl: bool = False,
    progress: bool = True,
) -> VerifyReport:
    """Compare module, float, quantized float, integer reference, emulation, C++ and RTL.

    Args:
        qmodel: the quantized model; the float levels need its float graph and its module.
        images: images on which the network's output is compared: emulation against C++, and float
            graph and emulation against the PyTorch module.
        accelerator: a compiled accelerator; without it the C++ level is left out.
        trace_images: number of the images on which every node is compared, reference included.
        rtl: also compare every node of the RTL, on those images; Verilator is run for it.
        progress: show progress bars.

    Raises:
        InputError: unusable images.
        CompilationError: Verilator is missing or failed.
        SimulationError: a simulation failed.
    """
    for value, kind in ((qmodel, QuantizedModel), (accelerator, Accelerator | None)):
        if not isinstance(value, kind):
            raise InputError(
                f"verify takes a QuantizedModel, images and an Accelerator; found "
                f"{type(value).__name__}"
            )
    if not isinstance(trace_images, int):
        raise InputError(f"trace_images={trace_images!r}: a number of images is wanted")
    pixels = qmodel.image_bytes(images)
    some = pixels[: max(1, trace_images)]
    report = VerifyReport(images=len(pixels))
    real, quantized = _float_levels(qmodel, some)
    emulated = dict(qmodel.emulator.trace(some))
    traces = [accelerator.trace(p) for p in some] if accelerator is not None else []
    waves = accelerator.trace_rtl(some) if accelerator is not None and rtl else {}
    nodes = len(qmodel.graph.nodes)
    wrong: dict[str, Difference] = {}
    steps = qmodel.graph.reference(some.astype(np.int64))
    for name, codes in counted(steps, progress, "verify", nodes + 1):
        if name not in qmodel.graph.nodes:
            continue
        found = {EMULATION: emulated[name]}
        # An engine keeps some nodes inside; cosimulate compares them instruction by instruction.
        if traces and name in traces[0]:
            found[CPP] = np.concatenate([t[name] for t in traces])
        if name in waves:
            found[RTL] = waves[name]
        level = INTEGER
        for candidate, values in found.items():
            difference = first_difference(candidate, name, codes, values)
            if difference is not None:
                wrong.setdefault(candidate, difference)
                break
            level = candidate
        meant = qmodel.graph.type(name).quantization.dequantize(codes)
        before, after = (_ratio(qmodel, real, name, v) for v in (quantized.get(name), meant))
        report.nodes.append(NodeLevels(name, before, after, level))
    report.differences = list(wrong.values())
    _compare_network(qmodel, pixels, accelerator, report, progress)
    report.module = module_agreement(qmodel, pixels)
    return report


def _ratio(
    qmodel: QuantizedModel,
    real: Mapping[str, NDArray[np.float64]],
    name: str,
    found: NDArray[np.float64] | None,
) -> float | None:
    """Return the SQNR of values of a node in dB; None for a node that only integers have."""
    if qmodel.float_graph is None or name not in real or found is None:
        return None
    import torch  # noqa: PLC0415  (see _float_levels)

    from hyq_hls.quant.hidden import visible  # noqa: PLC0415

    op = qmodel.float_graph[name].op
    return sqnr_db(*(visible(op, torch.from_numpy(v)).numpy() for v in (real[name], found)))


def _compare_network(
    qmodel: QuantizedModel,
    pixels: NDArray[np.uint8],
    accelerator: Accelerator | None,
    report: VerifyReport,
    progress: bool,
) -> None:
    if accelerator is None:
        return
    emulated = qmodel.codes(pixels, progress)
    found = accelerator.codes(pixels, progress)
    report.equal_images[CPP] = int((emulated == found).reshape(len(pixels), -1).all(axis=1).sum())
    difference = first_difference(CPP, qmodel.graph.output_name, emulated, found)
    if difference is not None and not report.differences:
        report.differences.append(difference)


def _float_levels(
    qmodel: QuantizedModel, pixels: NDArray[np.uint8]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    if qmodel.float_graph is None:
        return {}, {}
    import torch  # noqa: PLC0415  (a loaded model is verified without torch's float level)

    from hyq_hls.quant.calibrate import to_float  # noqa: PLC0415
    from hyq_hls.verify.quantized_float import quantized_float  # noqa: PLC0415

    batch = to_float(pixels)
    real: dict[str, NDArray[np.float64]] = {}

    def keep(name: str, value: torch.Tensor) -> None:
        real[name] = value.double().numpy()

    with torch.no_grad():
        qmodel.float_graph.run(batch, keep=(), observe=keep)
    return real, quantized_float(qmodel.float_graph, qmodel.graph, batch)


def _db(value: float | None) -> str:
    return "-" if value is None else f"{value:6.1f} dB"
