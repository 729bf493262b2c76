"""The accuracy of a network on images, level by level and node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.accelerator import Accelerator
from hyq_hls.errors import InputError
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.report.content import Level, Numerics, Unmeasured
from hyq_hls.support import sqnr_db
from hyq_hls.verify import verify
from hyq_hls.verify.levels import CPP, EMULATION, FLOAT, RTL

Array = NDArray[Any]


def numerics(
    qmodel: QuantizedModel,
    images: Any,
    labels: Any,
    accelerator: Accelerator | None,
    *,
    trace_images: int,
    rtl: bool,
    sensitivity: bool,
    progress: bool,
) -> Numerics:
    """Run images through the levels that are there.

    Args:
        qmodel: the quantized model.
        images: see :func:`hyq_hls.images.image_bytes`.
        labels: integers (B,), or None.
        accelerator: the project, whose C++ takes part if it is compiled.
        trace_images: number of images on which every node is compared.
        rtl: whether the nodes of the RTL are compared too.
        sensitivity: whether to measure what every node costs.
        progress: whether to show progress bars.

    Raises:
        InputError: unusable images, or labels that do not belong to them.
        CompilationError: Verilator is missing or failed.
        SimulationError: a simulation failed.
    """
    pixels = qmodel.image_bytes(images)
    truth = None if labels is None else _labels(labels, len(pixels), qmodel)
    compiled = accelerator if accelerator is not None and accelerator.compiled else None
    if rtl and compiled is None:
        raise InputError(
            "rtl=True compares the nodes of the RTL with those of the C++: a compiled project is "
            "wanted; call compile() first"
        )
    verified = verify(
        qmodel, pixels, compiled, trace_images=trace_images, rtl=rtl, progress=progress
    )
    real = _float_outputs(qmodel, pixels)
    codes = qmodel.codes(pixels)
    outputs = qmodel.predict(pixels)
    levels = []
    if real is not None:
        levels.append(_level(FLOAT, real, None, real, truth))
    levels.append(_level("integers", codes, outputs, real, truth))
    if compiled is not None:
        found, equal = compiled.codes(pixels), verified.equal_images[CPP]
        real_found = compiled.predict(pixels)
        levels.append(_level(CPP, found, real_found, real, truth, equal))
    traced = pixels[: max(1, trace_images)]
    return Numerics(
        len(pixels),
        len(traced),
        levels,
        verified,
        _sensitivities(qmodel, traced, sensitivity, progress),
        _missing(qmodel, accelerator, rtl, truth is None),
    )


def _labels(labels: Any, count: int, qmodel: QuantizedModel) -> NDArray[np.int64]:
    found = np.asarray(labels)
    if found.shape != (count,) or found.dtype.kind not in "iu":
        raise InputError(
            f"labels of shape {found.shape} and dtype {found.dtype} with {count} images: integers "
            f"({count},) are wanted"
        )
    if len(qmodel.graph.output_shape) != 1:
        raise InputError(
            f"labels belong to logits (images, classes); the output has the shape (images, "
            f"{', '.join(map(str, qmodel.graph.output_shape))}), so leave them out"
        )
    return found.astype(np.int64)


def _level(
    name: str,
    values: Array,
    outputs: Array | None,
    real: Array | None,
    truth: NDArray[np.int64] | None,
    equal: int | None = None,
) -> Level:
    """Return a level: its classes are those of the largest value."""
    classes = values.reshape(len(values), -1).argmax(axis=1)
    wanted = None if real is None else real.reshape(len(real), -1).argmax(axis=1)
    return Level(
        name,
        len(values),
        None if truth is None else int((classes == truth).sum()),
        None if wanted is None else int((classes == wanted).sum()),
        None if real is None or outputs is None else sqnr_db(real, outputs),
        equal,
    )


def _float_outputs(qmodel: QuantizedModel, pixels: NDArray[np.uint8]) -> Array | None:
    """Return the outputs of the float graph; None where it is not known."""
    graph = qmodel.float_graph
    if graph is None:
        return None
    import torch  # noqa: PLC0415  (a loaded model has no float graph)

    from hyq_hls.quant.calibrate import batch_size, batches  # noqa: PLC0415

    with torch.inference_mode():
        found = [graph(batch).numpy() for batch in batches(pixels, batch_size(graph))]
    return np.concatenate(found).astype(np.float64)


def _sensitivities(
    qmodel: QuantizedModel, traced: NDArray[np.uint8], wanted: bool, progress: bool
) -> Any:
    if qmodel.float_graph is None:
        return _no_float()
    if not wanted:
        return Unmeasured(
            "the cost of single nodes was left out", "leave out sensitivity=False to measure it"
        )
    from hyq_hls.verify.sensitivity import node_sensitivities  # noqa: PLC0415  (needs torch)

    return node_sensitivities(qmodel, traced, progress=progress)


def _no_float() -> Unmeasured:
    return Unmeasured(
        "a saved network does not hold the float network that it came from",
        "call report() in the session that quantized it, or run hyq-hls report with --model",
    )


def _missing(
    qmodel: QuantizedModel, accelerator: Accelerator | None, rtl: bool, unlabelled: bool
) -> dict[str, Unmeasured]:
    """Return the levels and figures that were not measured."""
    missing = {}
    if qmodel.float_graph is None:
        missing[FLOAT] = _no_float()
    if unlabelled:
        missing["accuracy"] = Unmeasured(
            "the images came without labels",
            "give labels=, or a file .npz with images and labels to hyq-hls report --images",
        )
    if accelerator is None:
        missing[CPP] = Unmeasured(
            "there is no project on disk", "write and compile it with hyq-hls convert"
        )
    elif not accelerator.compiled:
        missing[CPP] = Unmeasured(
            "the C simulation is not compiled, or a source has changed since",
            f"call compile(), or run hyq-hls verify {accelerator.folder}",
        )
    if not rtl:
        missing[f"{RTL}, node by node"] = Unmeasured(
            f"the nodes were compared up to {CPP if CPP not in missing else EMULATION}",
            "give rtl=True, or run hyq-hls report with --rtl, which needs Verilator",
        )
    return missing
