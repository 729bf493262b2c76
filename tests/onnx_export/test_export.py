"""The file: names, metadata, order of the output; what cannot be exported is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from hyq_hls import QuantizedModel
from hyq_hls.cli import main
from hyq_hls.errors import ConversionError, FileFormatError, MissingPackageError
from hyq_hls.graph import Graph
from hyq_hls.onnx_export.export import onnx_model
from hyq_hls.onnx_export.exporters import EXPORTERS
from hyq_hls.ops import RequantizeTensor
from tests.onnx_export.session import outputs
from tests.ops.examples import MAP, example_graph, requantize
from tests.ops.harness import random_codes


@pytest.fixture
def graph() -> Graph:
    return example_graph("conv2d", np.random.default_rng(0))


def entries(holder: onnx.NodeProto | onnx.ModelProto | onnx.ValueInfoProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in holder.metadata_props}


def test_a_stranger_finds_nodes_and_scales(graph: Graph) -> None:
    model = onnx_model(graph)
    (node,), (info,) = graph.nodes.values(), model.graph.value_info
    last = next(n for n in model.graph.node if n.output[0] == node.name)
    assert entries(last)["hyq.operation"] == "conv2d"
    assert json.loads(entries(last)["hyq.scale"]) == list(node.type.quantization.scale)
    assert entries(info)["hyq.zero_point"] in info.doc_string
    assert all(
        n.name.startswith((node.name, "output", "codes", "values")) for n in model.graph.node
    )
    assert "hyq.version" in entries(model)
    assert [o.name for o in model.graph.output] == ["codes", "values"]
    axes = model.graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_param or axis.dim_value for axis in axes] == ["batch", *MAP.shape]


def test_the_output_has_the_order_of_the_model() -> None:
    rng = np.random.default_rng(0)
    graph = example_graph("concat", rng)
    graph.output_index = rng.permutation(graph.output_type.size)[:20].reshape(4, 5)
    codes = random_codes(graph.input_type, rng, 3)
    wanted = QuantizedModel(graph)
    stream = dict(graph.reference(codes))[graph.output_name]
    found = outputs(onnx_model(graph), {graph.input_name: codes})
    assert np.array_equal(found["codes"], graph.arranged(stream))
    real = wanted.output_quantization.dequantize(stream)
    assert np.array_equal(found["values"], graph.arranged(real).astype(np.float32))


def test_names_that_are_taken_are_numbered() -> None:
    """A node may have the name of an output, or of a step of another node."""
    rng = np.random.default_rng(0)
    graph, zero = Graph("x", MAP), MAP.quantization.zero_point
    for name, source in (("a", "x"), ("a/Add", "a"), ("codes", "a/Add")):
        out = requantize(rng)
        graph.add(name, RequantizeTensor(zero, out), source)
        zero = out.quantization.zero_point
    codes = random_codes(MAP, rng, 3)
    found = outputs(onnx_model(graph), {"x": codes})
    assert np.array_equal(found["codes_2"], dict(graph.reference(codes))["codes"])


def test_an_operation_without_an_exporter_is_refused_by_name(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(EXPORTERS, "conv2d")
    with pytest.raises(ConversionError, match=r"no ONNX exporter for op\.conv2d \(conv2d\)"):
        QuantizedModel(graph).export_onnx(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_extra_is_named(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hyq_hls.support.packages.installed", lambda name: name != "onnx")
    with pytest.raises(MissingPackageError, match=r'pip install "hyq_hls\[onnx\]"'):
        QuantizedModel(graph).export_onnx(tmp_path / "net.onnx")


def test_a_file_that_cannot_be_written(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot write"):
        QuantizedModel(graph).export_onnx(tmp_path / "nowhere" / "net.onnx")


def test_command_line(graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved, file = QuantizedModel(graph).save(tmp_path / "net.hyq"), tmp_path / "net.onnx"
    assert main(["export", str(saved), "--format", "onnx", "--output", str(file)]) == 0
    assert f"wrote {file}" in capsys.readouterr().out
    onnx.checker.check_model(onnx.load(file), full_check=True)
    assert main(["export", str(saved), "--output", str(tmp_path / "no" / "net.onnx")]) == 2
    assert "cannot write --output" in capsys.readouterr().err
