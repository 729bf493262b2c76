"""Wrong arguments: what is meant is accepted, all else is an error of ours that says the cure."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls import Accelerator, NodeBits, QuantConfig, QuantizedModel, convert, load, quantize
from hyq_hls.errors import HyqError
from hyq_hls.quant import presets
from hyq_hls.quant.methods import Qads
from hyq_hls.verify import verify
from tests.quant.networks import IMAGES, tiny

MODEL: Any = tiny()


@pytest.fixture(scope="module")
def qmodel() -> QuantizedModel:
    names = [f"class {i}" for i in range(5)]
    return quantize(MODEL, IMAGES, class_names=names, progress=False)


def config_of(qmodel: QuantizedModel) -> dict[str, Any]:
    found: dict[str, Any] = qmodel.graph.metadata["config"]
    return found


@pytest.mark.slow
def test_a_preset_by_name() -> None:
    named = quantize(MODEL, IMAGES, "minmax", progress=False)
    assert config_of(named) == presets.minmax().to_json()


@pytest.mark.slow
def test_a_dict_of_fields() -> None:
    made = quantize(MODEL, IMAGES, {"weight_bits": np.int64(6)}, progress=False)
    assert config_of(made) == presets.fast(weight_bits=6).to_json()


@pytest.mark.slow
def test_the_default_is_the_recipe_fast(qmodel: QuantizedModel) -> None:
    assert config_of(qmodel) == presets.fast().to_json()


def test_predict_is_real_and_codes_are_codes(qmodel: QuantizedModel) -> None:
    q, codes = qmodel.output_quantization, qmodel.codes(IMAGES)
    wanted = (codes - np.array(q.zero_point)) * np.array(q.scale)
    assert np.array_equal(qmodel.predict(IMAGES), wanted)
    assert np.array_equal(qmodel(IMAGES), wanted)


def test_objects_show_themselves(qmodel: QuantizedModel) -> None:
    assert repr(qmodel) == "QuantizedModel(Hybrid: 6 x 6 x 3 -> 5, 36 nodes, 8,084 MAC)"
    assert qmodel._repr_html_() == f"<pre>{qmodel}</pre>".replace("->", "-&gt;")
    assert qmodel.capture_report is not None
    assert "float operations by kind" in qmodel.capture_report._repr_html_()
    assert qmodel.class_names == ("class 0", "class 1", "class 2", "class 3", "class 4")
    report = verify(qmodel, IMAGES, progress=False)
    assert repr(report) == "VerifyReport(36 nodes, 6 images, all levels agree)"


@pytest.mark.slow
def test_one_line_says_how_close_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    quantize(MODEL, IMAGES, presets.minmax(4, 4))
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("outputs ")
    assert "dB from the model's on 6 calibration images, same largest output on" in line
    assert line.count(" dB") == 4
    quantize(MODEL, IMAGES, presets.minmax(4, 4), progress=False)
    assert capsys.readouterr() == ("", "")


BAD_CONFIG: dict[str, Callable[[], Any]] = {
    "config of type int found; a QuantConfig, the name of a recipe": lambda: 8,
    "config has no bits; its fields are weight_bits": lambda: {"bits": 6},
    "config=QuantConfig is a function or a class; call it": lambda: QuantConfig,
    r"config=best is a function or a class; call it, as best\(\)": lambda: presets.best,
    "unknown preset 'bset'; choose one of fast, lean": lambda: "bset",
    "weight_bits='6': an integer from 2 to 16": lambda: {"weight_bits": "6"},
    "weight_bits=True: an integer": lambda: QuantConfig(True),
    "overrides=.*: a dict from patterns": lambda: QuantConfig(overrides={"a": 4}),  # type: ignore[dict-item]
    "overrides=.*NodeBits": lambda: QuantConfig(overrides=[("a", NodeBits(4))]),  # type: ignore[arg-type]
    "methods=.*: a tuple of methods": lambda: QuantConfig(methods=Qads()),  # type: ignore[arg-type]
    "percentile='99': a number": lambda: QuantConfig(percentile="99"),  # type: ignore[arg-type]
    r"scale=\['shift'\] is unknown": lambda: QuantConfig(scale=["shift"]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", BAD_CONFIG)
def test_configurations(message: str) -> None:
    with pytest.raises(HyqError, match=message):
        quantize(MODEL, IMAGES, BAD_CONFIG[message](), progress=False)


QUANTIZE: dict[str, dict[str, Any]] = {
    "found the class Linear, which is not built yet": {"model": torch.nn.Linear},
    "found ndarray; give the trained module itself": {"model": IMAGES},
    "class_names='abc': a list of texts": {"class_names": "abc"},
    "class_names=5: a list of texts": {"class_names": 5},
    "1 class_names found; the network has 5 outputs": {"class_names": ["a"]},
    "images are wanted, found NoneType": {"calibration_images": None},
    "images are wanted, found Hybrid": {"calibration_images": MODEL},
}


@pytest.mark.slow
@pytest.mark.parametrize("message", QUANTIZE)
def test_quantize(message: str) -> None:
    arguments: dict[str, Any] = {"model": MODEL, "calibration_images": IMAGES, "progress": False}
    with pytest.raises(HyqError, match=message):
        quantize(**{**arguments, **QUANTIZE[message]})


CONVERT: dict[str, dict[str, Any]] = {
    "found Hybrid; quantize the trained module first": {"qmodel": MODEL},
    "found str; load the file first": {"qmodel": "net.hyq"},
    "clock_mhz='100': a number is wanted": {"clock_mhz": "100"},
    "clock_mhz=None: a number is wanted": {"clock_mhz": None},
    "clock of nan MHz": {"clock_mhz": float("nan")},
    r"clock_mhz=1000: \d+ MHz are in reach on xc7z020; .* give clock_mhz=": {"clock_mhz": 1000},
    "part=None: the name of a part": {"part": None},
    "a path in UTF-8 is wanted, found 5": {"output_dir": 5},
    "project name 5: a letter": {"project": 5},
    "target_fps='5': a number": {"target_fps": "5"},
    "share='1': a number": {"share": "1"},
    "folding=5: a dict from names of nodes to Folding": {"folding": 5},
    r"folding=\{'head': 5\}: a dict": {"folding": {"head": 5}},
    r"circuits=\{5: 'table'\}: a dict": {"circuits": {5: "table"}},
}


@pytest.mark.parametrize("message", CONVERT)
def test_convert(message: str, qmodel: QuantizedModel, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"qmodel": qmodel, "output_dir": tmp_path / "net"}
    with pytest.raises(HyqError, match=message):
        convert(**{**arguments, **CONVERT[message]})
    assert not (tmp_path / "net").exists()


@pytest.mark.slow
def test_the_clock_in_reach_is_taken(qmodel: QuantizedModel, tmp_path: Path) -> None:
    """The message's cures work."""
    with pytest.raises(HyqError, match="clock_mhz=900") as found:
        convert(qmodel, clock_mhz=900, output_dir=tmp_path / "net")
    reached = int(str(found.value).partition("give clock_mhz=")[2].partition(",")[0])
    assert convert(qmodel, clock_mhz=reached, output_dir=tmp_path / "a").clock_mhz == reached
    fast = convert(qmodel, clock_mhz=900, output_dir=tmp_path / "b", must_fit=False)
    assert repr(fast).endswith("net on xc7z020 at 900 MHz, 216 cycles per frame, not compiled)")
    assert convert(qmodel, output_dir=tmp_path / "c").clock_mhz == 100


