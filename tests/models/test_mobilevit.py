"""MobileViT: published sizes and names, maps and tokens, sizes of images."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from hyq_hls.errors import ShapeError
from hyq_hls.models import (
    MobileViT,
    MobileViTConfig,
    StageConfig,
    TransformerConfig,
    mobilevit_clutter,
    mobilevit_digits,
    mobilevit_s,
    mobilevit_xs,
    mobilevit_xxs,
)
from hyq_hls.models.mobilevit import InvertedResidual, MobileViTBlock


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module")
def digits_model() -> MobileViT:
    return mobilevit_digits()


@pytest.mark.parametrize(
    ("build", "expected", "entries"),
    [
        (mobilevit_xxs, 1_272_024, 311),
        (lambda: mobilevit_xxs(10), 954_234, 311),
        (mobilevit_xs, 2_317_848, 311),
        (mobilevit_s, 5_578_632, 311),
        (lambda: mobilevit_digits(pretrained=False), 114_994, 176),
        (lambda: mobilevit_clutter(pretrained=False), 23_346, 101),
    ],
)
def test_sizes_are_the_published_ones(
    build: Callable[[], MobileViT], expected: int, entries: int
) -> None:
    model = build()
    assert parameters(model) == expected
    assert len(model.state_dict()) == entries


def test_names_and_shapes_are_the_public_ones() -> None:
    state = mobilevit_xxs().state_dict()
    expected = {
        "stem.conv.weight": (16, 3, 3, 3),
        "stem.bn.running_mean": (16,),
        "stem.bn.num_batches_tracked": (),
        "stages.0.0.conv1_1x1.conv.weight": (32, 16, 1, 1),
        "stages.0.0.conv2_kxk.conv.weight": (32, 1, 3, 3),
        "stages.1.2.conv3_1x1.conv.weight": (24, 48, 1, 1),
        "stages.2.0.conv3_1x1.bn.weight": (48,),
        "stages.2.1.conv_kxk.conv.weight": (48, 48, 3, 3),
        "stages.2.1.conv_1x1.weight": (64, 48, 1, 1),
        "stages.2.1.transformer.0.norm1.weight": (64,),
        "stages.2.1.transformer.0.attn.qkv.weight": (192, 64),
        "stages.2.1.transformer.1.attn.proj.bias": (64,),
        "stages.3.1.transformer.3.mlp.fc1.weight": (160, 80),
        "stages.4.1.transformer.2.mlp.fc2.weight": (96, 192),
        "stages.4.1.norm.bias": (96,),
        "stages.4.1.conv_proj.conv.weight": (80, 96, 1, 1),
        "stages.4.1.conv_fusion.conv.weight": (80, 160, 3, 3),
        "final_conv.conv.weight": (320, 80, 1, 1),
        "head.fc.weight": (1000, 320),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected


def test_digits_maps_are_8x8_and_4x4(digits_model: MobileViT) -> None:
    tokens = {}
    for name, module in digits_model.named_modules():
        if name.endswith("transformer"):
            module.register_forward_hook(
                lambda _m, inputs, _out, name=name: tokens.update({name: inputs[0].shape})
            )
    logits = digits_model(torch.rand(3, 3, 32, 32))
    assert logits.shape == (3, 10)
    assert tokens == {
        "stages.1.1.transformer": (3 * 4, 16, 32),
        "stages.2.1.transformer": (3 * 4, 4, 48),
    }


def test_every_multiple_works_also_when_not_square(digits_model: MobileViT) -> None:
    with torch.no_grad():
        for size in ((16, 16), (48, 32), (16, 64)):
            assert digits_model(torch.rand(1, 3, *size)).shape == (1, 10)
        assert mobilevit_xxs(7).eval()(torch.rand(1, 3, 64, 128)).shape == (1, 7)


@pytest.mark.parametrize(
    ("config", "size", "block", "found", "multiple"),
    [
        (MobileViTConfig.xxs(), (224, 224), "stages.4.1", "7x7", "64"),
        (MobileViTConfig.xxs(), (256, 32), "stages.4.1", "8x1", "64"),
        (MobileViTConfig.s(), (0, 256), "stages.2.1", "0x32", "64"),
        (MobileViTConfig.digits(), (28, 28), "stages.1.1", "7x7", "16"),
        (MobileViTConfig.digits(), (32, 24), "stages.2.1", "4x3", "16"),
    ],
)
def test_image_size_that_does_not_divide_is_refused(
    config: MobileViTConfig, size: tuple[int, int], block: str, found: str, multiple: str
) -> None:
    with pytest.raises(ValueError, match=f"block {block} finds a map of {found}") as caught:
        config.check_image_size(*size)
    assert isinstance(caught.value, ShapeError)
    assert f"multiple of {multiple}" in str(caught.value)
    suggested = str(caught.value).rsplit(" ", 1)[1]
    config.check_image_size(*map(int, suggested.split("x")))


def test_odd_size_whose_maps_still_divide_is_taken() -> None:
    MobileViTConfig.s().check_image_size(250, 256)  # 250 rounds up to a map of 8 rows
    with torch.no_grad():
        assert mobilevit_xxs().eval()(torch.rand(1, 3, 58, 64)).shape == (1, 1000)


def test_model_refuses_the_size_before_it_computes(digits_model: MobileViT) -> None:
    with pytest.raises(ShapeError, match=r"stages\.1\.1 .* 7x7 .* 28x28"):
        digits_model(torch.rand(1, 3, 28, 28))


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(1, 32, 32, 3),
        torch.zeros(3, 32, 32),
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8),
    ],
)
def test_wrong_input_is_explained(digits_model: MobileViT, images: torch.Tensor) -> None:
    with pytest.raises(ShapeError, match=r"float tensor \(B, 3, H, W\).*found"):
        digits_model(images)


@pytest.mark.parametrize(
    "build",
    [
        lambda: TransformerConfig(30, depth=1),
        lambda: TransformerConfig(32, depth=0),
        lambda: TransformerConfig(32, depth=1, patch=(0, 2)),
        lambda: StageConfig(0),
        lambda: StageConfig(8, stride=0),
        lambda: MobileViTConfig((), 8, 8, 10),
        lambda: MobileViTConfig.xxs(0),
    ],
)
def test_impossible_configuration_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ShapeError, match=r"Config\.\w+ "):
        build()


def test_unfold_puts_pixels_where_documented() -> None:
    block = MobileViTBlock(8, TransformerConfig(8, depth=1, patch=(2, 4)))
    x = torch.randn(3, 5, 6, 8)
    tokens = block._unfold(x)
    assert tokens.shape == (3 * 8, 6, 5)
    by_pixel = tokens.reshape(3, 8, 6, 5)
    for a, b, i, j in ((0, 0, 0, 0), (1, 3, 2, 1), (0, 2, 1, 0), (1, 0, 0, 1)):
        expected = x[:, :, i * 2 + a, j * 4 + b]
        assert torch.equal(by_pixel[:, a * 4 + b, i * 2 + j], expected)
    assert torch.equal(block._fold(tokens, 6, 8), x)


def test_residual_only_where_shape_stays() -> None:
    x = torch.randn(2, 8, 6, 6)
    for outputs, stride, residual in ((8, 1, True), (8, 2, False), (16, 1, False)):
        block = InvertedResidual(8, outputs, stride=stride, expansion=2).eval()
        torch.nn.init.zeros_(block.conv3_1x1.conv.weight)
        y = block(x)
        assert torch.equal(y, x) if residual else not y.any()


def test_images_do_not_influence_each_other(digits_model: MobileViT) -> None:
    images = torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        together = digits_model(images)
        alone = torch.cat([digits_model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_export_with_free_batch_equals_eager(digits_model: MobileViT) -> None:
    batch = torch.export.Dim("batch")
    program = torch.export.export(
        digits_model, (torch.rand(2, 3, 32, 32),), dynamic_shapes=({0: batch},), strict=False
    )
    images = torch.rand(5, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(program.module()(images), digits_model(images))


def test_random_weights_are_in_training_mode() -> None:
    assert mobilevit_digits(pretrained=False).training
    assert MobileViT(MobileViTConfig.digits()).config == MobileViTConfig.digits()
