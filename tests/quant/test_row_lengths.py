"""Attention has no gain, however many keys a row has; published codes of powers of two have one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from hyq_hls import QuantConfig, quantize
from hyq_hls.quant import presets
from hyq_hls.quant.calibrate import to_float
from hyq_hls.verify import sqnr_db
from tests.capture.hybrids import Hybrid, settle


@cache
def near_uniform() -> Hybrid:
    """A hybrid whose attention looks at all tokens about alike."""
    model = settle(Hybrid(channels=4, dim=8, heads=2, depth=1, patch=(1, 1)), 5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "qkv" in name:
                parameter[:16] *= 0.1  # queries and keys
    return model


def weighted_values(side: int, config: QuantConfig) -> tuple[np.ndarray, np.ndarray]:
    """Weighted values of ``side**2`` keys, in float and in integers."""
    images = np.random.default_rng(0).integers(0, 256, (8, 2 * side, 2 * side, 3), dtype=np.uint8)
    qmodel = quantize(near_uniform(), images, config, progress=False)
    nodes = {n.operation.name: n for n in qmodel.graph.nodes.values()}
    values = nodes["attention_values"]
    codes = dict(qmodel.emulator.trace(images[:4]))[values.name]
    assert qmodel.float_graph is not None
    found = values.type.quantization.dequantize(codes)
    with torch.no_grad():
        wanted = qmodel.float_graph.run(to_float(images[:4]))[values.name].double().numpy()
    assert qmodel.graph.type(values.inputs[0]).shape[-1] == side**2
    return wanted, found


def gain(wanted: np.ndarray, found: np.ndarray) -> float:
    """Factor that explains most of the result."""
    return float((wanted * found).sum() / (wanted**2).sum())


@pytest.mark.slow
@pytest.mark.parametrize("side", [5, 7, 10, 14])
def test_any_number_of_keys_is_as_good_as_64(side: int) -> None:
    wanted, found = weighted_values(side, QuantConfig())
    assert abs(gain(wanted, found) - 1) < 0.01
    assert sqnr_db(wanted, found) > sqnr_db(*weighted_values(8, QuantConfig())) - 2


@pytest.mark.slow
@pytest.mark.parametrize("side", [5, 7, 10, 14])
def test_the_best_recipe_has_no_gain_either(side: int) -> None:
    lean = replace(
        presets.best(), methods=()
    )  # the softmax of the recipe, and nothing that takes long
    assert abs(gain(*weighted_values(side, lean)) - 1) < 0.01


@pytest.mark.slow
def test_the_published_codes_have_the_gain_that_is_documented() -> None:
    published = presets.fq_vit()
    config = QuantConfig(softmax=published.softmax, exponential="table")
    found = {side: gain(*weighted_values(side, config)) for side in (7, 8)}
    assert abs(found[7] - 49 / 64) < 0.03
    assert abs(found[8] - 1) < 0.03


@pytest.mark.parametrize(
    ("keys", "bits"),
    [(1, 8), (16, 8), (25, 10), (49, 10), (64, 10), (100, 12), (196, 12), (256, 12), (5000, 16)],
)
def test_bits_follow_the_row(keys: int, bits: int) -> None:
    assert QuantConfig().probability_bits(keys) == bits
    assert presets.best().probability_bits(keys) == bits
    assert QuantConfig(softmax_bits=8).probability_bits(keys) == 8
    assert presets.hyq().probability_bits(keys) == presets.fq_vit().probability_bits(keys) == 4
