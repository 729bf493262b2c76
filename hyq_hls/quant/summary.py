"""One line that says how close the integers come to the model, and where they are least exact."""

from __future__ import annotations

from math import isfinite

import numpy as np
import torch

from hyq_hls.capture.elementwise import Elementwise
from hyq_hls.capture.module_check import outputs_of
from hyq_hls.graph import Quantization
from hyq_hls.quant.calibrate import batch_size, batches, to_float
from hyq_hls.quant.hidden import visible
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import sqnr_db
from hyq_hls.support.sqnr import decibels, power_and_noise

#: Images that are compared, and those of them on which every node is.
_IMAGES, _TRACED = 64, 8
_WORST = 3
#: Values that are compared at once.
_BLOCK = 1 << 20


def summary(qmodel: QuantizedModel, images: np.ndarray) -> str:
    """Compare outputs with those of the PyTorch module, and nodes with those of the float graph.

    Args:
        qmodel: a model that was just quantized, with its module and float graph.
        images: calibration images, bytes (B, H, W, C); the first of them are used.
    """
    assert qmodel.module is not None
    assert qmodel.float_graph is not None
    images = images[:_IMAGES]
    size = batch_size(qmodel.float_graph)
    with torch.inference_mode():
        outputs = [outputs_of(qmodel.module, batch) for batch in batches(images, size)]
        wanted = torch.cat(outputs).double().numpy()
    found = qmodel.predict(images)
    same = found.reshape(len(found), -1).argmax(1) == wanted.reshape(len(found), -1).argmax(1)
    ratios = ratios_of_nodes(qmodel, images[:_TRACED])
    worst = sorted((db, name) for name, db in ratios.items() if isfinite(db))[:_WORST]
    nodes = ", ".join(f"{name} {db:.1f} dB" for db, name in worst)
    return (
        f"outputs {sqnr_db(wanted, found):.1f} dB from the model's on {len(images)} calibration "
        f"images, same largest output on {int(same.sum())}; least exact nodes: {nodes}"
    )


def ratios_of_nodes(qmodel: QuantizedModel, images: np.ndarray) -> dict[str, float]:
    """Return the SQNR in dB of every node that both graphs have and whose error lives on.

    A node that only one function of single elements reads is judged by the result of that function.
    Before a ReLU, for example, codes for negative numbers would be of no use.
    One image after another is in memory.
    """
    assert qmodel.float_graph is not None
    sums: dict[str, np.ndarray] = {}
    for i in range(len(images)):
        with torch.inference_mode():
            real = qmodel.float_graph.run(to_float(images[i : i + 1]))
        for name, codes in qmodel.emulator.trace(images[i : i + 1]):
            if name in real and name in qmodel.graph.nodes:
                op = qmodel.float_graph[name].op
                seen = visible(op, torch.from_numpy(codes))
                quantization = qmodel.graph.type(name).quantization
                found = _power_and_noise(visible(op, real[name]), seen, quantization)
                sums[name] = sums.get(name, np.zeros(2)) + found
    return {
        name: decibels(*map(float, found))
        for name, found in sums.items()
        if _judge(qmodel, name) not in sums
    }


def _judge(qmodel: QuantizedModel, name: str) -> str | None:
    """Return the function of single elements that alone reads a node, if there is one."""
    assert qmodel.float_graph is not None
    readers = qmodel.float_graph.consumers(name)
    if len(readers) != 1 or name == qmodel.graph.output_name:
        return None
    return readers[0] if isinstance(qmodel.float_graph[readers[0]].op, Elementwise) else None


def _power_and_noise(real: torch.Tensor, codes: torch.Tensor, q: Quantization) -> np.ndarray:
    """Return the sums of squares (2,) of real values (1, ..., C) and of the errors of codes."""
    channels = real.shape[-1]
    step = max(1, _BLOCK // channels)
    parts = zip(
        real.reshape(-1, channels).split(step), codes.reshape(-1, channels).split(step), strict=True
    )
    found = [power_and_noise(r.double().numpy(), q.dequantize(c.numpy())) for r, c in parts]
    return np.asarray(np.sum(found, axis=0))
