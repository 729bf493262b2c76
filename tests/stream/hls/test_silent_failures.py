"""What hls4ml lets pass without a word is an error here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hls4ml.model import layers as hls4ml_layers
from hls4ml.model.types import IntegerPrecisionType

from hyq_hls import QuantizedModel, convert
from hyq_hls.errors import ConversionError, GraphError
from hyq_hls.graph import Graph
from hyq_hls.ops import Dense
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.hls import check, layers, project
from hyq_hls.stream.hls.project import build_model
from tests.stream.hls.conftest import small_graph


def build(graph: Graph, folder: Path) -> Any:
    return build_model(build_dataflow(graph, {}), folder / "p", "net", "xc7z020clg400-1", 150)


class Untaught(layers.HyqOperation):
    """A layer class that nobody gave a template."""


def change_layer(monkeypatch: pytest.MonkeyPatch, name: str, **changes: object) -> None:
    """Let the lowering give layer ``name`` other attributes."""
    lower = project._layers

    def changed(*arguments: Any) -> Any:
        found = lower(*arguments)
        return [({**d, **changes} if d["name"] == name else d) for d in found]

    monkeypatch.setattr(project, "_layers", changed)


def test_layer_without_call_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(hls4ml_layers.layer_map, "Untaught", Untaught)
    change_layer(monkeypatch, "b_layer", class_name="Untaught")
    with pytest.raises(ConversionError, match=r"b_layer: no C\+\+ call .*for Untaught"):
        build(small_graph(), tmp_path)


def test_empty_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layers.StageCall, "format", lambda self, node: "")
    with pytest.raises(ConversionError, match="a_layer: no C\\+\\+ call was generated"):
        build(small_graph(), tmp_path)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Activation", {"activation": "relu", "n_in": 64}),
        ("Reshape", {"target_shape": [4, 4, 4]}),
    ],
)
def test_foreign_layer(
    name: str, attributes: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    change_layer(monkeypatch, "b_layer", class_name=name, **attributes)
    with pytest.raises(ConversionError, match=rf"b_layer: layer class \w*{name} is not one of"):
        build(small_graph(), tmp_path)


def test_dropped_layer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lower = project._layers

    def drop(*arguments: Any) -> Any:
        found = lower(*arguments)
        return [d for d in found if "stage" not in d or d["stage"].name != "head"]

    named = project._tensor_name

    def name_of_the_last(flow: Dataflow, stream: str) -> str:
        return named(flow, "pool" if stream == "head" else stream)

    monkeypatch.setattr(project, "_layers", drop)
    monkeypatch.setattr(project, "_tensor_name", name_of_the_last)
    with pytest.raises(ConversionError, match=r"dropped the streams \['head'\]"):
        build(small_graph(), tmp_path)


def test_changed_width(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layers, "precision", lambda tensor: IntegerPrecisionType(7, False))
    with pytest.raises(ConversionError, match=r"a: .*changed the codes from uint<8> to uint<7>"):
        build(small_graph(), tmp_path)


def test_changed_shape(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def narrow(self: layers.HyqOperation) -> None:
        name = self.get_attr("streams")[0].name
        self.add_output_variable([1, 2], var_name=name, precision=IntegerPrecisionType(8, False))

    monkeypatch.setattr(layers.HyqOperation, "initialize", narrow)
    with pytest.raises(ConversionError, match=r"a: hls4ml changed the words from \(64, 1\) to"):
        build(small_graph(), tmp_path)


def test_unknown_layer_in_the_configuration() -> None:
    config: dict[str, Any] = {"HLSConfig": {"LayerName": {"image": {}, "imgae": {}}}}
    with pytest.raises(ConversionError, match=r"unknown layers \['imgae'\]; known are \['a'"):
        check.check_layer_names(config, [{"name": "image"}, {"name": "a"}])


def test_changed_type(tmp_path: Path) -> None:
    """The C++ calls the type by our name, so hls4ml must do so too."""
    model = build(small_graph(), tmp_path)
    variables = {v.name: v for layer in model.get_layers() for v in layer.get_variables()}
    variables["a"].type.name = "layer2_t"
    with pytest.raises(ConversionError, match=r"a: .*changed the type from a_word to layer2_t"):
        model.write()
    assert not (tmp_path / "p").exists()


def test_model_that_was_changed_is_not_written(tmp_path: Path) -> None:
    """The C++ is printed from the dataflow, and a changed graph would not be in it."""
    model = build(small_graph(), tmp_path)
    head = model.graph["head_layer"]
    del model.graph["head_layer"]
    with pytest.raises(ConversionError, match=r"hls4ml dropped the streams \['head'\]"):
        model.write()
    model.graph["head_layer"] = head
    head.add_output_variable([1, 1], out_name="extra", var_name="extra")
    with pytest.raises(ConversionError, match=r"hls4ml added the streams \['extra'\]"):
        model.write()
    assert not (tmp_path / "p").exists()


def test_layers_carry_the_lines_of_the_files(tmp_path: Path) -> None:
    """Who looks at hls4ml's graph sees the same C++ as who looks at the project."""
    model = build(small_graph(), tmp_path)
    model.write()
    top = (tmp_path / "p/firmware/net.cpp").read_text()
    parameters = (tmp_path / "p/firmware/parameters.h").read_text()
    stages = [layer for layer in model.get_layers() if layer.get_attr("stage") is not None]
    assert len(stages) > 5, "operations and forks"
    for layer in stages:
        assert layer.get_attr("function_cpp") in top
        assert layer.get_attr("config_cpp", "") in parameters


