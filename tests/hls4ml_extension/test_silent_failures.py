"""Where hls4ml would be silent, the layers speak: nothing is dropped, wrapped or reordered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import hls4ml
import pytest
import torch
from hls4ml.model.graph import ModelGraph
from hls4ml.model.types import FixedPrecisionType

from hyq_hls import hls4ml_extension
from hyq_hls.errors import ConversionError
from hyq_hls.hls4ml_extension import base


@pytest.fixture(autouse=True)
def registered() -> None:
    hls4ml_extension.register("Vitis")


def build(
    *layers: dict[str, Any],
    shape: tuple[int, ...] = (4, 6),
    types: dict[str, str] | None = None,
    backend: str = "Vitis",
    project: str = "net",
    settings: dict[str, Any] | None = None,
) -> ModelGraph:
    """A chain of layers behind an input ``x``; nothing is written or compiled."""
    config = hls4ml.utils.config.create_config(
        output_dir="unused", project_name=project, backend=backend, io_type="io_stream"
    )
    precisions = {"x": "ap_fixed<8,4>"} | (types or {})
    config["HLSConfig"] = {
        "Model": {"Precision": {"default": "ap_fixed<16,6>"}, "ReuseFactor": 1, **(settings or {})},
        "LayerName": {name: {"Precision": {"result": text}} for name, text in precisions.items()},
    }
    source = {"class_name": "Input", "name": "x", "input_shape": list(shape)}
    return ModelGraph.from_layer_list(config, [source, *layers])


def layer(class_name: str, name: str = "y", **attributes: Any) -> dict[str, Any]:
    return {"class_name": class_name, "name": name, **attributes}


REQUANTIZE, SWISH, SOFTMAX = "HyqRequantize", "HyqShiftSwish", "HyqLinearSoftmax"
TYPED = {"y": "ap_fixed<8,3>"}


def refused(message: str, *layers: dict[str, Any], **options: Any) -> None:
    with pytest.raises(ConversionError, match=re.escape(message)):
        build(*layers, **options)


def test_a_backend_without_the_templates_would_drop_the_layer() -> None:
    wanted = (
        "backend Vivado has no template of HyqShiftSwish, and hls4ml would drop the layer; call"
    )
    refused(f"y: {wanted}", layer(SWISH), types=TYPED, backend="Vivado")


@pytest.mark.parametrize("name", [REQUANTIZE, SWISH])
@pytest.mark.parametrize("types", [{}, {"Y2": "ap_fixed<8,3>"}, {"y": "auto"}])
def test_a_result_needs_a_type_of_its_own(name: str, types: dict[str, str]) -> None:
    """hls4ml would take the default of the model, also when the layer's name is misspelt."""
    refused("HLSConfig has none: set ['LayerName']['y']['Precision']", layer(name), types=types)


def test_types_that_are_not_supported() -> None:
    refused(
        "y: a type ap_fixed, ap_ufixed, ap_int or ap_uint is wanted, found",
        layer(SWISH),
        types={"y": "std_float<8,5>"},
    )
    refused(
        "y: a tensor has 20 bits; 2 to 16 are", layer(SWISH), types=TYPED | {"x": "fixed<20,4>"}
    )
    refused("y: a tensor has 24 bits", layer(REQUANTIZE), types={"y": "ap_fixed<24,3>"})
    refused("y: requantizing a 64-bit", layer(REQUANTIZE), types=TYPED | {"x": "ap_fixed<64,3>"})
    refused(
        "y: shift_swish: the input scale must be", layer(SWISH), types=TYPED | {"x": "fixed<8,9>"}
    )
    refused("y: softmax fraction -2 leaves", layer(SOFTMAX), types={"x": "ap_fixed<8,10>"})


def test_the_type_of_probabilities_is_not_ignored() -> None:
    asked = "HLSConfig wants ap_fixed<8,3> and the probabilities are ap_ufixed<15,1>"
    refused(f"y: {asked}", layer(SOFTMAX), types=TYPED)
    build(layer(SOFTMAX), types={"y": "ap_ufixed<15,1>"})


