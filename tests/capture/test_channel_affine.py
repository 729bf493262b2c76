"""Constants per channel and per position: what they compute, and the shapes that they take."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.errors import ShapeError

SHAPES = [(5, 3, 4), (2, 6, 4), (4,)]


@pytest.mark.parametrize("shape", SHAPES)
def test_channel_affine_is_a_batch_norm_in_evaluation(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    norm = torch.nn.BatchNorm1d(4).double().eval()
    with torch.no_grad():
        for parameter in (norm.weight, norm.bias, norm.running_mean):
            assert parameter is not None
            parameter.copy_(torch.from_numpy(rng.normal(size=4)))
    assert norm.running_mean is not None
    multiplier = norm.weight / np.sqrt(1 + norm.eps)
    offset = norm.bias - norm.running_mean * multiplier
    op = ChannelAffine(multiplier.detach().numpy(), offset.detach().numpy())
    x = torch.from_numpy(rng.normal(size=(2, *shape)))
    wanted = norm(x.reshape(-1, 4)).reshape(x.shape)
    torch.testing.assert_close(op.forward(x), wanted, rtol=1e-12, atol=1e-12)
    assert op.output_shape(shape) == shape
    assert op.forward(x.float()).dtype == torch.float32


@pytest.mark.parametrize("shape", SHAPES)
def test_position_constant(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    constant, x = rng.normal(size=shape), rng.normal(size=(2, *shape))
    op = PositionConstant(constant)
    assert np.array_equal(op.forward(torch.from_numpy(x)).numpy(), x + constant)
    assert op.output_shape(shape) == shape
    assert op.forward(torch.from_numpy(x).float()).dtype == torch.float32


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="multiplier and offset differ in shape"):
        ChannelAffine(np.ones(3), np.ones(4))
    with pytest.raises(ShapeError, match=r"multiplier needs 1 axes, found shape \(3, 1\)"):
        ChannelAffine(np.ones((3, 1)), np.ones(3))
    with pytest.raises(ShapeError, match=r"takes \(\.\.\., 3\), found \(2, 2, 4\)"):
        ChannelAffine(np.ones(3), np.ones(3)).output_shape((2, 2, 4))
    with pytest.raises(ShapeError, match=r"takes \(2, 5, 3\), found \(1, 5, 3\)"):
        PositionConstant(np.ones((2, 5, 3))).output_shape((1, 5, 3))
