"""Codes that are the same for every image, such as learned tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import Quantization, TensorType


@dataclass(frozen=True, eq=False)
class Constant(Operation):
    """``y = codes`` for every image. It has no input.

    Attributes:
        codes: int64 of the shape of the tensor, without the batch.
        quantization: quantization of the codes.

    Raises:
        GraphError: the codes are no integers in the range of the quantization.
    """

    name: ClassVar[str] = "constant"
    arity: ClassVar[int | None] = 0

    codes: Codes
    quantization: Quantization

    def __post_init__(self) -> None:
        array = np.asarray(self.codes)
        if not np.issubdtype(array.dtype, np.integer) or not array.size:
            raise GraphError(
                f"constant: integers of a shape with elements are wanted, found {array.dtype} of "
                f"shape {array.shape}"
            )
        q, low, high = self.quantization, int(array.min()), int(array.max())
        if low < q.qmin or high > q.qmax:
            raise GraphError(
                f"constant: codes in [{low}, {high}] leave the range [{q.qmin}, {q.qmax}]; "
                "saturate them"
            )
        array = array.astype(np.int64)
        array.setflags(write=False)
        object.__setattr__(self, "codes", array)

    def output_type(self, *inputs: TensorType) -> TensorType:
        return TensorType(self.codes.shape, self.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (images,) = codes
        return np.repeat(self.codes[None], len(images), axis=0)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return Bounds(int(self.codes.min()), int(self.codes.max()))