def test_attributes_out_of_range() -> None:
    refused("y: exponents are integers, found 0.5", layer(REQUANTIZE, exponent=0.5), types=TYPED)
    refused(
        "y: requantization has 2 entries for 6 channels",
        layer(REQUANTIZE, exponent=[0, 1]),
        types=TYPED,
    )
    refused("y: shift_swish: precision 7", layer(SWISH, sigmoid_bits=7), types=TYPED)
    refused("y: log2 probabilities of 6 bits; 2 to 5", layer(SOFTMAX, bits=6))
    refused("y: output 'log'; 'log2' or 'uniform'", layer(SOFTMAX, output="log"))
    refused("y: base 'E'; 'e' or '2' is wanted", layer(SOFTMAX, base="E"))


def test_names_that_mean_something_else() -> None:
    refused("output: hls4ml keeps outputs among the attributes", layer(SOFTMAX, "output"))
    refused("y: the C++ of the layer lies in a namespace hyq", layer(SOFTMAX), project="hyq")


def test_axes_that_hls4ml_would_exchange() -> None:
    """Rows of tokens would become columns; a map keeps its channels, and elements do not care."""
    axes = {"ChannelsLastConversion": "full", "TransposeOutputs": False}
    refused(
        "y: hls4ml would exchange the axes of an input of shape [4, 6]",
        layer(SOFTMAX),
        settings=axes,
    )
    refused(
        "y: hls4ml would exchange", layer(REQUANTIZE, exponent=[1] * 6), types=TYPED, settings=axes
    )
    build(layer(SWISH), types=TYPED, settings=axes)
    build(layer(REQUANTIZE, exponent=[1, 2, 3]), shape=(3, 4, 5), types=TYPED, settings=axes)


def test_a_stream_that_was_flattened_without_a_process() -> None:
    flat = {"class_name": "Reshape", "name": "flat", "target_shape": [24]}
    refused("y: words of 6 values come in for 24 channels", flat, layer(SWISH), types=TYPED)


def test_a_pass_that_changes_the_result() -> None:
    model = build(layer(SOFTMAX))
    node = model.graph["y"]
    node.get_output_variable().type.precision = FixedPrecisionType(16, 6)
    with pytest.raises(
        ConversionError,
        match=r"changed the type of the result from ap_ufixed<15,1>"
        r" to ap_fixed<16,6>",
    ):
        node.arguments()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is registered with any backend."""
    monkeypatch.setattr(base, "REGISTERED", set())
    monkeypatch.setattr(hls4ml_extension.registration, "REGISTERED", set())


def test_backends_that_cannot_have_the_layers(fresh: None) -> None:
    with pytest.raises(ConversionError, match="hls4ml has no backend 'Vitus'; it has"):
        hls4ml_extension.register("Vitus")
    with pytest.raises(ConversionError, match="backend Quartus does not write C\\+\\+ for Vivado"):
        hls4ml_extension.register("Quartus")


def test_a_header_of_another_extension(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = hls4ml.backends.get_backend("Vivado")
    other = tmp_path / "types.h"
    monkeypatch.setattr(backend, "custom_source", {"nnet_utils/types.h": other})
    with pytest.raises(ConversionError, match=r"another extension registered nnet_utils/types\.h"):
        hls4ml_extension.register("Vivado")


def test_modules_compute_the_functions_in_floats() -> None:
    x = torch.linspace(-3, 3, 24, dtype=torch.float64).reshape(1, 2, 3, 4)
    exponents = torch.tensor([0.5, 8.0], dtype=torch.float64).reshape(2, 1, 1)
    assert torch.equal(hls4ml_extension.PowerOfTwoRequantize([-1, 3])(x), x * exponents)
    assert torch.equal(hls4ml_extension.PowerOfTwoRequantize(2)(x), x * 4)
    assert torch.equal(hls4ml_extension.ShiftSwish()(x), torch.nn.functional.silu(x))
    two = hls4ml_extension.LinearSoftmax(base="2")(x)
    assert torch.allclose(two, torch.exp2(x) / torch.exp2(x).sum(-1, keepdim=True), rtol=1e-12)
