"""Run ONNX models in onnxruntime, with one thread, as test processes share the cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper
from onnxruntime import InferenceSession, SessionOptions


def outputs(model: ModelProto, inputs: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
    """All outputs by name, for inputs that get the types of the model's inputs."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(model.SerializeToString(), options)
    types = {
        i.name: helper.tensor_dtype_to_np_dtype(i.type.tensor_type.elem_type)
        for i in model.graph.input
    }
    names = [output.name for output in session.get_outputs()]
    given = {name: values.astype(types[name]) for name, values in inputs.items()}
    return dict(zip(names, session.run(None, given), strict=True))
