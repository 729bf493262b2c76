"""Mobile-Former: published sizes, public names, what its description refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.reduced.mobile_former import small_config
from hyq_hls.errors import InputError, ShapeError
from hyq_hls.models import MobileFormer, MobileFormerBlockConfig, MobileFormerConfig, public
from hyq_hls.models.mobile_former import DynamicReLU
from hyq_hls.models.public import load_weight_file, public_model
from hyq_hls.quant.expected_input import expected_normalization

#: Multiply-adds and parameters in millions, table 1 of the paper.
PUBLISHED = {26: 3.2, 52: 3.5, 96: 4.6, 151: 7.6, 214: 9.4, 294: 11.4, 508: 14.0}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "parameters"), PUBLISHED.items())
def test_sizes_are_the_published_ones(size: int, parameters: float) -> None:
    """Multiply-adds are those of layers and attention, and the products of dynamic ReLUs.

    The paper counts small things besides, at most 3 % of the smallest network.
    """
    with torch.device("meta"):
        model, image = public.PUBLIC[f"mobile_former_{size}m"]().eval(), torch.empty(1, 3, 224, 224)
    slopes = []

    def count(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        slopes.append(2 * output.numel())

    for module in model.modules():
        if isinstance(module, DynamicReLU):
            module.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter:
        assert model(image).shape == (1, 1000)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == parameters
    work = counter.get_total_flops() / 2e6 + sum(slopes) / 1e6
    assert 0.965 * size < work <= size


def test_names_and_shapes_are_the_public_ones() -> None:
    with torch.device("meta"):
        model = public.PUBLIC["mobile_former_294m"]()
    found = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    expected = {
        "tokens.weight": (6, 192),
        "stem.0.weight": (16, 3, 3, 3),
        "stem.1.running_mean": (16,),
        "features.0.conv.0.weight": (32, 1, 3, 3),
        "features.0.conv.4.weight": (16, 32, 1, 1),
        "features.0.conv.5.num_batches_tracked": (),
        "features.1.conv1.0.weight": (96, 1, 3, 3),
        "features.1.hyper1.hyper.0.weight": (48, 192),
        "features.1.hyper1.hyper.2.bias": (192,),
        "features.1.conv2.1.weight": (24,),
        "features.1.conv3.0.weight": (96, 1, 3, 3),
        "features.1.hyper3.hyper.2.weight": (192, 48),
        "features.1.conv4.0.weight": (24, 96, 1, 1),
        "features.2.conv1.0.weight": (96, 24, 1, 1),
        "features.2.hyper2.hyper.2.weight": (192, 48),
        "features.2.conv3.1.running_var": (24,),
        "features.11.local_global.alpha.0.weight": (192, 192),
        "features.11.local_global.q.weight": (192, 192),
        "features.11.local_global.proj.bias": (192,),
        "features.11.local_global.layer_norm.weight": (192,),
        "features.11.global_block.ffn.0.weight": (384, 192),
        "features.11.global_block.ffn.2.weight": (192, 384),
        "features.11.global_block.ffn_norm.bias": (192,),
        "features.11.global_block.channel_mlp.weight": (192, 192),
        "features.11.global_local.k.weight": (192, 192),
        "features.11.global_local.proj.weight": (192, 192),
        "local_global.alpha.0.bias": (192,),
        "classifier.conv.1.weight": (1152, 192, 1, 1),
        "classifier.conv.2.weight": (1152,),
        "classifier.fc.0.weight": (1920, 1344),
        "classifier.fc.1.running_var": (1920,),
        "classifier.classifier.1.weight": (1000, 1920),
    }
    assert expected.items() <= found.items()
    # 4 blocks of 56 entries, 7 of 50; the plain block, stem, tokens, last bridge, classifier.
    assert len(found) == 4 * 56 + 7 * 50 + 12 + 6 + 1 + 8 + 15


def test_slopes_are_those_of_hard_sigmoids() -> None:
    """The clamps of the module are ``2 * hardsigmoid(u)`` and ``2 * hardsigmoid(u) - 1``."""
    torch.manual_seed(0)
    module = DynamicReLU(8, 3).double()
    x, token = torch.randn(2, 3, 4, 4).double(), 9 * torch.randn(2, 8).double()
    theta = functional.hardsigmoid(module.hyper(token))[:, :, None, None]
    wanted = torch.maximum(x * 2 * theta[:, :3], x * (2 * theta[:, 3:] - 1))
    assert torch.allclose(module(x, token), wanted, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
def test_any_resolution_and_batch(groups: int) -> None:
    model = MobileFormer(small_config(groups=groups)).eval()
    images = torch.rand(3, 3, 18, 11)
    with torch.no_grad():
        logits = model(images)
        assert logits.shape == (3, 5)
        assert torch.allclose(model(images[1:2]), logits[1:2], atol=1e-5)


def test_weights_load_by_name_and_misfits_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(public.PUBLIC, "mobile_former_52m", lambda: MobileFormer(small_config()))
    state = MobileFormer(small_config()).state_dict()
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    model = public_model("mobile_former_52m", tmp_path / "w.pth")
    assert not model.training
    assert torch.equal(model.state_dict()["tokens.weight"], state["tokens.weight"])
    del state["features.1.local_global.alpha.0.bias"]
    state["features.1.local_global.alpha.1.bias"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    message = r"1 missing, as \S*alpha\.0\.bias; 1 unknown, as \S*alpha\.1\.bias; give the weights"
    with pytest.raises(InputError, match=message):
        load_weight_file(model, tmp_path / "w.pth")


def test_public_networks_say_where_weights_are_and_which_images_they_take() -> None:
    with pytest.raises(InputError, match=r"mobile_former_26m has no weights: .* give --weights"):
        public_model("mobile_former_26m")
    with torch.device("meta"):
        stated = expected_normalization(public.PUBLIC["mobile_former_26m"]())
    assert stated is not None
    assert (stated.mean, stated.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert expected_normalization(MobileFormer(small_config())) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token_dim": 6}, "token_dim must be a multiple of 4, found 6"),
        ({"tokens": 0}, "MobileFormerConfig.tokens must be at least 1, found 0"),
        ({"blocks": ()}, "MobileFormerConfig.blocks must be at least 1, found 0"),
        ({"heads": 3}, "a block of 4 channels does not divide into 3 heads and 1 groups"),
        ({"groups": 3}, "4 channels does not divide into 2 heads and 3 groups"),
    ],
)
def test_descriptions_that_make_no_network(changes: dict[str, Any], message: str) -> None:
    values = {"blocks": small_config().blocks} | changes
    blocks = values.pop("blocks")
    with pytest.raises(ShapeError, match=message):
        MobileFormerConfig(
            blocks, **({"stem_channels": 4, "tokens": 2, "token_dim": 8, "features": 9} | values)
        )


def test_blocks_that_make_no_network() -> None:
    with pytest.raises(ShapeError, match="stride must be at least 1, found 0"):
        MobileFormerBlockConfig(2, 4, 0)
    with pytest.raises(ShapeError, match="second_expansion must be at least 0, found -1"):
        MobileFormerBlockConfig(2, 4, 1, -1)
