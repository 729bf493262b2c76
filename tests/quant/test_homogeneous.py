"""Factors of channels pass through ReLU: outliers cost no codes, and no operation is added."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import QuantConfig, QuantizedModel, quantize
from hyq_hls.capture.elementwise import Elementwise, Gelu, LeakyRelu, Relu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_ops import Input
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization
from hyq_hls.ops import RequantizeTensor, Table
from hyq_hls.quant import presets
from hyq_hls.quant.lowering.lower import Lowering
from hyq_hls.quant.methods.q_hyvit import QHyViT
from hyq_hls.quant.scales.homogeneous import factors_behind_functions
from hyq_hls.support import sqnr_db
from tests.quant.networks import FLOATS, IMAGES, INTEGERS, plan_of, shifting


def network(factor: float, activation: nn.Module | None = None) -> nn.Sequential:
    """Two layers with ReLUs, a mean, a linear layer; some channels are larger by a factor."""
    torch.manual_seed(0)
    act = activation or nn.ReLU()
    first, second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
    head = nn.Linear(8, 5, bias=False)
    with torch.no_grad():
        first.weight *= 8  # so that images differ
        for layer, behind in ((first, second.weight), (second, head.weight)):
            assert layer.bias is not None
            layer.weight[2] *= factor
            layer.bias[2] *= factor
            behind[:, 2] /= factor
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(first, act, second, copy.deepcopy(act), pool, nn.Flatten(), head).eval()


def quantized(factor: float, activation: nn.Module | None = None) -> QuantizedModel:
    return quantize(
        network(factor, activation), IMAGES, presets.fast(6, 6), input_range=(0, 1), progress=False
    )


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.LeakyReLU(0.25)])
def test_outliers_behind_a_function_and_a_mean_cost_nothing(activation: nn.Module) -> None:
    """One scale for all channels left the others two codes, behind ReLU and behind the mean."""
    with torch.inference_mode():
        images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2) / 255
        wanted = network(1.0, activation)(images).double().numpy()
    plain, outliers = (quantized(f, activation) for f in (1.0, 64.0))
    ratios = [sqnr_db(wanted, found.predict(IMAGES)) for found in (plain, outliers)]
    assert ratios[1] > ratios[0] - 4
    kinds = [node.operation.name for node in outliers.graph.nodes.values()]
    assert kinds == [node.operation.name for node in plain.graph.nodes.values()]
    reference = dict(outliers.graph.reference(INTEGERS))[outliers.graph.output_name]
    assert np.array_equal(outliers.codes(IMAGES), reference)


def test_both_sides_have_the_same_factors() -> None:
    plan = plan_of(network(64.0), presets.fast(), IMAGES)
    for before, behind in (("0", "1"), ("2", "3")):
        steps = [np.asarray(plan.tensors[name].scale) for name in (before, behind)]
        assert steps[0].max() >= 32 * steps[0].min()
        assert len(np.unique(steps[1] / steps[0])) == 1
    assert plan.tensors["4"].per_channel


def test_a_channel_that_was_negative_keeps_a_reserve() -> None:
    """Codes end where the distribution of the input makes values likely, not at zero."""
    model = network(1.0)
    first = model[0]
    assert isinstance(first, nn.Conv2d)
    assert first.bias is not None
    with torch.no_grad():
        first.bias[5] -= first(FLOATS)[:, 5].max() + 0.001
    plan = plan_of(model, presets.fast(), IMAGES)
    assert plan.statistics["1"].high[5] == 0
    y = plan.tensors["1"]
    likely = plan.statistics["0"].likely_high[5]
    assert likely > 0
    assert y.scale[5] * (y.qmax - y.zero_point[0]) >= likely


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.LeakyReLU(0.01)])
def test_negative_values_of_a_small_channel_take_no_codes(activation: nn.Module) -> None:
    """A channel that is nearly always negative has a small factor, and large negative values."""
    model = network(1.0, activation)
    first = model[0]
    assert isinstance(first, nn.Conv2d)
    assert first.bias is not None
    with torch.no_grad():
        first.bias[5] -= first(FLOATS)[:, 5].max() - 0.001
    q = plan_of(model, presets.fast(), IMAGES).tensors["0"]
    assert np.ptp(np.log2(q.scale)) > (5 if isinstance(activation, nn.ReLU) else 0)
    assert q.qmax - q.zero_point[0] > (q.qmax - q.qmin) // 4


def test_the_search_keeps_factors_alike() -> None:
    search = QHyViT(rounds=1, candidates=8, images=6, function_price=0.05)
    plan = search.apply(plan_of(network(64.0), shifting(6, 6), IMAGES))
    assert sorted(factors_behind_functions(plan.graph, plan.tensors)) == ["1", "3"]
    assert not any(
        isinstance(node.operation, RequantizeTensor) for node in plan.lowered().nodes.values()
    )


@pytest.mark.parametrize("op", [Relu(), LeakyRelu(0.25)])
@pytest.mark.parametrize("same", [True, False])
def test_one_table_serves_channels_of_different_scale(op: Elementwise, same: bool) -> None:
    """Its results are exact here, with a requantization behind it where factors differ."""
    x = Quantization(6, False, (0.25, 1.0, 0.5), (20,))
    y = Quantization(12, False, tuple(s / 4 for s in (x.scale if same else (0.25,) * 3)), (1000,))
    steps = steps_of(op, x, y)
    assert [type(step) for step in steps] == [Table, *([] if same else [RequantizeTensor])]
    codes = found = np.repeat(np.arange(64)[:, None], 3, axis=1)
    for step in steps:
        found = step.reference(found)
    wanted = op.forward(torch.from_numpy(x.dequantize(codes))).numpy()
    assert np.array_equal(found, y.quantize(wanted))


def test_other_functions_take_one_scale() -> None:
    x = Quantization(6, False, (0.25, 1.0, 0.5), (20,))
    with pytest.raises(QuantizationError, match="one scale, found 6 bits, 3 scales"):
        steps_of(Gelu(), x, x)


def steps_of(op: Elementwise, x: Quantization, y: Quantization) -> list[Table | RequantizeTensor]:
    nodes = [FloatNode("x", Input((1, 1, 3)), ()), FloatNode("f", op, ("x",))]
    lowering = Lowering(FloatGraph(nodes, "f"), {"x": x, "f": y}, {})
    return list(lowering.steps(nodes[1], QuantConfig()).values())  # type: ignore[arg-type]
