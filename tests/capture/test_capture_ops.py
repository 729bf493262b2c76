"""Single patterns: each small module is captured, compared, and its graph looked at."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import capture
from hyq_hls.capture.float_ops import Conv2d
from tests.capture.hybrids import settle
from tests.capture.nets import Forward, Net, captured, kinds


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv2d(3, 4, 3), "Conv2d"),
        (nn.Conv2d(3, 4, (1, 3), (2, 1), (0, 1), bias=False), "Conv2d"),
        (nn.Conv2d(3, 4, 3, padding="same"), "Conv2d"),
        (nn.Conv2d(3, 4, 3, padding="same", dilation=2), "Conv2d"),
        (nn.Conv2d(3, 4, (1, 2), padding="same", dilation=(5, 2)), "Conv2d"),
        (nn.Conv2d(3, 6, 2, 2, 1, dilation=(2, 3), groups=3), "Conv2d"),
        (nn.Conv2d(3, 4, 3, padding="valid"), "Conv2d"),
        (nn.Conv2d(3, 3, 3, groups=3, padding=1), "Conv2d"),
        (nn.Conv2d(3, 3, 1, groups=3), "Conv2d"),
        (nn.Conv2d(3, 6, 3, groups=3), "Conv2d"),
        (nn.Conv2d(3, 4, 1, stride=2), "Conv2d"),
        (nn.Conv2d(3, 4, 1), "Linear"),
    ],
)
@pytest.mark.parametrize("norm", [False, True])
def test_convolutions(layer: nn.Conv2d, kind: str, norm: bool) -> None:
    bn = nn.BatchNorm2d(layer.out_channels, eps=0.1) if norm else nn.Identity()
    graph = captured(lambda m, x: m.bn(m.conv(x)), conv=layer, bn=bn)
    assert kinds(graph) == {"conv": kind}


def test_groups_of_several_channels() -> None:
    """Their normalization is absorbed from both sides."""
    graph = captured(
        lambda m, x: m.conv(m.bn(m.stem(x))),
        stem=nn.Conv2d(3, 4, 1),
        bn=nn.BatchNorm2d(4),
        conv=nn.Conv2d(4, 6, 3, groups=2),
    )
    assert kinds(graph) == {"stem": "Linear", "conv": "Conv2d"}


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.conv(functional.pad(x, (4, 4, 2, 2))),
        lambda m, x: m.conv(functional.pad(x, (3, 4, 2, 1))),
        lambda m, x: m.conv(functional.conv2d(x, m.copy.weight, None, 1, 2, (3, 2), 3)),
        lambda m, x: m.of_patches(functional.pixel_unshuffle(m.stem(x), 2)),
        lambda m, x: m.along(m.stem(x).flatten(2)),
    ],
)
def test_dilation_behind_borders_and_patches(forward: Forward) -> None:
    """Zeros stand between the weights where the layer grows by less than its steps."""
    copy = nn.Module()
    copy.register_buffer("weight", torch.tensor([[0.0, 0.0], [1.0, 0.0]]).expand(3, 1, 2, 2))
    captured(
        forward,
        (3, 8, 8),
        copy=copy,
        stem=nn.Conv2d(3, 2, 1),
        conv=nn.Conv2d(3, 4, (2, 3), dilation=(3, 2)),
        of_patches=nn.Conv2d(8, 4, 2, padding=1, dilation=(1, 2)),
        along=nn.Conv1d(2, 4, 3, padding=5, dilation=7),
    )


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (
            nn.Conv2d(4, 4, (1, 5), padding=(0, 2), groups=4),
            None,
        ),  # factors of channels: the stem takes them
        (nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2, bias=False), "Linear"),
        (nn.Conv2d(4, 2, 3, padding=2), "Linear"),  # nine positions, each of its own weights
    ],
)
def test_a_convolution_of_a_vector(layer: nn.Conv2d, kind: str | None) -> None:
    """GhostNet V2 convolves a mean of the map; the border is all that the other weights see."""
    forward = lambda m, x: m.conv(m.stem(x).mean((2, 3), keepdim=True))  # noqa: E731
    graph = captured(forward, stem=nn.Conv2d(3, 4, 1), conv=layer)
    assert kinds(graph).get("conv") == kind


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_a_resized_vector_is_the_same_everywhere(mode: str) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.stem(x)
        gate = y.mean((2, 3), keepdim=True).sigmoid()
        result: torch.Tensor = y * functional.interpolate(gate, size=y.shape[2:], mode=mode)
        return result

    graph = captured(forward, stem=nn.Conv2d(3, 4, 1))
    assert list(kinds(graph).values())[-1] == "Multiply"


def test_a_stride_that_leaves_the_map_ends_with_it() -> None:
    graph = captured(lambda m, x: m.conv(x), conv=nn.Conv2d(3, 4, 1, stride=(9, 2)))
    (conv,) = (node.op for node in graph if isinstance(node.op, Conv2d))
    assert conv.stride == (4, 2)


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_after_linear(affine: bool) -> None:
    graph = captured(
        lambda m, x: m.bn(m.fc(x.mean((2, 3)))),
        fc=nn.Linear(3, 4),
        bn=nn.BatchNorm1d(4, affine=affine),
    )
    assert kinds(graph) == {"pool": "GlobalAveragePool", "fc": "Linear"}


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (nn.SiLU(), "Silu"),
        (nn.SiLU(inplace=True), "Silu"),
        (nn.ReLU(), "Relu"),
        (nn.ReLU(inplace=True), "Relu"),
        (nn.GELU(), "Gelu"),
        (nn.GELU(approximate="tanh"), "Gelu"),
    ],
)
def test_activations(act: nn.Module, kind: str) -> None:
    graph = captured(lambda m, x: m.act(m.conv(x)), conv=nn.Conv2d(3, 4, 3), act=act)
    assert kinds(graph) == {"conv": "Conv2d", "act": kind}


@pytest.mark.parametrize(
    "swish",
    [
        lambda m, x: functional.silu(x),
        lambda m, x: x * torch.sigmoid(x),
        lambda m, x: x.sigmoid() * x,
    ],
)
def test_functional_activations_are_named_by_kind(swish: Forward) -> None:
    assert kinds(captured(swish)) == {"silu": "Silu"}


def test_in_place_changes_reach_all_views_of_the_memory() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        flat = y.flatten(2)  # a view
        copy = y.clone()
        y.relu_()
        y += copy
        result: torch.Tensor = flat.unflatten(2, y.shape[2:]) + copy
        return result

    graph = captured(forward, conv=nn.Conv2d(3, 4, 3, padding=1))
    assert list(kinds(graph).values()) == ["Conv2d", "Relu", "Add", "Add"]
    assert graph["add"].inputs == ("relu", "conv")
    assert graph["add_1"].inputs == ("add", "conv")


def test_in_place_gate() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        result: torch.Tensor = y.mul_(y.sigmoid())
        return result

    assert kinds(captured(forward, conv=nn.Conv2d(3, 4, 3))) == {"conv": "Conv2d", "silu": "Silu"}


def test_layer_norm_over_channels_of_a_map() -> None:
    graph = captured(
        lambda m, x: m.conv(m.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)),
        norm=nn.LayerNorm(3, eps=0.1),
        conv=nn.Conv2d(3, 4, 3),
    )
    assert kinds(graph) == {"norm": "LayerNorm", "conv": "Conv2d"}
    plain = captured(lambda m, x: functional.layer_norm(x.movedim(1, -1), (3,)))
    assert kinds(plain) == {"norm": "LayerNorm"}


def test_part_of_the_channels() -> None:
    def split(m: Any, x: torch.Tensor) -> torch.Tensor:
        a, b = m.conv(x).split((1, 3), dim=1)
        return torch.cat((functional.silu(b), m.next(a)), dim=1)

    graph = captured(split, conv=nn.Conv2d(3, 4, 3), next=nn.Conv2d(1, 2, 1))
    assert {"conv.part0", "conv.part1", "silu", "next", "concat"} <= set(kinds(graph))
    assert "conv" not in graph


def test_channel_shuffle_is_absorbed_by_the_next_weights() -> None:
    def shuffle(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(m.conv(x))
        y = y.unflatten(1, (2, 3)).transpose(1, 2).flatten(1, 2)
        result: torch.Tensor = m.next(y)
        return result

    graph = captured(shuffle, conv=nn.Conv2d(3, 6, 3), next=nn.Conv2d(6, 2, 1))
    assert kinds(graph) == {"conv": "Conv2d", "relu": "Relu", "next": "Linear"}


def test_the_layer_before_absorbs_constants() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 4)
            self.gamma = nn.Parameter(torch.ones(4))
            self.beta = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.fc(x.permute(0, 2, 3, 1)) * self.gamma + self.beta
            result: torch.Tensor = (0 + y).permute(0, 3, 1, 2)
            return result

    graph, report = capture(settle(Scaled()), (3, 4, 4))
    assert kinds(graph) == {"fc": "Linear"}
    assert report["mul"].outcome == "absorbed by fc"


def test_weights_computed_from_parameters() -> None:
    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    graph, report = capture(Net(lambda m, x: m.conv(x), conv=conv), (3, 4, 4))
    assert [node.op.kind for node in graph] == ["Input", "Conv2d"]
    assert any(entry.status == "constant" for entry in report.nodes)


def test_a_module_called_twice_has_twokinds() -> None:
    graph = captured(
        lambda m, x: m.act(m.conv(m.act(m.conv(x)))), conv=nn.Conv2d(3, 3, 1), act=nn.SiLU()
    )
    assert len(kinds(graph)) == 4
    assert graph[graph.output].name.startswith("act")


def test_nodes_without_effect_are_dropped() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.unused(x)
        m.pool(x)  # It would be refused.
        result: torch.Tensor = m.conv(m.drop(x)).to(torch.float32)
        return result

    unused, pool = nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)
    model = Net(forward, conv=nn.Conv2d(3, 4, 3), unused=unused, pool=pool, drop=nn.Dropout2d())
    graph, report = capture(model, (3, 4, 4))
    assert kinds(graph) == {"conv": "Conv2d"}
    assert report["conv2d"].outcome == "dropped: the output does not depend on it"
    assert report["max_pool2d"].status == "dropped"
    outcomes = {entry.outcome for entry in report.nodes}
    assert "dropped: dropout in eval" in outcomes


def test_maps_and_tokens_as_output() -> None:
    graph = captured(lambda m, x: m.fc(x.flatten(2).transpose(1, 2)), fc=nn.Linear(3, 4))
    assert kinds(graph) == {"unfold": "Unfold", "fc": "Linear"}
    assert graph.shape("fc") == (1, 24, 4)
    graph = captured(
        lambda m, x: m.fc(x.flatten(2).mT).mT.unflatten(-1, x.shape[2:]), fc=nn.Linear(3, 4)
    )
    assert list(kinds(graph)) == ["unfold", "fc"]  # The order of an output costs no node.


def test_a_dead_reader_stops_no_normalization() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        m.act(y)
        result: torch.Tensor = m.norm(y)
        return result

    graph = captured(forward, conv=nn.Conv2d(3, 4, 3), act=nn.Hardtanh(), norm=nn.BatchNorm2d(4))
    assert kinds(graph) == {"conv": "Conv2d"}


def test_an_operation_in_place_whose_result_nobody_names_is_alive() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        y.flatten(2).relu_()
        y.clone().neg_()  # This one changes a memory that nobody reads.
        result: torch.Tensor = m.conv_1(y)
        return result

    graph = captured(forward, conv=nn.Conv2d(3, 4, 3), conv_1=nn.Conv2d(4, 2, 1))
    assert list(kinds(graph).values()) == ["Conv2d", "Relu", "Linear"]
