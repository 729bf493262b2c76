"""Bias correction: quantization must not shift the mean of a channel (Nagel et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import has_weights


@dataclass(frozen=True)
class BiasCorrection(Method):
    """Biases take up the mean error of each output channel, layer after layer.

    Every layer sees inputs that are quantized and corrected already, so that shifts of earlier
    layers are corrected too (empirical bias correction of "Data-free quantization through weight
    equalization and bias correction", ICCV 2019, appendix D).

    Attributes:
        images: most calibration images that are used.
    """

    images: int = 64

    def __post_init__(self) -> None:
        self.check_counts("images")

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with other biases; scales and codes of weights stay."""
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
        biases = dict(plan.biases)
        for name, shift in shifts.items():
            biases[name] = plan.bias_of(plan.graph[name]) + shift.double().numpy()
        return replace(plan, biases=biases)
