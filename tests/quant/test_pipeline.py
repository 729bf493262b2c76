"""quantize(): one clear error for each bad input, and the same integers for the same input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import NodeBits, quantize
from hyq_hls.errors import CaptureError, HyqError, InputError, QuantizationError
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant.config import ActivationGranularity, Scale, Swish
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.pipeline import float_graph_of
from tests.capture.hybrids import Hybrid, settle
from tests.quant.networks import lean

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


def small() -> Hybrid:
    return settle(Hybrid(channels=4, dim=8, heads=2, depth=1), 5)


@pytest.mark.slow
def test_deterministic() -> None:
    first, second = (quantize(small(), IMAGES, progress=False) for _ in range(2))
    codes = IMAGES.astype(np.int64)
    for (name, a), (_, b) in zip(
        first.graph.reference(codes), second.graph.reference(codes), strict=True
    ):
        assert np.array_equal(a, b), name
    assert first.graph.metadata == second.graph.metadata
    assert first.graph.metadata["model"] == "Hybrid"
    assert first.graph.metadata["calibration_images"] == 4


@pytest.mark.slow
def test_the_module_is_not_changed() -> None:
    model = small()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    quantize(model, IMAGES, progress=False)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.slow
def test_images_in_every_form_give_the_same() -> None:
    forms = [
        IMAGES,
        IMAGES.transpose(0, 3, 1, 2),
        torch.from_numpy(IMAGES),
        torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255,
    ]
    logits = [quantize(small(), form, progress=False)(form) for form in forms]
    assert all(np.array_equal(logits[0], other) for other in logits)


@pytest.mark.slow
def test_octaves_change_no_value() -> None:
    """Folding scale and log2(e) into the queries leaves the logits where they were."""
    model = mobilevit_digits(pretrained=True)
    graph, _ = float_graph_of(model, (32, 32, 3))
    assert sum(isinstance(node.op, OctaveSoftmax) for node in graph) == 4
    images = digits.as_input(digits.test().images[:8])
    with torch.no_grad():
        torch.testing.assert_close(graph(images), model(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 8, 8, 3), np.uint8), "no images: the set is empty"),
        (np.zeros((4, 8), np.uint8), r"images of shape \(4, 8\) found"),
        (np.zeros((4, 5, 8, 8), np.uint8), "an axis of 1 or 3 channels"),
        (np.full((2, 3, 8, 8), np.nan, np.float32), "NaN or infinite"),
        (np.full((2, 3, 8, 8), 1.5, np.float32), r"\[0, 1\] is wanted"),
    ],
)
def test_bad_calibration_images(images: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        quantize(small(), images, progress=False)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((3, 8, 8, 3), 7, np.uint8), "every pixel 7; the ranges"),
        (IMAGES[[1, 1, 1]], "all 3 calibration images are the same"),
    ],
)
def test_calibration_images_all_alike(images: np.ndarray, message: str) -> None:
    """They are refused before anything is traced."""
    with pytest.raises(InputError, match=message):
        quantize(nn.Softsign(), images, progress=False)


@pytest.mark.slow
def test_drawn_images_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    labelled = ((images[None], 0) for images in IMAGES)
    qmodel = quantize(small(), labelled, count=3)
    assert qmodel.graph.metadata["calibration_images"] == 3
    origin = qmodel.graph.metadata["calibration_origin"]
    assert origin == "the first 3 images of a generator, read with seed 0"
    assert f"calibrate on {origin}" in capsys.readouterr().err


def test_image_size_that_the_patch_does_not_divide() -> None:
    with pytest.raises(HyqError, match=r"(?s)patches of 2x2.*32x32"):
        quantize(mobilevit_digits(), np.ones((1, 24, 24, 3), np.uint8).cumsum(1), progress=False)


def test_unsupported_module() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softsign(), nn.Flatten(), nn.Linear(144, 2))
    with pytest.raises(CaptureError, match=r"(?is)softsign|abs|div"):
        quantize(model.eval(), IMAGES, progress=False)


def test_softmax_outside_attention() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3), nn.Softmax(-1)
    )
    with pytest.raises(HyqError, match=r"(?is)softmax"):
        quantize(model.eval(), IMAGES, progress=False)


def test_not_a_module() -> None:
    with pytest.raises(QuantizationError, match=r"a torch\.nn\.Module is wanted, found dict"):
        quantize({}, IMAGES, progress=False)  # type: ignore[arg-type]


def test_nan_weights_name_the_tensor() -> None:
    model = small()
    with torch.no_grad():
        next(model.parameters())[0] = float("nan")
    with pytest.raises(HyqError, match=r"(?i)nan"):
        quantize(model, IMAGES, progress=False)


def test_override_without_a_node() -> None:
    config = lean(overrides={"no.such.*": NodeBits(4, 4)})
    with pytest.raises(QuantizationError, match=r"override 'no\.such\.\*' matches no node"):
        quantize(small(), IMAGES, config, progress=False)


@pytest.mark.slow
def test_overrides_reach_the_graph() -> None:
    config = lean(overrides={"head*": NodeBits(weight_bits=3), "stem.0": NodeBits(None, 5)})
    graph = quantize(small(), IMAGES, config, progress=False).graph
    assert graph.type("stem.0").quantization.bits == 5
    head = graph.nodes[graph.output_name].operation
    assert head.weight_bits == 3  # type: ignore[attr-defined]
    assert np.abs(head.weight).max() <= 4  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("granularity", ["tensor", "depthwise", "absorbed", "channel"])
def test_activation_granularity(granularity: ActivationGranularity) -> None:
    config = lean(activation_granularity=granularity, layer_norm_factors=0)
    graph = quantize(small(), IMAGES, config, progress=False).graph
    many = {name for name, node in graph.nodes.items() if node.type.quantization.per_channel}
    readers = {r.operation.name for name in many for r in graph.consumers(name)}
    if granularity == "tensor":
        assert not many
    elif granularity == "depthwise":
        assert readers == {"depthwise_conv2d"}
    elif granularity == "absorbed":
        writers = {graph.nodes[name].operation.name for name in many}
        assert "dense" in readers
        assert not writers & {"shift_swish", "table"}  # a table stays one
    else:
        assert {"depthwise_conv2d", "dense"} <= readers


class SwishBesideItsInput(nn.Module):
    """What Swish reads is read by an addition too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.SiLU(), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        result: torch.Tensor = self.fc((y + self.act(y)).mean((2, 3)))
        return result


