"""Outlier channels: the same function to the bit, harder for one scale, undone by powers of two."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyq_hls import quantize
from hyq_hls.errors import InputError
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.models.outliers import with_outliers
from tests.quant.networks import lean

IMAGES, LABELS = digits.test()
ABSORBED = lean(activation_granularity="absorbed")


@pytest.mark.parametrize("factor", [16, 64])
def test_the_function_is_the_same_to_the_bit(factor: int) -> None:
    model = mobilevit_digits()
    changed = with_outliers(model, factor, seed=factor)
    images = torch.from_numpy(IMAGES[:32]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        assert torch.equal(changed(images), model(images))
    different = [
        name
        for (name, a), (_, b) in zip(
            model.named_parameters(), changed.named_parameters(), strict=True
        )
        if not torch.equal(a, b)
    ]
    assert any(".conv3_1x1.bn.weight" in name for name in different)
    assert any(".conv_fusion.conv.weight" in name for name in different)
    assert any(".attn.qkv.weight" in name for name in different)


@pytest.mark.slow
def test_powers_of_two_per_channel_undo_them_and_one_scale_does_not() -> None:
    model, images = mobilevit_digits(), digits.calibration(64)
    changed = with_outliers(model, 64)
    plain, outliers = (quantize(m, images, ABSORBED, progress=False) for m in (model, changed))
    codes = plain.codes(IMAGES)
    assert np.array_equal(outliers.codes(IMAGES), codes)
    one_scale = quantize(changed, images, lean(observer="minmax"), progress=False)
    wrong = (one_scale.codes(IMAGES).argmax(axis=1) != LABELS).mean()
    assert wrong > 5 * (codes.argmax(axis=1) != LABELS).mean() + 0.05


def test_no_power_of_two() -> None:
    with pytest.raises(InputError, match="factor 10: a power of two is wanted"):
        with_outliers(mobilevit_digits(), 10)
