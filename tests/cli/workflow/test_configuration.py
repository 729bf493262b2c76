"""``hyq.toml``: every key is documented once; what is wrong is named, with file and key."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from hyq_hls.cli.workflow.checks import check, folding, model_source, quantization
from hyq_hls.cli.workflow.configuration import load
from hyq_hls.cli.workflow.inputs import Inputs
from hyq_hls.cli.workflow.schema import example, is_set, meanings, shown
from hyq_hls.cli.workflow.sections import Settings
from hyq_hls.cli.workflow.steps import STEPS, chosen
from hyq_hls.cli.workflow.template import template
from hyq_hls.errors import InputError
from hyq_hls.stream.folding import Folding
from tests.cli.conftest import run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file in a folder with images and a model."""
    np.save(tmp_path / "some.npy", np.zeros((2, 4, 4, 3), np.uint8))
    (tmp_path / "model.py").write_text("def small(): ...\n")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.py").write_text("")
    return tmp_path / "hyq.toml"


#: Makes checks quick: no digits are drawn.
IMAGES = '[data]\ncalibration = "some.npy"\ntest = "some.npy"\n'


def test_every_key_has_a_meaning_and_an_example() -> None:
    for section, cls in get_type_hints(Settings).items():
        assert meanings(Settings)[section]
        assert meanings(cls).keys() == {key.name for key in fields(cls)}
        for key in fields(cls):
            assert is_set(key) or example(key) is not None


def test_the_template_gives_the_defaults(file: Path) -> None:
    file.write_text(template())
    assert load(file).settings == Settings()


def test_every_example_can_be_read(file: Path) -> None:
    """A reader takes the sign of a comment away."""
    keys = [key.name for cls in get_type_hints(Settings).values() for key in fields(cls)]
    lines = template().splitlines()
    given = [
        x.removeprefix("# ") if x.startswith(tuple(f"# {k} = " for k in keys)) else x for x in lines
    ]
    file.write_text("\n".join(given))
    settings = load(file).settings
    assert settings.hardware.target_fps == 1000.0
    assert settings.quantization.node_bits == {"head.*": (4, 8)}


def test_the_page_has_the_template() -> None:
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert f"```toml\n{template()}```" in page
    assert all(f"| `{name}` |" in page for name in STEPS)


def test_the_command_prints_the_template(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", "--template") == 0
    assert capsys.readouterr().out == template()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hardwear]", r"hyq\.toml has no section \[hardwear\]; did you mean 'hardware'\?"),
        ("[hardware]\nclock = 1", r"\[hardware\] has no key 'clock'; did you mean 'clock_mhz'\?"),
        ("part = 'x'", r"hyq\.toml has no section \[part\]; known are model, data"),
        ("hardware = 1", r"hardware = 1: a section is wanted; write \[hardware\] on a line"),
        (
            "[hardware]\nclock_mhz = 'fast'",
            r'\[hardware\] clock_mhz = "fast": a number is wanted; write for example '
            r"clock_mhz = 100\.0",
        ),
        ("[hardware]\nclock_mhz = true", r"clock_mhz = true: a number is wanted"),
        ("[hardware]\narchitecture = 'cpu'", r'one of "auto", "stream", "engine" is wanted'),
        ("[data]\nseed = 1.5", r"seed = 1\.5: a whole number is wanted"),
        ("[model]\nimage_size = 224", r"image_size = 224: a list, each entry a whole number, is"),
        ("[targets]\nsteps = ['csym']", r'each entry one of "quantize", "evaluate"'),
        ("[quantization]\nnode_bits = { a = 3 }", r"a table, each entry a list, each entry"),
        ("[hardware\n", r"hyq\.toml is not a TOML file: .*line 1.*; correct it there"),
    ],
)
def test_a_wrong_file_is_refused(text: str, message: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load(file)


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", tmp_path / "hyq.toml") == 2
    assert "no such file; write one with hyq-hls build --template" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hardware]\npart = 'xc7z02'", r"\[hardware\] part: unknown part 'xc7z02'; did you mean"),
        ("[hardware]\nclock_mhz = -1", r"\[hardware\] clock_mhz: .*wanted"),
        ("[hardware]\nshare = 2", r"\[hardware\] share: .*at most 1"),
        ("[hardware]\ntarget_fps = 0", r"\[hardware\] target_fps = 0\.0: 0\.001 or more is wanted"),
        ("[hardware]\nfolding = { a = [1] }", r'\[hardware\] folding: "a" = \[1\]: lanes'),
        ("[targets]\nidle = 1", r"\[targets\] idle = 1\.0: 0 to 0\.99 is wanted"),
        ("[targets]\noutput = 'model.py'", r"\[targets\] output: cannot write to"),
        ("[quantization]\npreset = 'fest'", r"\[quantization\] preset: .*fest.*fast"),
        ("[quantization]\nweight_bits = 99", r"preset: weight_bits = 99: an integer from 2 to 16"),
        ("[quantization]\noptions = { softmx = 1 }", r"options: no field 'softmx'; did you mean"),
        ("[quantization]\noptions = { scale = 'x' }", r"options: scale = 'x' is unknown; choose"),
        ("[quantization]\nnode_bits = { a = [4] }", r"node_bits: \"a\" = \[4\]: two widths"),
        ("[model]\nsource = 'no.py:small'", r"\[model\] source: no such Python file: .*no\.py"),
        ("[model]\nsource = 'mobilevit_xx'", r"no network 'mobilevit_xx'.*did you mean"),
        ("[model]\ncheckpoint = 'no.pth'", r"\[model\] checkpoint: no such file: .*no\.pth"),
        ("[model]\nimage_size = [3]", r"image_size: \[3\]: height and width are wanted"),
        (
            "[model]\nrandom_weights = true\ncheckpoint = 'model.py'",
            r"checkpoint: random_weights = true takes no checkpoint; leave one",
        ),
    ],
)
def test_what_is_wrong_is_found_before_any_work(text: str, message: str, file: Path) -> None:
    file.write_text(f"{IMAGES}{text}\n")
    with pytest.raises(InputError, match=rf"(?s)^{file.parent}.*{message}"):
        check(load(file))


