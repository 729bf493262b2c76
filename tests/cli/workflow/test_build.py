"""``hyq-hls build``: results, what made them, and which steps run again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hyq_hls import Accelerator, QuantizedModel
from hyq_hls.cli.workflow import run as run_module
from hyq_hls.cli.workflow.configuration import load
from hyq_hls.cli.workflow.record import Record
from hyq_hls.cli.workflow.steps import STEPS, Outcome, Step, Work
from hyq_hls.errors import HyqError, InputError
from tests.cli.conftest import run

NETWORK = """
[model]
source = "model.py:small"

[data]
calibration = "images.npz"
test = "images.npz"

[hardware]
target_fps = 1000
"""
QUICK = f'{NETWORK}\n[targets]\noutput = "out"\nsteps = ["evaluate", "onnx", "estimate"]\n'


@pytest.fixture(scope="module")
def built(workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small network with results of the steps that need no compiler; not to change."""
    folder = tmp_path_factory.mktemp("build") / "place"
    shutil.copytree(workplace, folder)
    (folder / "hyq.toml").write_text(QUICK)
    assert run("build", folder / "hyq.toml") == 0
    return folder


@pytest.mark.slow
def test_every_result_says_what_made_it(built: Path) -> None:
    out, configuration = built / "out", load(built / "hyq.toml")
    record = json.loads((out / "build.json").read_text())
    assert record["versions"].keys() >= {"hyq_hls", "python", "torch"}
    assert list(record["steps"]) == ["quantize", "evaluate", "onnx", "convert", "estimate"]
    for step in record["steps"].values():
        assert step["configuration"] == configuration.sha256
        assert step["seconds"] >= 0
    for copy in (out / "hyq.toml", out / "configurations" / f"{configuration.sha256}.toml"):
        assert copy.read_text() == QUICK
    stamp = {"file": "hyq.toml", "sha256": configuration.sha256}
    for name in ("evaluation.json", "estimate.json"):
        assert json.loads((out / name).read_text())["configuration"] == stamp
    qmodel = QuantizedModel.load(out / "net.hyq")
    assert qmodel.graph.metadata["configuration"] == stamp
    entries = {e.key: e.value for e in onnx.load(out / "net.onnx").metadata_props}
    assert json.loads(entries["hyq.configuration"]) == stamp
    images = np.load(built / "images.npz")
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert evaluation["images"] == len(images["images"])
    assert evaluation["top1"] == round(qmodel.evaluate(images["images"], images["labels"]), 3)
    assert evaluation["float_top1"] == evaluation["top1"] + evaluation["drop"]
    assert Accelerator.open(out / "net").machine.cycles_per_frame <= 100_000


def test_the_modules_beside_the_model_are_its_inputs(built: Path) -> None:
    inputs = Record.load(built / "out").steps["quantize"].inputs
    assert {Path(path).name for path in inputs} == {"model.py", "widths.py", "images.npz"}


