"""Compare the outputs of a network with those of the PyTorch module that it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import sqnr_db

#: The float graph computes the same function, but sums in another order, and the border of a
#: normalized image is a code that is only near enough. Outputs in a wrong order have about 0 dB.
_SAME_FUNCTION_DB = 40.0


@dataclass(frozen=True)
class ModuleAgreement:
    """The outputs of the float graph and of the integers against those of the module.

    Attributes:
        module_shape: shape of the module's output, with the batch.
        integer_shape: shape of the integers' output, with the batch.
        float_db: signal-to-noise of the float graph against the module in dB, -inf where their
            shapes differ.
        integer_db: the same of the integers.
        agreeing: number of images whose largest output stands at the same place.
    """

    module_shape: tuple[int, ...]
    integer_shape: tuple[int, ...]
    float_db: float
    integer_db: float
    agreeing: int

    @property
    def ok(self) -> bool:
        """Whether the float graph is the module, and the integers have its shape."""
        return self.module_shape == self.integer_shape and self.float_db >= _SAME_FUNCTION_DB

    def __str__(self) -> str:
        if self.module_shape != self.integer_shape:
            return (
                f"network: outputs {self.integer_shape}, but the module gives {self.module_shape}"
            )
        return (
            f"network: against the module, float graph {self.float_db:.1f} dB, integers "
            f"{self.integer_db:.1f} dB, same largest output on {self.agreeing} of "
            f"{self.module_shape[0]} images"
        )


def module_agreement(qmodel: QuantizedModel, pixels: NDArray[np.uint8]) -> ModuleAgreement | None:
    """Compare with the module itself; None where the model was loaded and has no module."""
    if qmodel.module is None or qmodel.float_graph is None:
        return None
    import torch  # noqa: PLC0415  (a loaded model is verified without torch)

    from hyq_hls.capture.module_check import outputs_of  # noqa: PLC0415
    from hyq_hls.quant.calibrate import batches  # noqa: PLC0415

    graph, module = qmodel.float_graph, qmodel.module
    with torch.inference_mode():
        wanted = np.concatenate([outputs_of(module, batch).numpy() for batch in batches(pixels)])
        real = np.concatenate([graph(batch).numpy() for batch in batches(pixels)])
    found = qmodel(pixels)
    same = wanted.shape == found.shape == real.shape
    return ModuleAgreement(
        wanted.shape,
        found.shape,
        sqnr_db(wanted, real) if same else -np.inf,
        sqnr_db(wanted, found) if same else -np.inf,
        int((_largest(wanted) == _largest(found)).sum()) if same else 0,
    )


def _largest(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(values.reshape(len(values), -1).argmax(axis=1))
