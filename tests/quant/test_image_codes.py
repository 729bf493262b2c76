"""The border of a normalized image is a code near enough to its zero; all else is exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import QuantizedModel, quantize
from hyq_hls.capture import capture
from hyq_hls.graph import Quantization
from hyq_hls.quant import QuantConfig
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.image_codes import CentredImage, centred_on_codes, image_quantization
from tests.capture.hybrids import settle

Map = Callable[[torch.Tensor], torch.Tensor]

#: The mean and the deviation of ImageNet.
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
EXACT = QuantConfig(weight_bits=12, activation_bits=12, observer="minmax", scale="dyadic")


class Normalizing(nn.Module):
    """A padded convolution of a map of the image, and what makes logits of it."""

    def __init__(self, before: Map, channels: int = 3) -> None:
        super().__init__()
        self.before = before
        self.conv = nn.Conv2d(channels, 6, 3, padding=1)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Not ReLU: its input has no codes for values that it does not tell apart.
        y = nn.functional.gelu(self.conv(self.before(x)))
        logits: torch.Tensor = self.head(y.mean((2, 3)))
        return logits


def images(channels: int, count: int = 24) -> np.ndarray:
    """Random bytes whose contrast differs from image to image."""
    random = np.random.default_rng(0)
    values = 128 + random.normal(size=(count, 8, 8, channels)) * random.uniform(
        10, 60, (count, 1, 1, 1)
    )
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def squared_errors(
    model: Normalizing, qmodel: QuantizedModel, pixels: np.ndarray
) -> tuple[float, float]:
    """Mean squared error of the convolution at the border and inside, relative to its power."""
    with torch.no_grad():
        real = model.conv(model.before(to_float(pixels))).permute(0, 2, 3, 1).numpy()
    codes = dict(qmodel.emulator.trace(pixels))["conv"]
    error = (qmodel.graph.type("conv").quantization.dequantize(codes) - real) ** 2
    error = error / (real**2).mean()
    border = np.ones((8, 8), bool)
    border[1:-1, 1:-1] = False
    return float(error[:, border].mean()), float(error[:, ~border].mean())


#: Map, input channels, zero points of the bytes, bits of the codes that the convolution reads.
MAPS: dict[str, tuple[Map, int, tuple[int, ...], int]] = {
    "as it is": (lambda x: x, 3, (0,), 8),
    "ImageNet": (lambda x: (x - MEAN) / STD, 3, (0,), 10),
    "from -1 to 1": (lambda x: 2 * x - 1, 3, (0,), 9),
    "from -1 to 1, two channels": (lambda x: 2 * x - 1, 2, (0,), 9),
    "deviation only": (lambda x: x / STD, 3, (0,), 8),
    "bytes": (lambda x: x * 255, 1, (0,), 8),
    "bytes less a byte": (lambda x: x * 255 - 128, 5, (128,), 8),
    "bytes less a byte of each channel": (
        lambda x: x * 255 - torch.tensor([104.0, 117, 123, 0]).view(4, 1, 1),
        4,
        (104, 117, 123, 0),
        8,
    ),
    "BGR": (
        lambda x: x.flip(1) * 255 - torch.tensor([104.0, 117, 123]).view(3, 1, 1),
        3,
        (123, 117, 104),
        8,
    ),
    "BGR by index": (lambda x: ((x - MEAN) / STD)[:, [2, 1, 0]], 3, (0,), 10),
    "negative": (lambda x: 1 - x, 3, (255,), 8),
    "zero below all bytes": (lambda x: x + 1, 3, (0,), 9),
    "zero above all bytes": (lambda x: x - 2, 3, (0,), 9),
    "in place": (lambda x: x.clone().sub_(MEAN).div_(STD), 3, (0,), 10),
    "zero far outside": (lambda x: x + 100, 3, (0,), 8),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_border_is_as_good_as_the_rest(name: str) -> None:
    before, channels, zero, bits = MAPS[name]
    model = settle(Normalizing(before, channels))
    pixels = images(channels)
    config = QuantConfig(observer="minmax")
    qmodel = quantize(model, pixels, config, input_range=(0, 1), progress=False)
    (reader,) = [n for n in qmodel.graph.nodes.values() if n.operation.name == "conv2d"]
    assert qmodel.graph.input_type.quantization.zero_point == zero
    assert qmodel.graph.type(reader.inputs[0]).quantization.bits == bits
    border, inside = squared_errors(model, qmodel, pixels)
    assert border < 1.5 * inside


@pytest.mark.parametrize("name", ["ImageNet", "from -1 to 1", "BGR"])
def test_the_border_has_more_fraction_bits_for_wider_activations(name: str) -> None:
    before, channels, _, _ = MAPS[name]
    model = settle(Normalizing(before, channels))
    pixels = images(channels)
    border, inside = squared_errors(model, quantize(model, pixels, EXACT, progress=False), pixels)
    assert border < 1.5 * inside
    assert inside < 1e-6


@pytest.mark.parametrize("name", MAPS)
def test_the_codes_stand_for_the_bytes_exactly(name: str) -> None:
    before, channels, _, _ = MAPS[name]
    graph, _ = capture(settle(Normalizing(before, channels)).double(), (channels, 8, 8))
    centred = centred_on_codes(graph, 8)
    random = np.random.default_rng(1)
    batch = torch.from_numpy(random.integers(0, 256, (3, channels, 8, 8))).double() / 255
    convolution = next(n.name for n in graph if n.op.kind == "Conv2d")
    before_, after = (g.run(batch, keep=(convolution,))[convolution] for g in (graph, centred))
    inner = (slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(after[inner], before_[inner], rtol=1e-9, atol=1e-9)
    read = centred[convolution].inputs[0]
    if centred[read].op.kind == "ChannelAffine":
        return  # It is requantized like any other value.
    quantization = image_quantization(centred[read].op)
    value = centred.run(batch, keep=(read,))[read].numpy()
    assert np.allclose(quantization.dequantize(quantization.quantize(value)), value, atol=1e-12)


def test_an_image_that_others_read_too_is_requantized() -> None:
    class Residual(Normalizing):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.before(x)
            logits: torch.Tensor = (self.conv(y) + y).mean((2, 3))
            return logits

    graph, _ = capture(settle(Residual(lambda x: 2 * x - 1, 6)), (6, 8, 8))
    assert centred_on_codes(graph, 8) is graph


def test_codes_of_a_centred_image() -> None:
    assert image_quantization(CentredImage((255,), 1)) == Quantization(9, False, (1 / 510,), (255,))
    below = image_quantization(CentredImage((-255, 3), 0))
    assert below == Quantization(9, False, (1 / 255,), (0, 3))
    above = image_quantization(CentredImage((600,), 0))
    assert above == Quantization(10, False, (1 / 255,), (600,))
