"""Projects of hls4ml with our layers give the integers of our references.

The references are built here from the types that the user of hls4ml wrote down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import numpy as np
import pytest
import torch
from hls4ml.model.graph import ModelGraph
from numpy.typing import NDArray

from hyq_hls import hls4ml_extension
from hyq_hls.graph import Quantization
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import LinearSoftmax, ShiftSwish

pytestmark = pytest.mark.slow

Ints = NDArray[np.int64]
ONE = np.array([1])
TOKENS, CHANNELS = 4, 6
EXPONENTS = [0, 1, -2, 3, -5, 2]


@pytest.fixture(autouse=True)
def registered() -> None:
    hls4ml_extension.register("Vitis")


def requantized(codes: Ints, bits: int, shift: int | list[int]) -> Ints:
    """Codes shifted right, rounded half up, saturated to signed ``bits``."""
    return Requantize(Quantization(bits, True), np.atleast_1d(shift), ONE)(codes)


def log2_values(levels: Ints, bits: int) -> NDArray[np.float64]:
    return np.where(levels == (1 << bits) - 1, 0.0, np.exp2(-levels.astype(float)))


def compiled(model: ModelGraph, *flags: str) -> ModelGraph:
    """Compile with hls4ml's own script, and more flags."""
    model.write()
    script = Path(model.config.get_output_dir()) / "build_lib.sh"
    text = script.read_text()
    assert 'CFLAGS="-O3 -fPIC"' in text
    script.write_text(text.replace("-O3 -fPIC", " ".join(["-O0 -fPIC", *flags])))
    model._compile()
    return model


def layer_list(folder: Path, io_type: str) -> ModelGraph:
    """Tokens requantized per channel, then Shift-Swish, then both kinds of softmax."""
    config = hls4ml.utils.config.create_config(
        output_dir=str(folder), project_name="tokens", backend="Vitis", io_type=io_type
    )
    types = {"x": "ap_fixed<13,9>", "rq": "ap_fixed<9,6>", "sw": "ap_fixed<8,4>"}
    config["HLSConfig"] = {
        "Model": {"Precision": {"default": "ap_fixed<16,6>"}, "ReuseFactor": 1},
        "LayerName": {name: {"Precision": {"result": text}} for name, text in types.items()},
    }
    layers: list[dict[str, Any]] = [
        {"class_name": "Input", "name": "x", "input_shape": [TOKENS, CHANNELS]},
        {"class_name": "HyqRequantize", "name": "rq", "inputs": ["x"], "exponent": EXPONENTS},
        {"class_name": "HyqShiftSwish", "name": "sw", "inputs": ["rq"], "sigmoid_bits": 11},
        {"class_name": "HyqLinearSoftmax", "name": "powers", "inputs": ["sw"]},
        {
            "class_name": "HyqLinearSoftmax",
            "name": "even",
            "inputs": ["sw"],
            **{"output": "uniform", "bits": 7, "base": "2"},
        },
    ]
    return ModelGraph.from_layer_list(config, layers, outputs=["powers", "even"])


@pytest.mark.parametrize(
    ("io_type", "flags"), [("io_stream", ()), ("io_parallel", ("-DHYQ_BIT_ACCURATE",))]
)
def test_layers(io_type: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    """All layers on tokens, native and with the exact widths that synthesis has."""
    codes = np.random.default_rng(3).integers(-4096, 4096, (40, TOKENS, CHANNELS))
    codes[::2] //= 64  # A code counts 1/16: small values, for probabilities that are not 0 or 1.
    model = compiled(layer_list(tmp_path / "p", io_type), *flags)
    powers, even = model.predict((codes / 16).astype(np.float32))

    swish_input = requantized(codes, 9, [4 - 3 - e for e in EXPONENTS])
    swish = ShiftSwish(3, 0, 11, Requantize(Quantization(8, True), np.array([3 + 11 - 4]), ONE))
    scores = swish.reference(swish_input)
    octaves = requantized(scores * 47274, 9, 15)
    levels = LinearSoftmax(4, 17, 4, "log2").reference(octaves)
    assert len(np.unique(levels)) > 12, "the codes reach most probabilities"
    assert np.array_equal(powers, log2_values(levels, 4).reshape(len(codes), -1))
    uniform = LinearSoftmax(4, 11, 7, "uniform").reference(scores)
    assert np.array_equal(even, uniform.reshape(len(codes), -1) / 128)


def test_a_network_of_pytorch(tmp_path: Path) -> None:
    """Stock Dense layers with our layers between them, by hls4ml's own converter."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(8, 12),
        hls4ml_extension.ShiftSwish(),
        torch.nn.Linear(12, 5),
        hls4ml_extension.PowerOfTwoRequantize(1),
        hls4ml_extension.LinearSoftmax(bits=8, output="uniform"),
    )
    config = hls4ml.utils.config_from_pytorch_model(
        model, (8,), granularity="name", backend="Vitis", default_precision="ap_fixed<16,6>"
    )
    weights = {"weight": "ap_fixed<8,1>", "bias": "ap_fixed<8,1>"}
    types = {
        "input_1": {"result": "ap_fixed<8,3>"},
        # Shift-Swish takes at most 16 bits, so the accumulator is cut.
        "_0": {**weights, "result": "ap_fixed<12,4,AP_TRN,AP_SAT>"},
        "_1": {"result": "ap_fixed<8,3>"},
        "_2": {**weights, "result": "ap_fixed<24,12>"},
        "_3": {"result": "ap_fixed<8,4>"},
    }
    for name, precisions in types.items():
        config["LayerName"][name]["Precision"].update(precisions)
    converted = hls4ml.converters.convert_from_pytorch_model(
        model,
        hls_config=config,
        output_dir=str(tmp_path / "p"),
        backend="Vitis",
        io_type="io_stream",
        project_name="torchnet",
    )
    codes = np.random.default_rng(1).integers(-128, 128, (30, 8))
    found = compiled(converted).predict((codes / 32).astype(np.float32))

    def dense(layer: torch.nn.Module, x: Ints) -> Ints:
        """Accumulators with 12 fraction bits; hls4ml truncates weights to 7."""
        weight, bias = (np.floor(layer.state_dict()[n].numpy() * 128) for n in ("weight", "bias"))
        acc: Ints = x @ weight.astype(np.int64).T + 32 * bias.astype(np.int64)
        return acc

    hidden = np.clip(dense(model[0], codes) >> 4, -2048, 2047)
    swish = ShiftSwish(8, 0, 16, Requantize(Quantization(8, True), np.array([8 + 16 - 5]), ONE))
    scores = requantized(dense(model[2], swish.reference(hidden)), 8, 12 - 4 - 1)
    octaves = requantized(scores * 47274, 9, 15)
    wanted = LinearSoftmax(4, 12, 8, "uniform").reference(octaves)
    assert len(np.unique(wanted)) > 40, "the codes reach many probabilities"
    assert np.array_equal(found, wanted / 256)
    with torch.no_grad():
        floats = model(torch.tensor(codes / 32, dtype=torch.float32)).numpy()
    assert np.abs(found - floats).max() < 0.1, "the modules compute the same functions"