def test_images_that_are_not_there(file: Path) -> None:
    file.write_text('[data]\ncalibration = "some.npy"\ntest = "nowhere.npz"\n')
    with pytest.raises(InputError, match=r"\[data\] test: no such file: .*nowhere\.npz"):
        check(load(file))


def test_noise_needs_a_size(file: Path) -> None:
    text = '[data]\ncalibration = "noise"\ntest = "noise"\n[model]\nsource = "model.py:small"\n'
    file.write_text(text)
    with pytest.raises(
        InputError, match=r"\[data\] calibration: noise needs a size; write image_s"
    ):
        check(load(file))
    file.write_text(f"{text}image_size = [6, 8]\n")
    check(load(file))
    images = Inputs(load(file)).calibration()
    assert (images.shape, images.dtype) == ((256, 6, 8, 3), np.uint8)


def test_paths_are_relative_to_the_file(file: Path) -> None:
    file.write_text('[model]\nsource = "model:small"\n[data]\ncalibration = "some.npy"\n')
    configuration = load(file)
    assert model_source(configuration) == f"{file.parent}/model.py:small"
    assert configuration.images("some.npy") == str(file.parent / "some.npy")
    assert configuration.images("digits-test") == "digits-test"
    assert configuration.output == file.parent / "build" / "hyq"
    file.write_text('[model]\nsource = "net.model:small"\n')
    assert model_source(load(file)) == f"{file.parent}/net/model.py:small"
    file.write_text('[model]\nsource = "torchvision.models:resnet18"\n')
    assert model_source(load(file)) == "torchvision.models:resnet18"


def test_options_change_the_preset(file: Path) -> None:
    text = "[quantization]\npreset = 'lean'\nweight_bits = 6\noptions = { swish = 'table' }\n"
    file.write_text(
        f"{text}node_bits = {{ 'head*' = [4, 8] }}\n[hardware]\nfolding = {{ a = [2, 1] }}"
    )
    config = quantization(load(file))
    assert (config.weight_bits, config.swish, config.scale) == (6, "table", "power_of_two")
    assert config.for_node("head").weight_bits == 4
    assert folding(load(file)) == {"a": Folding(2, 1)}


def test_steps_come_in_their_order_with_what_they_need() -> None:
    road = ["quantize", "evaluate", "convert", "csim", "cosim", "estimate", "report"]
    assert chosen(Settings()) == road
    assert chosen(Settings(), "convert") == ["quantize", "evaluate", "convert"]
    assert chosen(Settings(), "onnx") == ["quantize", "evaluate", "onnx"]


@pytest.mark.parametrize(
    ("hls", "message"),
    [
        ("vitis", "neither vitis-run nor vitis_hls was found: building needs AMD Vitis HLS"),
        ("bambu", "bambu was not found: building needs PandA Bambu"),
    ],
)
def test_a_missing_vendor_s_tool_is_said_first(
    hls: str,
    message: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(file.parent / "empty"))
    file.write_text(f'{IMAGES}[hardware]\nhls = "{hls}"\n[targets]\nsteps = ["vendor"]\n')
    assert run("build", file) == 2
    assert f"{file} [targets] steps: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("a", '"a"'),
        ([1, "b"], '[1, "b"]'),
        ({"a.b": 1}, '{ "a.b" = 1 }'),
        ({}, "{}"),
    ],
)
def test_values_are_shown_as_toml(value: object, text: str) -> None:
    assert shown(value) == text
