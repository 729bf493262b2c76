"""Functions of single elements: their values, and every way in which a model can write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from hyq_hls.capture import UnsupportedModelError, capture
from hyq_hls.capture import elementwise as ew
from tests.capture.nets import Forward, Net

Function = Callable[[torch.Tensor], torch.Tensor]

# For each class: an instance, and the ways to write it. ``pytest`` fails on a class without a row.
WRITTEN: dict[type[ew.Elementwise], list[tuple[ew.Elementwise, list[Function]]]] = {
    ew.Silu: [
        (
            ew.Silu(),
            [
                nn.SiLU(),
                nn.SiLU(inplace=True),
                lambda x: x * torch.sigmoid(x),
                lambda x: x.sigmoid() * x,
                lambda x: x.sigmoid().mul_(x),
                lambda x: x.mul_(x.sigmoid()),
                lambda x: x / (1 + torch.exp(-x)),
            ],
        )
    ],
    ew.Gelu: [
        (
            ew.Gelu(),
            [
                nn.GELU(),
                lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
                lambda x: x * 0.5 * (1.0 + torch.erf(x * math.sqrt(0.5))),
            ],
        ),
        (
            ew.Gelu("tanh"),
            [
                nn.GELU(approximate="tanh"),
                lambda x: 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3))),
                lambda x: 0.5 * x * (1 + torch.tanh(0.7978845608 * x * (1 + 0.044715 * x * x))),
            ],
        ),
    ],
    ew.QuickGelu: [
        (
            ew.QuickGelu(),
            [lambda x: x * torch.sigmoid(1.702 * x), lambda x: torch.sigmoid(x * 1.702) * x],
        )
    ],
    ew.Relu: [
        (
            ew.Relu(),
            [
                nn.ReLU(),
                nn.ReLU(inplace=True),
                lambda x: x.clamp(min=0),
                lambda x: x.clamp_(min=0),
                lambda x: functional.threshold(x, 0, 0),
            ],
        )
    ],
    ew.SquaredRelu: [
        (
            ew.SquaredRelu(),
            [
                lambda x: x.relu() ** 2,
                lambda x: functional.relu(x).square(),
                lambda x: x * x.clamp(min=0),
            ],
        )
    ],
    ew.Relu6: [
        (
            ew.Relu6(),
            [
                nn.ReLU6(),
                nn.ReLU6(inplace=True),
                nn.Hardtanh(0, 6),
                functional.relu6,
                lambda x: x.clamp(0, 6),
                lambda x: x.relu().clamp(max=6),
            ],
        )
    ],
    ew.Sigmoid: [
        (
            ew.Sigmoid(),
            [nn.Sigmoid(), torch.sigmoid_, lambda x: 1 / (1 + torch.exp(-x))],
        )
    ],
    ew.Tanh: [
        (ew.Tanh(), [nn.Tanh(), torch.tanh_, lambda x: 2 * torch.sigmoid(2 * x) - 1]),
    ],
    ew.Hardsigmoid: [
        (
            ew.Hardsigmoid(),
            [
                nn.Hardsigmoid(),
                nn.Hardsigmoid(inplace=True),
                lambda x: functional.relu6(x + 3) / 6,
                lambda x: (x / 6 + 0.5).clamp(0, 1),
            ],
        )
    ],
    ew.Clamp: [
        (ew.Clamp(-1.0, 0.5), [nn.Hardtanh(-1, 0.5), lambda x: x.clamp(-1, 0.5)]),
        (ew.Clamp(-0.25, math.inf), [lambda x: x.clamp(min=-0.25), lambda x: x.clamp_min(-0.25)]),
        (ew.Clamp(-math.inf, 0.25), [lambda x: torch.clamp_max(x, 0.25)]),
    ],
    ew.Power: [
        (ew.Power(3.0), [lambda x: x.pow(3), lambda x: x**3.0, lambda x: torch.pow(x, 3)]),
        (ew.Power(2.0), [torch.square, lambda x: x**2]),
    ],
    ew.InversePower: [
        (
            ew.InversePower(1.0, 0.25),
            [lambda x: 1 / x.clamp(min=0.25), lambda x: x.clamp(min=0.25).reciprocal()],
        ),
        (
            ew.InversePower(0.5, 0.25),
            [lambda x: x.clamp_min(0.25).rsqrt(), lambda x: x.clamp(min=0.25) ** -0.5],
        ),
    ],
    ew.Hardswish: [
        (
            ew.Hardswish(),
            [
                nn.Hardswish(),
                nn.Hardswish(inplace=True),
                lambda x: x * functional.relu6(x + 3) / 6,
                lambda x: x * (functional.relu6(x + 3, inplace=True) / 6),
                lambda x: x.mul_(functional.relu6(x + 3.0).div_(6.0)),
                lambda x: x * functional.hardsigmoid(x),
            ],
        )
    ],
    ew.LeakyRelu: [
        (ew.LeakyRelu(), [nn.LeakyReLU(), lambda x: torch.maximum(x, 0.01 * x)]),
        (ew.LeakyRelu(0.2), [nn.LeakyReLU(0.2), nn.LeakyReLU(0.2, inplace=True)]),
    ],
    ew.Elu: [
        (ew.Elu(), [nn.ELU(), lambda x: x.relu() + (x.clamp(max=0).exp() - 1)]),
        (ew.Elu(0.3), [nn.ELU(0.3), nn.ELU(0.3, inplace=True)]),
    ],
    ew.Selu: [(ew.Selu(), [nn.SELU(), nn.SELU(inplace=True)])],
    ew.Celu: [
        (ew.Celu(0.3), [nn.CELU(0.3), nn.CELU(0.3, inplace=True)]),
    ],
    ew.Softplus: [
        (ew.Softplus(), [nn.Softplus()]),
        (ew.Softplus(2.0, 5.0), [nn.Softplus(2.0, 5.0)]),
    ],
    ew.Mish: [
        (
            ew.Mish(),
            [nn.Mish(), nn.Mish(inplace=True), lambda x: x * torch.tanh(functional.softplus(x))],
        )
    ],
}

CASES = [
    pytest.param(op, function, id=f"{op!r}-{place}")
    for rows in WRITTEN.values()
    for op, functions in rows
    for place, function in enumerate(functions)
]


def test_every_function_has_a_row() -> None:
    assert set(WRITTEN) == set(ew.FUNCTIONS)
    for kind, rows in WRITTEN.items():
        assert all(type(op) is kind and functions for op, functions in rows)


@pytest.mark.slow
@pytest.mark.parametrize(("op", "function"), CASES)
@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.floats(-40, 40), min_size=1, max_size=8))
def test_values_are_those_of_pytorch(
    op: ew.Elementwise, function: Function, values: list[float]
) -> None:
    x = torch.tensor([values], dtype=torch.float64)
    wanted = function(x.clone())
    torch.testing.assert_close(op.forward(x), wanted, rtol=1e-9, atol=1e-9)
    assert op.output_shape((len(values),)) == (len(values),)
    assert op.forward(x.float()).dtype == torch.float32


@pytest.mark.slow
@pytest.mark.parametrize(("op", "function"), CASES)
def test_every_way_to_write_it_is_captured(op: ew.Elementwise, function: Function) -> None:
    act = function if isinstance(function, nn.Module) else nn.Identity()

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        result: torch.Tensor = m.act(y) if isinstance(function, nn.Module) else function(y)
        return result

    torch.manual_seed(0)
    graph, report = capture(Net(forward, conv=nn.Conv2d(3, 4, 3), act=act), (3, 6, 6))
    found = [node.op for node in graph][1:]
    assert [node.kind for node in found] == ["Conv2d", op.kind]
    assert repr(found[1]) == repr(op)
    assert report.relative_error is not None
    assert report.relative_error < 1e-10


@pytest.mark.parametrize("kind", [kind for kind in ew.FUNCTIONS if kind.aten])
def test_default_values_are_those_of_pytorch(kind: type[ew.Elementwise]) -> None:
    x = torch.linspace(-9, 9, 181, dtype=torch.float64)
    wanted = getattr(torch.ops.aten, str(kind.aten))(x)
    torch.testing.assert_close(kind().forward(x), wanted, rtol=1e-12, atol=1e-12)


def test_star_relu_is_a_squared_relu_with_a_factor_and_a_summand() -> None:
    """CAFormer's function; both numbers are learned."""
    net = Net(lambda m, x: 0.9 * m.conv(x).relu() ** 2 - 0.4, conv=nn.Conv2d(3, 4, 3))
    graph, _ = capture(net, (3, 6, 6))
    assert [node.op.kind for node in graph] == ["Input", "Conv2d", "SquaredRelu", "ChannelAffine"]