@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
@pytest.mark.parametrize("swish", ["shift", "table"])
def test_swish_beside_its_input(scale: Scale, swish: Swish) -> None:
    config = lean(scale=scale, swish=swish)
    model = settle(SwishBesideItsInput())
    with torch.no_grad():
        model.conv.weight *= 300  # steps of more than 1, if nothing kept them smaller
    qmodel = quantize(model, IMAGES, config, progress=False)
    codes = dict(qmodel.graph.reference(IMAGES.astype(np.int64)))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), codes)
    shared = qmodel.graph.type(qmodel.graph.nodes["act"].inputs[0]).quantization
    if swish == "shift":  # reads fraction bits
        assert np.log2(shared.scale[0]) <= 0
        assert np.log2(shared.scale[0]) % 1 == 0


@pytest.mark.slow
def test_shift_only_or_dyadic() -> None:
    def multipliers(scale: Scale) -> set[int]:
        graph = quantize(small(), IMAGES, lean(scale=scale), progress=False).graph
        nodes = (n.operation for n in graph.nodes.values() if n.operation.name == "dense")
        return {int(m) for op in nodes for m in op.requantize.multiplier}  # type: ignore

    assert multipliers("power_of_two") == {1}
    assert min(multipliers("dyadic")) >= 1 << 14


@pytest.mark.slow
@pytest.mark.parametrize("swish", ["table", "shift"])
def test_swish_per_channel(swish: Swish) -> None:
    """A table and a requantization behind it give every channel its own scale."""
    config = lean(scale="shift", swish=swish, activation_granularity="channel")
    qmodel = quantize(small(), IMAGES, config, progress=False)
    codes = dict(qmodel.graph.reference(IMAGES.astype(np.int64)))
    found = []
    for name, node in qmodel.graph.nodes.items():
        if not name.endswith(".table"):
            continue
        (reader,) = qmodel.graph.consumers(name)
        assert name == f"{reader.name}.table"
        assert reader.operation.name == "requantize"
        assert reader.operation.requantize.is_shift  # type: ignore[attr-defined]
        x, y = qmodel.graph.type(node.inputs[0]).quantization, reader.type.quantization
        assert y.per_channel
        real = x.dequantize(codes[node.inputs[0]])
        wanted = y.quantize(real / (1 + np.exp(-real)))
        # Rounded twice, the second time from half steps: halves may go either way.
        assert np.abs(codes[reader.name] - wanted).max() <= 1
        found.append(name)
    assert bool(found) == (swish == "table")
    assert np.array_equal(qmodel.codes(IMAGES), codes[qmodel.graph.output_name])


class _Chosen(nn.Module):
    """Two heads, and the sums of two of their three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.mean((2, 3))
        scores: torch.Tensor = self.first(x) + self.second(x)
        return scores[:, [2, 0]]


def test_names_and_sizes_are_those_of_the_outputs_of_the_module() -> None:
    qmodel = quantize(_Chosen().eval(), IMAGES, class_names=["cat", "dog"], progress=False)
    assert qmodel.graph.output_type.shape == (3,)
    assert qmodel(IMAGES).shape == (len(IMAGES), 2)
    assert qmodel.class_names == ("cat", "dog")
    assert "8 x 8 x 3 -> 2, " in repr(qmodel)
    with pytest.raises(InputError, match="3 class_names found; the network has 2 outputs"):
        quantize(_Chosen().eval(), IMAGES, class_names=["a", "b", "c"], progress=False)
