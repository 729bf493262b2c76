"""One line that says how close the integers come to the model, and where they are least exact."""

from __future__ import annotations

from math import isfinite

import numpy as np
import torch

from hyq_hls.capture.module_check import outputs_of
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.hidden import visible
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import sqnr_db

#: Images that are compared, and those of them on which every node is.
_IMAGES, _TRACED = 64, 8
_WORST = 3


def summary(qmodel: QuantizedModel, images: np.ndarray) -> str:
    """Compare outputs with those of the PyTorch module, and nodes with those of the float graph.

    Args:
        qmodel: a model that was just quantized, with its module and float graph.
        images: calibration images, bytes (B, H, W, C); the first of them are used.
    """
    assert qmodel.module is not None
    assert qmodel.float_graph is not None
    images = images[:_IMAGES]
    with torch.inference_mode():
        wanted = outputs_of(qmodel.module, to_float(images)).double().numpy()
        real = qmodel.float_graph.run(to_float(images[:_TRACED]))
    found = qmodel.predict(images)
    same = found.reshape(len(found), -1).argmax(1) == wanted.reshape(len(found), -1).argmax(1)
    ratios = {}
    for name, codes in qmodel.emulator.trace(images[:_TRACED]):
        if name in real and name in qmodel.graph.nodes:
            meant = torch.from_numpy(qmodel.graph.type(name).quantization.dequantize(codes))
            op = qmodel.float_graph[name].op
            pair = (visible(op, values).double().numpy() for values in (real[name], meant))
            ratios[name] = sqnr_db(*pair)
    worst = sorted((db, name) for name, db in ratios.items() if isfinite(db))[:_WORST]
    nodes = ", ".join(f"{name} {db:.1f} dB" for db, name in worst)
    return (
        f"outputs {sqnr_db(wanted, found):.1f} dB from the model's on {len(images)} calibration "
        f"images, same largest output on {int(same.sum())}; least exact nodes: {nodes}"
    )
