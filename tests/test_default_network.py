"""The default network: accuracy kept, every code equal at every level, integers only."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession

from hyq_hls import Accelerator, QuantizedModel, quantize
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.models import digits
from hyq_hls.quant.calibrate import batches
from hyq_hls.stream.cost import plan_hls
from hyq_hls.verify import verify
from tests.graph import second_reader
from tests.stream.hls.bounded import check_bounded_queues

# One process builds the network once for all of these.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipes(
    default_model: torch.nn.Module, default_qmodel: QuantizedModel
) -> dict[str, QuantizedModel]:
    """The network by recipe."""
    lean = quantize(default_model, digits.calibration(256), "lean", progress=False)
    return {"fast": default_qmodel, "lean": lean}


@pytest.mark.parametrize("recipe", ["fast", "lean"])
def test_onnxruntime_gives_the_same_codes(
    recipe: str, recipes: dict[str, QuantizedModel], tmp_path: Path
) -> None:
    qmodel = recipes[recipe]
    images = digits.distorted().images[:64]
    session = InferenceSession(qmodel.export_onnx(tmp_path / "net.onnx"))
    codes, values = session.run(None, {qmodel.graph.input_name: images})
    assert np.array_equal(codes, qmodel.codes(images))
    assert np.array_equal(values, qmodel.predict(images).astype(np.float32))


@pytest.mark.parametrize("recipe", ["fast", "lean"])
def test_accuracy_within_a_third_of_a_point(
    recipe: str, default_model: torch.nn.Module, recipes: dict[str, QuantizedModel]
) -> None:
    """Every requantization is a shift; ``lean`` has HyQ's functions all in force."""
    qmodel = recipes[recipe]
    operations = {n.operation.name: n.operation for n in qmodel.graph.nodes.values()}
    swish = "shift_swish" if recipe == "lean" else "table"
    assert {"linear_softmax", swish, "layer_norm", "attention_values"} <= set(operations)
    for node in qmodel.graph.nodes.values():
        requantize = getattr(node.operation, "requantize", ())
        for one in requantize if isinstance(requantize, tuple) else (requantize,):
            assert one.is_shift, node.name
        if node.operation.name == "linear_softmax" and recipe == "lean":
            assert node.type.quantization == Quantization(4, False, encoding="log2")
    images, labels = digits.distorted()
    assert len(images) == 3600
    with torch.inference_mode():
        logits = torch.cat([default_model(batch) for batch in batches(images, 64)])
    float_top1 = 100 * float((logits.argmax(1).numpy() == labels).mean())
    assert qmodel.evaluate(images, labels) >= float_top1 - 0.3
    assert qmodel.evaluate(*digits.test()) >= 99.7


def test_cpp_equals_emulation_on_a_thousand_images(
    default_qmodel: QuantizedModel, default_accelerator: Accelerator
) -> None:
    images = np.concatenate([digits.test().images, digits.distorted().images[:640]])
    assert len(images) == 1000
    assert np.array_equal(default_accelerator.codes(images), default_qmodel.codes(images))


def test_rtl_equals_emulation_and_cpp(default_accelerator: Accelerator) -> None:
    """32 images without a gap, 8 with random stalls on both sides, and the predicted rate."""
    images = np.concatenate([digits.test().images[:16], digits.distorted().images[:14]])
    extremes = np.zeros((2, 32, 32, 3), np.uint8)
    extremes[1] = 255
    images = np.concatenate([images, extremes])
    report = default_accelerator.cosimulate(images)
    assert report.images == 32
    assert report.ok, str(report)
    assert report.cycles_per_frame is not None
    assert abs(report.cycles_per_frame - report.predicted_cycles) <= 0.01 * report.predicted_cycles
    stalled = default_accelerator.cosimulate(images[-8:], idle=0.3, backpressure=0.3, seed=5)
    assert stalled.ok, str(stalled)


def test_queues_of_the_cpp_are_deep_enough(default_accelerator: Accelerator) -> None:
    check_bounded_queues(default_accelerator)


def test_the_cpp_is_as_fast_as_the_rtl_by_plan(default_accelerator: Accelerator) -> None:
    machine = default_accelerator.stream
    plan = plan_hls(machine.hls_flow)
    assert plan.cycles_per_frame <= machine.cycles_per_frame


