"""Outlier scaling by powers of two that the layer's objective chooses (Kim & Kim, ICCE 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tqdm import tqdm

from hyq_hls.quant.judge.channel_factors import LayerSample, bottleneck_inputs, with_factors
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan


@dataclass(frozen=True)
class OutlierScaling(Method):
    """Channels of bottleneck inputs are divided by ``2**k``, so that requantization stays a shift.

    Only the abstract of the paper is available to us: outlier channels are scaled, and the factors
    are approximated by powers of two under an objective function instead of by rounding. Here the
    objective is QADS's, the squared error of the layer's sums. Coordinate descent over the
    exponents minimizes it, and starts from the channels' ranges. On the calibration sample the
    result is never worse than without factors.

    Attributes:
        largest: largest k; the smallest is 0.
        sweeps: most sweeps over the channels; a sweep that changes nothing is the last.
        rows: number of positions of the calibration images by which a layer is judged.
    """

    largest: int = 7
    sweeps: int = 4
    rows: int = 1024

    def __post_init__(self) -> None:
        self.check_counts("largest", "sweeps", "rows")

    def apply(self, plan: Plan) -> Plan:
        """Note exponents for every bottleneck input that takes factors; return the changed plan."""
        factors, notes = {}, {}
        samples = bottleneck_inputs(plan, self.rows)
        for name, sample in tqdm(
            samples.items(), "outlier scaling", unit="layer", disable=not plan.progress or None
        ):
            exponents, before, after = self._descend(sample)
            factors[name] = torch.exp2(exponents).double().numpy()
            notes[name] = {
                "before": before,
                "after": after,
                "exponents": [int(k) for k in exponents],
            }
        return with_factors(plan, factors).noted(outlier_scaling=notes)

    def _descend(self, sample: LayerSample) -> tuple[torch.Tensor, float, float]:
        """Return exponents (C,), and the error without and with them."""

        def error(exponents: torch.Tensor) -> float:
            return float(sample.error(torch.exp2(exponents)))

        with torch.no_grad():
            peaks = sample.x.abs().amax(dim=0)
            none = torch.zeros_like(peaks)
            before = error(none)
            # An outlier channel is larger than the median channel (this is Trio-ViT's start).
            middle = peaks.median().clamp(min=1e-12)
            start = torch.round(torch.log2((peaks / middle).clamp(min=1.0)))
            starts = [(before, none)] + [
                (error(s), s) for s in (start.clamp(0, self.largest), start.clamp(0, 1))
            ]
            least, best = min(starts, key=lambda pair: pair[0])
            best = best.clone()
            order = torch.argsort(peaks, descending=True)
            for _ in range(self.sweeps):
                moved = False
                for channel in order.tolist():
                    for move in (1.0, -1.0):
                        trial = best.clone()
                        trial[channel] += move
                        if not 0 <= trial[channel] <= self.largest:
                            continue
                        value = error(trial)
                        if value < least:
                            least, best, moved = value, trial, True
                            break
                if not moved:
                    break
        return best, before, least
