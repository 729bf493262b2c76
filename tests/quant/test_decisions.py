"""Decisions of the quantizer, each on data where the other choice gives other integers."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales import statistics
from hyq_hls.quant.scales.ranges import quantization
from hyq_hls.quant.scales.statistics import TensorStatistics
from tests.quant.networks import lean, plan_of


def statistics_of(*batches: NDArray[np.float64]) -> TensorStatistics:
    found = TensorStatistics("x", 0.1, len(batches))
    for batch in batches:
        found.update(torch.from_numpy(batch))
    return found


def test_what_only_functions_read_gets_the_preactivation_bits() -> None:
    """The wider codes go to the inputs of SiLU and to nothing else."""
    plan = plan_of(config=lean(8, 6, output_bits=12, preactivation_bits=10))
    found = {name: plan.tensors[name].bits for name in plan.tensors}
    assert found["stem.0"] == found["expand.0"] == found["depthwise.0"] == 10
    assert found["project.0"] == found["add"] == 6
    assert found[plan.graph.output] == 12
    narrow = plan.with_config(lean(8, 6, preactivation_bits=4))
    assert narrow.tensors["stem.0"].bits == 6, "it is a least width"


@pytest.mark.parametrize("scheme", ["asymmetric", "symmetric"])
def test_minmax_covers_an_outlier_that_mse_cuts_off(
    scheme: Literal["asymmetric", "symmetric"],
) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (4000, 1))
    values[0] = 6
    data = statistics_of(values)

    def step(observer: Literal["minmax", "mse"]) -> float:
        config = lean(activation_bits=4, activation_scheme=scheme, observer=observer)
        return float(quantization(data, config, base=1.0).scale[0])

    covering = {"asymmetric": 0.5, "symmetric": 1.0}[scheme]  # 7 / 15 and 6 / 7.5 at least
    assert step("minmax") == covering
    assert step("mse") < covering


def layer_on_red_and_blue(red: int, blue: int) -> Plan:
    """A 1 x 1 convolution with one large weight on red and a small one on blue."""
    model = nn.Sequential(nn.Conv2d(3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        weight = torch.tensor([1.0, 0.0, 0.27]).reshape(1, 3, 1, 1)
        cast(nn.Conv2d, model[0]).weight.copy_(weight)
    images = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    images[..., 0], images[..., 2] = red, blue
    return plan_of(model.eval(), lean(weight_bits=3, scale="dyadic"), images)


def test_a_weight_counts_as_much_as_what_it_meets() -> None:
    """A row has one step: it fits the weight that meets large codes, at the cost of the other."""

    def errors(red: int, blue: int) -> NDArray[np.float64]:
        plan = layer_on_red_and_blue(red, blue)
        (node,) = (n for n in plan.graph if n.name == "0")
        weights = plan.weights_of(node)
        real: NDArray[np.float64] = weights.codes * weights.scales[:, None] * 255
        wrong: NDArray[np.float64] = np.abs(real - [[1.0, 0.0, 0.27]])[0]
        return wrong

    on_red, on_blue = errors(red=255, blue=1), errors(red=1, blue=255)
    assert on_red[0] < on_blue[0]
    assert on_blue[2] < on_red[2]


def test_batches_leave_rows_of_other_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of every fourth position alone would not see what repeats every fourth one."""
    monkeypatch.setattr(statistics, "SAMPLE_SIZE", 6)
    batch = np.arange(12.0)[:, None]  # three of twelve rows of each batch are kept
    data = statistics_of(batch, batch + 100)
    assert data.rows[:, 0].tolist() == [0, 4, 8, 103, 107, 111]