@pytest.mark.parametrize("value", [128, 200, -129])
def test_weights_out_of_range(value: int, tmp_path: Path) -> None:
    """A weight that slips past the operation's own check does not reach the memory."""
    operation = small_graph().nodes["a"].operation
    assert isinstance(operation, Dense)
    weight = operation.weight.copy()
    weight[1, 2] = value
    with pytest.raises(GraphError, match="do not fit 8 bits"):
        replace(operation, weight=weight)
    graph = small_graph()
    object.__setattr__(graph.nodes["a"].operation, "weight", weight)
    with pytest.raises(GraphError, match=r"memory weight: values in .* do not fit 8 bits"):
        convert(QuantizedModel(graph), output_dir=tmp_path / "p")
    assert not list(tmp_path.iterdir())


def test_weights_arrive_as_they_are(tmp_path: Path) -> None:
    """hls4ml writes weights with few decimals; ours are integers, all of them."""
    graph = small_graph()
    build(graph, tmp_path).write()
    operation = graph.nodes["a"].operation
    assert isinstance(operation, Dense)
    header = (tmp_path / "p/firmware/weights/a.h").read_text()
    for name, values in (("weight", operation.weight), ("bias", operation.bias)):
        body = re.search(rf"a_{name}(?:\[\d+\])+ = \{{(.*?)\}};", header, re.DOTALL)
        assert body is not None
        assert np.array_equal([int(v) for v in re.findall(r"-?\d+", body[1])], values.ravel())


def test_dead_nodes_are_refused(tmp_path: Path) -> None:
    graph = small_graph()
    graph.add("late", graph.nodes["a"].operation, "image")
    with pytest.raises(GraphError, match="head: nobody reads this output"):
        build(graph, tmp_path)


LISTED = "from hls4ml.backends import get_available_backends; print(get_available_backends())"
CONVERTED = """
from pathlib import Path
from tests.stream.hls.conftest import small_graph
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.hls.project import build_model
for name in "pq":
    flow = build_dataflow(small_graph(), {})
    build_model(flow, Path(name), "net", "xc7z020clg400-1", 150).write()
    assert "hyq::add" in (Path(name) / "firmware/net.cpp").read_text()
"""
NO_ENTRY_POINTS = """
import importlib.metadata
importlib.metadata.entry_points = lambda: importlib.metadata.EntryPoints(())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "variables"),
    [
        (LISTED + "; assert 'hyq' in get_available_backends()", {}),
        (NO_ENTRY_POINTS + LISTED + "; assert 'hyq' not in get_available_backends()", {}),
        (NO_ENTRY_POINTS + CONVERTED, {}),
        (CONVERTED, {"HLS4ML_BACKEND_PLUGINS": "hyq_hls.stream.hls.plugin"}),
    ],
    ids=["listed", "not_installed", "converts_without_entry_point", "registered_twice"],
)
def test_registration(code: str, variables: dict[str, str], tmp_path: Path) -> None:
    environment = {**os.environ, **variables, "PYTHONPATH": str(Path(__file__).parents[3])}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