def test_every_node_agrees(
    default_qmodel: QuantizedModel, default_accelerator: Accelerator
) -> None:
    images = np.concatenate([digits.test().images[:6], np.zeros((1, 32, 32, 3), np.uint8)])
    images = np.concatenate([images, np.full((1, 32, 32, 3), 255, np.uint8)])
    report = verify(
        default_qmodel, images, default_accelerator, trace_images=len(images), progress=False
    )
    assert report.ok, str(report)
    assert [n.level for n in report.nodes] == ["C++"] * len(default_qmodel.graph.nodes)
    assert all(n.integer_db is not None and n.integer_db > 8 for n in report.nodes)


def test_scales_are_labels(default_qmodel: QuantizedModel) -> None:
    """No integer operation reads a scale: other scales everywhere give the same codes."""
    graph = default_qmodel.graph
    relabelled = Graph(graph.input_name, _relabel(graph.input_type))
    for node in graph.nodes.values():
        relabelled.add(node.name, _relabel(node.operation), *node.inputs)
    codes = digits.test().images[:3].astype(np.int64)
    for (name, expected), (_, found) in zip(
        graph.reference(codes), relabelled.reference(codes), strict=True
    ):
        assert np.issubdtype(found.dtype, np.integer), name
        assert np.array_equal(expected, found), name


def _relabel(value: Any) -> Any:
    if isinstance(value, Quantization):
        return replace(value, scale=tuple(3.7 * s + 0.1 for s in value.scale))
    if isinstance(value, tuple):
        return tuple(_relabel(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _relabel(getattr(value, f.name)) for f in fields(value)})
    return value


def test_parameters_are_integers(default_qmodel: QuantizedModel) -> None:
    for node in default_qmodel.graph.nodes.values():
        _check_integers(node.operation, node.name)


def _check_integers(value: object, where: str) -> None:
    if isinstance(value, np.ndarray):
        assert np.issubdtype(value.dtype, np.integer), where
    elif isinstance(value, tuple):
        for v in value:
            _check_integers(v, where)
    elif is_dataclass(value):
        for f in fields(value):
            if not (isinstance(value, Quantization) and f.name == "scale"):
                _check_integers(getattr(value, f.name), f"{where}.{f.name}")
    else:
        assert isinstance(value, int | str), where


def test_saved_network_needs_no_torch(default_qmodel: QuantizedModel, tmp_path: Path) -> None:
    path = default_qmodel.save(tmp_path / "net.hyq")
    assert default_qmodel.save(tmp_path / "again.hyq").read_bytes() == path.read_bytes()
    image = digits.test().images[:1]
    np.save(tmp_path / "image.npy", image)
    program = f"""
import sys, numpy as np, hyq_hls
graph = hyq_hls.load({str(path)!r}).graph
codes = dict(graph.reference(np.load({str(tmp_path / "image.npy")!r}).astype(np.int64)))
print(*codes[graph.output_name].ravel())
assert "torch" not in sys.modules
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    found = np.array(result.stdout.split(), dtype=np.int64)
    assert np.array_equal(found, default_qmodel.codes(image).ravel())


def test_bit_accurate_widths(
    default_qmodel: QuantizedModel, default_accelerator: Accelerator
) -> None:
    """The exact hardware widths give the same integers as the native ones."""
    images = np.concatenate([digits.test().images[:3], np.full((1, 32, 32, 3), 255, np.uint8)])
    accelerator = Accelerator.open(default_accelerator.folder)
    accelerator.compile("-DHYQ_BIT_ACCURATE", "-O1")
    assert np.array_equal(accelerator.codes(images), default_qmodel.codes(images))


def test_types_of_the_graph(default_qmodel: QuantizedModel) -> None:
    graph = default_qmodel.graph
    assert graph.input_type == TensorType((32, 32, 3), Quantization(8, False, (1 / 255,)))
    assert graph.output_type.shape == (10,)
    text = str(default_qmodel)
    assert all(name in text for name in graph.nodes)


def test_a_reader_of_a_stranger_gives_the_same_codes(
    default_qmodel: QuantizedModel, tmp_path: Path
) -> None:
    """It is written from docs/hyq-format.md and imports nothing of the package."""
    document = second_reader.read(str(default_qmodel.save(tmp_path / "net.hyq")))
    images = digits.test().images[:8]
    wanted = dict(default_qmodel.graph.reference(images.astype(np.int64)))
    for name, codes in second_reader.run(document, images):
        assert np.array_equal(codes, wanted[name]), name
    assert np.array_equal(second_reader.output(document, codes), default_qmodel.codes(images))