@pytest.mark.parametrize(
    "use",
    [
        lambda q: load(None),  # type: ignore[arg-type]
        lambda q: q.save(5),
        lambda q: Accelerator.open(None),  # type: ignore[arg-type]
        lambda q: q.codes(None),
        lambda q: q.predict({"image": IMAGES}),
        lambda q: q.evaluate(IMAGES, ["cat"] * len(IMAGES)),
        lambda q: q.evaluate(IMAGES, [99] * len(IMAGES)),
        lambda q: q.evaluate(IMAGES),
        lambda q: verify(MODEL, IMAGES),
        lambda q: verify(q, IMAGES, 5),  # type: ignore[arg-type]
        lambda q: verify(q, IMAGES, trace_images="a"),  # type: ignore[arg-type]
    ],
)
def test_everything_else_is_an_error_of_ours(
    use: Callable[[QuantizedModel], Any], qmodel: QuantizedModel
) -> None:
    with pytest.raises(HyqError, match=r"found|wanted"):
        use(qmodel)


def test_a_model_is_pickled_even_where_its_module_cannot_be(qmodel: QuantizedModel) -> None:
    graph = qmodel.graph
    for module in (MODEL, torch.nn.Sequential(MODEL)):
        kept = QuantizedModel(graph, module=module, float_graph=qmodel.float_graph)
        assert pickle.loads(pickle.dumps(kept)).module is not None
    module.register_forward_hook(lambda *_: None)
    kept = QuantizedModel(graph, module=module, float_graph=qmodel.float_graph)
    for other in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept)):
        assert other.module is None
        assert np.array_equal(other.codes(IMAGES[:2]), qmodel.codes(IMAGES[:2]))
