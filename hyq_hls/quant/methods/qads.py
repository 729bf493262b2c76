"""QADS: distribution scaling before quantization (HyQ, IJCAI 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tqdm import tqdm

from hyq_hls.quant.judge.channel_factors import (
    LARGEST,
    SMALLEST,
    LayerSample,
    bottleneck_inputs,
    straight_through,
    with_factors,
)
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan


@dataclass(frozen=True)
class Qads(Method):
    """Quantization-aware distribution scaling of the inputs of bottleneck 1x1 convolutions.

    Adam finds a factor per input channel that minimizes the squared error of the layer's sums.
    Every layer learns by itself, with inputs of the float network. The factors with the smallest
    error are kept, which may be ones. As in the release, rounding has the gradient zero, so that
    gradients reach factors only through the scales, that is through the channels that hold the
    extremes. With ``straight_through`` all channels learn.

    Two things differ from the released code. Factors stay positive (between 2**-12 and 2**12). A
    stream has one quantization for all its readers, where the released code quantizes the shortcut
    separately. Where scales lie on a lattice, factors are rounded to powers of two, or are ones
    where that is better; :class:`~hyq_hls.quant.methods.outlier_scaling.OutlierScaling` chooses
    them better.

    Attributes:
        steps: most steps of Adam; 1000 in the paper's code.
        learning_rate: 0.1 for MobileViT-xxs, 0.01 for xs and s in the released code; it falls as a
            cosine.
        straight_through: whether gradients pass rounding.
        rows: number of positions of the calibration images by which a layer is judged.
        patience: steps without improvement after which a layer is finished.

    Source: HyQ, section on QADS; released code ``convert_insert.py``, ``quant_loss``.
    """

    steps: int = 1000
    learning_rate: float = 0.1
    straight_through: bool = False
    rows: int = 2048
    patience: int = 150

    def __post_init__(self) -> None:
        self.check_counts("steps", "rows", "patience")

    def apply(self, plan: Plan) -> Plan:
        """Learn factors for every bottleneck input that takes them; return the changed plan."""
        factors, notes = {}, {}
        samples = bottleneck_inputs(plan, self.rows)
        for name, sample in tqdm(
            samples.items(), "QADS", unit="layer", disable=not plan.progress or None
        ):
            found, before, after = self._learn(sample)
            if plan.config.scale != "dyadic":
                found = torch.exp2(torch.round(torch.log2(found)))
                after = float(sample.error(found))
                if after > before:
                    found, after = torch.ones_like(found), before
            factors[name] = found.double().numpy()
            notes[name] = {"before": before, "after": after}
        return with_factors(plan, factors).noted(qads=notes)

    def _learn(self, sample: LayerSample) -> tuple[torch.Tensor, float, float]:
        """Return factors (C,), and the error without and with them."""
        factors = torch.ones(sample.x.shape[1], requires_grad=True)
        optimizer = torch.optim.Adam([factors], self.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        round_ = straight_through if self.straight_through else torch.round
        best, first, least, idle = factors.detach().clone(), 0.0, float("inf"), 0
        for step in range(self.steps):
            error = sample.error(factors, round_)
            value = float(error.detach())
            first = first if step else value
            idle = 0 if value < least else idle + 1
            if value < least:
                best, least = factors.detach().clone(), value
            if idle >= self.patience or least == 0:
                break
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                factors.clamp_(SMALLEST, LARGEST)
        return best, first, least
