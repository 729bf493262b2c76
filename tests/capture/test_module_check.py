"""The module has the last word, in the precision that it deserves."""

import pytest
import torch
from torch import nn

from hyq_hls.capture import capture
from hyq_hls.capture.module_check import Runs, output_of, relative_error
from hyq_hls.errors import CaptureMismatchError


class Difference(nn.Module):
    """A small difference of large numbers, of which float32 keeps one digit or two."""

    def __init__(self, size: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        large = size * torch.randn(1, 3, 3, 3, generator=generator)
        small = torch.randn(1, 3, 3, 3, generator=generator)
        self.both, self.minus = nn.Conv2d(3, 2, 3, bias=False), nn.Conv2d(2, 1, 1, bias=False)
        with torch.no_grad():
            self.both.weight.copy_(torch.cat([large, large + small]))
            self.minus.weight.copy_(torch.tensor([-1.0, 1.0]).reshape(1, 2, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.minus(self.both(x))).mean((2, 3))


@pytest.mark.parametrize("size", [1.0, 1e5, 1e6])
def test_rounding_of_the_module_is_no_error_of_the_capture(size: float) -> None:
    model = Difference(size).eval()
    image = torch.randn(1, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        exact = output_of(Difference(size).double(), image)
        difference = output_of(model, image.float()) - exact
    rounding = float(difference.abs().max() / exact.abs().max())
    assert (rounding > 1e-3) == (size > 1)
    _, report = capture(model, (3, 9, 9))
    assert report.relative_error is not None
    assert report.relative_error < 1e-9


@pytest.mark.parametrize("size", [1.0, 1e6])
def test_another_module_is_an_error_of_the_capture(size: float) -> None:
    graph, _ = capture(Difference(size).eval(), (3, 9, 9))
    other = Difference(size).eval()
    with torch.no_grad():
        other.minus.weight.mul_(1.5)
    with pytest.raises(CaptureMismatchError, match="differs from the module's"):
        relative_error(graph, Runs.of(other, (3, 9, 9)))
