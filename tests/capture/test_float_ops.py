"""Every float operation against PyTorch in its own layout, and its shape rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from hyq_hls.capture import elementwise, float_ops
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.errors import ShapeError


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _check(op: FloatOp, wanted: torch.Tensor, *inputs: torch.Tensor) -> None:
    found = op.forward(*inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    assert op.output_shape(*(tuple(x.shape[1:]) for x in inputs)) == tuple(found.shape[1:])
    assert op.forward(*(x.float() for x in inputs)).dtype == torch.float32


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
def test_conv2d(groups: int, stride: tuple[int, int], padding: tuple[int, int]) -> None:
    x, bias = _random(2, 7, 6, 4), _random(4, seed=1)
    weight = _random(4, 3, 5, 4 // groups, seed=2)
    op = float_ops.Conv2d(weight.numpy(), bias.numpy(), stride, padding, groups)
    wanted = functional.conv2d(
        x.permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2), bias, stride, padding, groups=groups
    )
    _check(op, wanted.permute(0, 2, 3, 1), x)
    assert op.in_channels == 4


@pytest.mark.parametrize("lead", [(), (3,), (3, 5)])
def test_linear(lead: tuple[int, ...]) -> None:
    x, weight, bias = _random(2, *lead, 4), _random(6, 4, seed=1), _random(6, seed=2)
    _check(float_ops.Linear(weight.numpy(), bias.numpy()), functional.linear(x, weight, bias), x)


def test_functions_of_elements() -> None:
    x = _random(2, 3, 4, 5)
    _check(elementwise.Silu(), functional.silu(x), x)
    _check(elementwise.Relu(), functional.relu(x), x)
    _check(elementwise.Gelu(), functional.gelu(x), x)
    _check(elementwise.Gelu("tanh"), functional.gelu(x, approximate="tanh"), x)
    _check(float_ops.Softmax(), x.softmax(-1), x)


def test_sums_and_concatenation() -> None:
    a, b, c = _random(2, 3, 4, 5), _random(2, 3, 4, 5, seed=1), _random(2, 3, 4, 1, seed=2)
    _check(float_ops.Add(), a + b, a, b)
    _check(float_ops.Concat(), torch.cat((a, b, c), -1), a, b, c)


def test_layer_norm_and_pool() -> None:
    x, weight, bias = _random(2, 3, 4, 5), _random(5, seed=1), _random(5, seed=2)
    op = float_ops.LayerNorm(weight.numpy(), bias.numpy(), 1e-2)
    _check(op, functional.layer_norm(x, (5,), weight, bias, 1e-2), x)
    _check(float_ops.GlobalAveragePool(), x.mean((1, 2)), x)


@pytest.mark.parametrize("keys", [5, 7])
def test_attention(keys: int) -> None:
    q, k, v = _random(2, 3, 5, 8), _random(2, 3, keys, 8, seed=1), _random(2, 3, keys, 8, seed=2)
    scores = float_ops.AttentionScores(4, 0.3).forward(q, k)
    # [p, query, head, key]
    wanted = torch.einsum("bpqhd,bpkhd->bpqhk", q.unflatten(-1, (4, 2)), k.unflatten(-1, (4, 2)))
    _check(float_ops.AttentionScores(4, 0.3), 0.3 * wanted, q, k)
    out = torch.einsum("bpqhk,bpkhd->bpqhd", scores, v.unflatten(-1, (4, 2))).flatten(-2)
    _check(float_ops.AttentionValues(4), out, scores, v)


def test_unfold_orders_pixels_as_documented() -> None:
    ph, pw, height, width = 2, 3, 4, 9
    x = _random(2, height, width, 5)
    op = float_ops.Unfold((ph, pw))
    tokens = op.forward(x)
    assert tuple(tokens.shape[1:]) == op.output_shape((height, width, 5)) == (6, 6, 5)
    nw = width // pw
    for a, b, i, j in [(0, 0, 0, 0), (1, 2, 1, 0), (0, 1, 1, 2), (1, 0, 0, 1)]:
        assert torch.equal(tokens[:, a * pw + b, i * nw + j], x[:, i * ph + a, j * pw + b])
    _check(float_ops.Fold((ph, pw), height, width), x, tokens)


def test_parameters_are_exact_float64_and_read_only() -> None:
    weight = np.full((2, 3), 0.1, np.float32)
    op = float_ops.Linear(weight, np.zeros(2))  # type: ignore[arg-type]
    assert op.weight.dtype == np.float64
    assert np.array_equal(op.weight.astype(np.float32), weight)
    with pytest.raises(ValueError, match="read-only"):
        op.weight[0, 0] = 1.0
    weight[:] = 7  # the operation holds its own copy
    assert op.weight[0, 0] != 7
    other = dataclasses.replace(op, bias=np.ones(2))
    assert other.bias[0] == 1.0
    assert repr(other) == "Linear(weight=2x3, bias=2)"


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (float_ops.Linear(np.ones((2, 3)), np.ones(2)), [(4, 4)]),
        (float_ops.Conv2d(np.ones((2, 3, 3, 3)), np.ones(2)), [(4, 4, 2)]),
        (float_ops.Conv2d(np.ones((2, 3, 3, 3)), np.ones(2)), [(2, 2, 3)]),
        (float_ops.Add(), [(1, 2, 3), (1, 1, 3)]),
        (float_ops.Concat(), [(1, 2, 3)]),
        (float_ops.Concat(), [(1, 2, 3), (2, 2, 3)]),
        (float_ops.LayerNorm(np.ones(3), np.ones(3), 1e-5), [(2, 4)]),
        (float_ops.AttentionScores(3, 1.0), [(1, 2, 4), (1, 2, 4)]),
        (float_ops.AttentionValues(2), [(1, 2, 2, 3), (1, 2, 4)]),
        (float_ops.Unfold((2, 2)), [(4, 5, 1)]),
        (float_ops.Fold((2, 2), 4, 4), [(4, 3, 1)]),
        (float_ops.GlobalAveragePool(), [(4,)]),
        (elementwise.Silu(), [(4,), (4,)]),
        (float_ops.Input((1, 2, 3)), [(1, 2, 3)]),
    ],
)
def test_shapes_that_do_not_fit(op: FloatOp, shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ShapeError, match=f"{op.kind} takes .*, found "):
        op.output_shape(*shapes)


def test_parameters_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="weight needs 2 axes"):
        float_ops.Linear(np.ones(3), np.ones(3))
    with pytest.raises(ShapeError, match="bias must be"):
        float_ops.Linear(np.ones((3, 2)), np.ones(2))
    with pytest.raises(ShapeError, match="groups must divide"):
        float_ops.Conv2d(np.ones((3, 1, 1, 1)), np.ones(3), groups=2)
    with pytest.raises(ShapeError, match="differ in shape"):
        float_ops.LayerNorm(np.ones(3), np.ones(2), 1e-5)
