"""Bias correction: quantization must not shift the mean of a channel (Nagel et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.plan import Method, Plan
from hyq_hls.quant.simulate import Simulation
from hyq_hls.quant.weights import has_weights


@dataclass(frozen=True)
class BiasCorrection(Method):
    """Biases take up the mean error of each output channel, layer after layer.

    Every layer sees inputs that are quantized and corrected already, so that what earlier layers
    shifted is corrected too (empirical bias correction of "Data-free quantization through weight
    equalization and bias correction", ICCV 2019, appendix D).

    Args:
        images: calibration images used, at most.
    """

    images: int = 64

    def apply(self, plan: Plan) -> Plan:
        """Other biases; scales and codes of weights stay."""
        images = to_float(plan.images[: self.images])
        means: dict[str, torch.Tensor] = {}

        def remember(name: str, value: torch.Tensor) -> None:
            if has_weights(plan.graph[name]):
                means[name] = value.mean(dim=tuple(range(value.ndim - 1)))

        shifts: dict[str, torch.Tensor] = {}

        def correct(name: str, value: torch.Tensor) -> torch.Tensor | None:
            if name not in means:
                return None
            shifts[name] = means[name] - value.mean(dim=tuple(range(value.ndim - 1)))
            return value + shifts[name]

        with torch.no_grad():
            plan.graph.run(images, keep=(), observe=remember)
            Simulation(plan).values(images, keep=(), observe=correct)
        ops = {}
        for name, shift in shifts.items():
            op = plan.graph[name].op
            bias = op.bias + shift.double().numpy().astype(np.float64)  # type: ignore[attr-defined]
            ops[name] = replace(op, bias=bias)  # type: ignore[type-var]
        # Codes of weights do not depend on biases.
        weights = {n.name: plan.weights_of(n) for n in plan.graph if has_weights(n)}
        return replace(plan, graph=plan.graph.replace(ops), weights=weights)