@pytest.mark.slow
def test_the_whole_road(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """C++ and RTL too; what was built without them is kept."""
    shutil.copytree(built, tmp_path / "p", copy_function=shutil.copy2)
    file = tmp_path / "p" / "hyq.toml"
    file.write_text(f'{NETWORK}\n[targets]\noutput = "out"\ncosim_images = 3\ncsim_images = 5\n')
    assert run("build", file) == 0
    out = capsys.readouterr().out
    assert "csim: " in out
    page = (tmp_path / "p" / "out" / "report.html").read_text()
    assert load(file).sha256 in page
    assert "3 frames of " in page  # the co-simulation is on it
    report = json.loads((tmp_path / "p" / "out" / "cosim.json").read_text())
    assert (report["images"], report["rtl_equal_images"], report["ok"]) == (3, 3, True)
    assert report["configuration"]["sha256"] == load(file).sha256
    text = (tmp_path / "p" / "out" / "verify.txt").read_text()
    assert "C++ equal on 5 of 5 images" in text
    assert load(file).sha256 in text
    assert run("build", file) == 0
    assert capsys.readouterr().out.count("nothing changed since") == 7


# --- which steps run: with steps that only write a file ---


class Road:
    """Steps that write a file, convert one with its settings, and say that they ran.

    Attributes:
        ran: the steps that ran in the last build.
        lines: what it printed.
        ok: what it returned.
        broken: how the work of a step ends otherwise.
    """

    ran: list[str]
    lines: list[str]
    ok: bool

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.ran, self.lines = file, [], []
        self.broken: dict[str, Callable[[Path], Outcome]] = {}
        self.file.write_text('[targets]\noutput = "out"\nsteps = ["estimate", "evaluate"]\n')
        monkeypatch.setattr(
            run_module, "check", lambda configuration: configuration.output.mkdir(exist_ok=True)
        )
        for name in ("quantize", "evaluate", "convert", "estimate"):
            old = STEPS[name]
            monkeypatch.setitem(STEPS, name, Step(old.settings, self.step(name), old.needs))

    def step(self, name: str) -> Callable[[Work], Outcome]:
        def write(work: Work) -> Outcome:
            self.ran.append(name)
            file = work.folder / f"{name}.txt"
            hardware = work.configuration.settings.hardware if name == "convert" else ""
            file.write_text(f"{name} {hardware}")
            if name in self.broken:
                return self.broken[name](file)
            return Outcome({"value": 1}, [file], [self.file.parent / "input.txt"])

        return write

    def build(self, **options: Any) -> list[str]:
        """The steps that ran."""
        self.ran.clear()
        self.lines.clear()
        self.ok = run_module.build(load(self.file), say=self.lines.append, **options)
        return list(self.ran)

    def set(self, text: str) -> None:
        self.file.write_text(self.file.read_text() + text)


ALL = ["quantize", "evaluate", "convert", "estimate"]


@pytest.fixture
def road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Road:
    (tmp_path / "input.txt").write_text("1")
    return Road(tmp_path / "hyq.toml", monkeypatch)


def test_nothing_changed(road: Road) -> None:
    assert road.build() == ALL
    assert road.build() == []
    assert sum("nothing changed since" in line for line in road.lines) == 4
    assert road.build(force=True) == ALL


def test_a_key_runs_the_steps_that_depend_on_it(road: Road) -> None:
    road.build()
    road.set("[hardware]\nclock_mhz = 150\n")
    assert road.build() == ["convert", "estimate"]
    road.set("\n# a comment\n")
    assert road.build() == []
    road.set("[quantization]\nweight_bits = 6\n")
    # The files of quantize are the same, so the steps behind it are as before.
    assert road.build() == ["quantize"]


def test_files_that_changed(road: Road) -> None:
    road.build()
    (road.file.parent / "input.txt").write_text("2")
    assert road.build() == ALL
    (road.file.parent / "out" / "convert.txt").write_text("by hand")
    assert road.build() == ["convert"]
    (road.file.parent / "out" / "estimate.txt").unlink()
    assert road.build() == ["estimate"]


def test_until(road: Road) -> None:
    assert road.build(until="evaluate") == ["quantize", "evaluate"]
    assert road.build() == ["convert", "estimate"]


def test_another_version_runs_all(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.build()
    monkeypatch.setattr("hyq_hls.cli.workflow.record.__version__", "9.9")
    assert road.build() == ALL


def interrupted(file: Path) -> Outcome:
    raise KeyboardInterrupt


def failed(file: Path) -> Outcome:
    raise HyqError("does not fit; give must_fit=False")


def test_an_interrupted_step_runs_again(road: Road) -> None:
    """Also where it was finished before, and its files look as they did."""
    road.build()
    road.broken["convert"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        road.build(force=True)
    road.broken.clear()
    assert road.build() == ["convert"]  # estimate takes the same files as before


def test_a_step_that_fails_names_itself_and_the_file(road: Road) -> None:
    road.broken["convert"] = failed
    with pytest.raises(InputError, match=r'hyq\.toml, step convert: .*give must_fit = "no"'):
        road.build()
    road.broken.clear()
    assert road.build() == ["convert", "estimate"]


def test_a_wrong_result_ends_the_run_and_is_not_kept(road: Road) -> None:
    road.broken["evaluate"] = lambda file: Outcome({"value": 2}, [file], failure="codes differ")
    assert road.build() == ["quantize", "evaluate"]
    assert not road.ok
    assert road.build() == ["evaluate"]
    assert "evaluate: codes differ (value 2)" in road.lines


def test_a_missing_program_is_noticed_before_the_first_step(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match=r"\[targets\] steps: no-such-compiler was not found"):
        road.build(until="csim")
    assert not road.ran


@pytest.mark.parametrize("content", ["", "{", "[]", '{"steps": 3}', '{"steps": {"quantize": {}}}'])
def test_a_damaged_record_is_no_record(content: str, road: Road) -> None:
    road.build()
    (road.file.parent / "out" / "build.json").write_text(content)
    assert road.build() == ALL