def test_a_module_with_a_written_function_names_its_node() -> None:
    class Swish(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * torch.sigmoid(x)

    net = Net(lambda m, x: m.act(m.conv(x)), conv=nn.Conv2d(3, 4, 3), act=Swish())
    graph, _ = capture(net, (3, 6, 6))
    assert [node.name for node in graph] == ["input", "conv", "act"]


def test_parts_are_reported() -> None:
    _, report = capture(Net(lambda m, x: x * functional.relu6(x + 3) / 6), (3, 4, 4))
    assert report["add"].outcome == "part of the Hardswish div"
    assert report["div"].outcome == "became hardswish (Hardswish)"


def test_a_part_that_others_read_stays_a_function_of_its_own() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        gate = torch.tanh(functional.softplus(m.conv(x)))
        return gate + functional.silu(gate)

    graph, _ = capture(Net(forward, conv=nn.Conv2d(3, 4, 3)), (3, 6, 6))
    kinds = [node.op.kind for node in graph]
    assert kinds == ["Input", "Conv2d", "Softplus", "Tanh", "Silu", "Add"]


def test_a_change_in_place_between_the_parts() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        gate = y.sigmoid()
        y.relu_()
        result: torch.Tensor = y * gate
        return result

    graph, _ = capture(Net(forward, conv=nn.Conv2d(3, 4, 3)), (3, 6, 6))
    kinds = [node.op.kind for node in graph]
    assert kinds == ["Input", "Conv2d", "Sigmoid", "Relu", "Multiply"]


@pytest.mark.parametrize(
    ("forward", "found"),
    [
        (lambda m, x: x.clamp(torch.zeros(4), torch.ones(4)), "bounds are tensors"),
        (lambda m, x: torch.ops.aten.elu(x, 1.0, 2.0), "activation elu with scale = 2.0"),
        (lambda m, x: functional.logsigmoid(x), "activation log_sigmoid"),
    ],
)
def test_functions_that_are_not_known(forward: Forward, found: str) -> None:
    with pytest.raises(UnsupportedModelError, match=found) as caught:
        capture(Net(forward), (3, 4, 4))
    assert all(entry.advice for entry in caught.value.report.unsupported)
