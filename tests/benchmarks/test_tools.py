"""benchmarks/tools/run.py without the tools: what it says; with a tool in their place: resuming."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import networks
from benchmarks.tools import run
from hyq_hls.evaluate import KEYS, Records
from hyq_hls.models import digits, mobilevit_digits

REQUIREMENTS = Path(run.__file__).with_name("requirements.txt")


@pytest.mark.parametrize(
    ("preset", "package", "module"),
    [
        ("torchao-minmax", "torchao", "torchao_pt2e"),
        ("brevitas-layerwise", "brevitas", "brevitas_layerwise"),
    ],
)
def test_a_missing_tool_comes_with_the_command_that_installs_it(
    preset: str,
    package: str,
    module: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"benchmarks.tools.{module}", raising=False)
    output = tmp_path / "tools.json"
    with pytest.raises(SystemExit) as stopped:
        run.main(["--presets", preset, "--threads", "1", "--output", str(output)])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"benchmarks/tools/{module}.py needs the package {package}" in said
    assert "pip install -r benchmarks/tools/requirements.txt" in said
    assert f"{package}==" in REQUIREMENTS.read_text("utf-8")
    assert not output.exists()


def test_the_package_imports_no_tool() -> None:
    sources = Path(__file__).parents[2].glob("hyq_hls/**/*.py")
    texts = {path.name: path.read_text("utf-8") for path in sources}
    assert len(texts) > 50
    assert [n for n, text in texts.items() if "torchao" in text or "brevitas" in text] == []


class Doubled:
    """A tool whose logits are twice those of float: 0 dB, the same answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int, str | None]] = []

    def quantized(
        self,
        model: nn.Module,
        calibration: np.ndarray,
        weight_bits: int,
        activation_bits: int,
        observer: str | None = None,
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        self.calls.append((len(calibration), weight_bits, activation_bits, observer))
        return lambda images: 2 * model(images)

    def graph_mode_error(self, model: nn.Module, calibration: np.ndarray, mode: str) -> str | None:
        return "TraceError: no" if mode == "fx" else None


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Doubled:
    found = Doubled()
    monkeypatch.setattr(run, "tool", lambda _name: found)
    images = digits.test()
    stand_in: dict[str, Any] = {
        "NETWORKS": networks.NETWORKS,
        "VARIANTS": networks.VARIANTS,
        "TEST_IMAGES": 40,
        "load": lambda *_: mobilevit_digits(pretrained=True),
        "test_images": lambda _, n: digits.Digits(images.images[:n], images.labels[:n]),
        "calibration_images": lambda _, n, seed: digits.train().images[seed : seed + n],
    }
    monkeypatch.setattr(run, "networks", SimpleNamespace(**stand_in))
    return found


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, tool: Doubled) -> None:
    path = tmp_path / "tools.json"
    options = ["--networks", "default32", "--variants", "plain", "--threads", "1"]
    options += ["--output", str(path), "--presets", "torchao-minmax", "torchao-histogram"]
    assert run.main([*options, "--settings", "W8A8"]) == 0
    assert run.main([*options, "--settings", "W8A8", "W4A8"]) == 0
    calls = [(256, w, 8, o) for w in (8, 4) for o in ("minmax", "histogram")]
    assert tool.calls == calls
    records = Records(path).all
    assert [(r["setting"], r["preset"]) for r in records] == [
        (s, p) for s in ("W8A8", "W4A8") for p in ("torchao-minmax", "torchao-histogram")
    ]
    wanted = {*KEYS, "images", "top1", "drop", "sqnr_db", "agreement", "seconds"}
    for found in records:
        assert set(found) == wanted
        assert (found["top1"], found["drop"], found["agreement"]) == (100.0, 0.0, 100.0)
        assert found["sqnr_db"] == 0.0
    # Other images make other records.
    assert run.main([*options, "--settings", "W8A8", "--images", "20"]) == 0
    assert len(Records(path).all) == 6


def test_reasons_of_the_graph_modes(tmp_path: Path, tool: Doubled) -> None:
    path = tmp_path / "tools.json"
    options = [
        "--networks",
        "slim32",
        "--variants",
        "plain",
        "--settings",
        "W8A8",
        "--threads",
        "1",
    ]
    assert run.main([*options, "--presets", run.GRAPH, "--output", str(path)]) == 0
    (found,) = Records(path).all
    assert found["errors"] == {"fx": "TraceError: no", "flexml": None}
    assert "top1" not in found
    assert tool.calls == []
