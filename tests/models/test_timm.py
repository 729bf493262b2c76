"""Our MobileViT against the public one: same names, same shapes, same logits."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from hyq_hls.models import mobilevit
from hyq_hls.models.timm_compat import ensure_torchvision, import_timm


@pytest.fixture(scope="module")
def timm() -> ModuleType:
    try:
        return import_timm()
    except ImportError as error:
        pytest.skip(str(error))


def random_norms(model: torch.nn.Module, seed: int) -> None:
    """Fresh normalizations are the identity and zero gains hide branches; make both visible."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d | torch.nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.uniform_(-0.5, 0.5, generator=generator)
            if isinstance(module, torch.nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.uniform_(-0.2, 0.2, generator=generator)
                module.running_var.uniform_(0.5, 1.5, generator=generator)
            if isinstance(module, torch.nn.Linear):
                module.weight.normal_(std=module.in_features**-0.5, generator=generator)
                module.bias.uniform_(-0.5, 0.5, generator=generator)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["xxs", "xs", "s"])
def test_public_weights_load_and_give_the_same_logits(timm: ModuleType, size: str) -> None:
    name = f"mobilevit_{size}"
    public = timm.create_model(name, pretrained=False).eval()
    random_norms(public, seed=1)
    ours = getattr(mobilevit, name)(1000).eval()
    ours.load_state_dict(public.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(public.state_dict())
    with torch.no_grad():
        for side in (256, 64):
            images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(2))
            expected = public(images)
            assert expected.std() > 0.1
            torch.testing.assert_close(ours(images), expected, rtol=1e-5, atol=1e-5)


def test_second_call_finds_torchvision_as_it_is(timm: ModuleType) -> None:
    assert ensure_torchvision() == ensure_torchvision()
