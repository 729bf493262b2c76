"""quantize, convert, verify on a small model: what is printed, written, and found."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls import Accelerator, NodeBits, QuantConfig, load, quantize
from hyq_hls.cli import sources
from hyq_hls.ops import Conv2d, Dense
from hyq_hls.quant import presets
from tests.cli.conftest import run


@pytest.fixture(scope="module")
def project(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The converted and compiled project."""
    folder = tmp_path_factory.mktemp("road") / "hls"
    assert run("convert", network, "--output", folder, "--no-compile") == 0
    build(folder)
    return folder


def build(folder: Path) -> None:
    subprocess.run([str(folder / "build_lib.sh"), "-O1"], check=True)


def test_the_help_shows_the_fields_of_fast() -> None:
    """The command line does not load torch, which the recipes need, for its help."""
    assert replace(presets.fast(), methods=()) == QuantConfig()


def test_quantize_is_the_api(
    network: Path, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file holds what ``hyq_hls.quantize`` gives, and options arrive in the configuration."""
    model = sources.model(f"{workplace / 'model.py'}:small")
    images = np.load(workplace / "images.npy")
    wanted = quantize(model, images, progress=False)
    found = load(network)
    assert np.array_equal(found.codes(images), wanted.codes(images))
    options = ("--weight-bits", 6, "--scale", "dyadic", "--observer", "minmax", "--report")
    some = ("--node-bits", "4=5/8", "--node-bits", "0=4/7", "--output-bits", 12)
    source = ("--model", f"{workplace / 'model.py'}:small", "--images", workplace / "images.npz")
    output = tmp_path / "other.hyq"
    assert run("quantize", *source, "--output", output, *options, *some) == 0
    text = capsys.readouterr().out
    assert f"saved {output}; next: hyq-hls convert {output}" in text
    config = replace(
        presets.fast(),
        weight_bits=6,
        output_bits=12,
        scale="dyadic",
        observer="minmax",
        overrides={"4": NodeBits(5, 8), "0": NodeBits(4, 7)},
    )
    other = load(output).graph
    assert other.metadata["config"] == config.to_json()
    assert np.array_equal(
        load(output).codes(images), quantize(model, images, config, progress=False).codes(images)
    )
    first, *_, last = other.nodes.values()
    assert isinstance(first.operation, Conv2d)
    assert isinstance(last.operation, Dense)
    assert (first.operation.weight_bits, last.operation.weight_bits) == (4, 5)
    assert (first.type.quantization.bits, last.type.quantization.bits) == (7, 12)
    for name in other.nodes:
        assert f"\n{name} " in text


def test_calibration_takes_so_many(workplace: Path, tmp_path: Path) -> None:
    source = ("--model", f"{workplace / 'model.py'}:small", "--images", workplace / "images.npy")
    for count, used in ((5, 5), (99, 12)):
        output = tmp_path / f"{count}.hyq"
        assert run("quantize", *source, "--calibration", count, "--output", output) == 0
        assert load(output).graph.metadata["calibration_images"] == used


def test_take() -> None:
    data = np.arange(100)
    some = sources.take(data, 20)
    assert len(set(some.tolist())) == 20
    assert np.array_equal(some, np.sort(some))
    assert np.array_equal(some, sources.take(data, 20))
    assert not np.array_equal(some, sources.take(data, 20, seed=1))
    assert np.array_equal(sources.take(data, 100), data)


def test_images_with_labels(workplace: Path) -> None:
    images, labels = sources.images(str(workplace / "images.npz"))
    alone, none = sources.images(str(workplace / "images.npy"))
    assert np.array_equal(images, alone)
    assert labels is not None
    assert np.array_equal(labels, np.arange(12) % 5)
    assert none is None


def test_verify_a_file(network: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without C++: float, integers and emulation of every node."""
    assert run("verify", network, "--images", workplace / "images.npy") == 0
    text = capsys.readouterr().out
    assert "all levels agree" in text
    assert " dB" in text, "the float model was found again"
    for name in load(network).graph.nodes:
        assert f"\n{name} " in text
    assert "C++" not in text


@pytest.mark.smoke
@pytest.mark.slow
def test_verify_a_project(
    project: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("verify", project, "--images", workplace / "images.npy", "--count", 7)
    assert run(*arguments, "--trace", 3) == 0
    text = capsys.readouterr().out
    assert "network: C++ equal on 7 of 7 images" in text
    assert text.rstrip().endswith("all levels agree")
    assert text.count(" C++") >= len(load(project / "graph.hyq").graph.nodes)


@pytest.mark.slow
def test_verify_compiles_when_needed(
    project: Path, workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No library, or one that is older than the C++."""
    folder = Path(shutil.copytree(project, tmp_path / "copy"))
    library, source = folder / "net.so", folder / "net_bridge.cpp"
    content = library.read_bytes()
    compiled = []

    def compile_(self: Accelerator, *flags: str) -> Accelerator:
        compiled.append(flags)
        library.write_bytes(content)
        self._compiled = self.machine.compiled(self.folder)
        return self

    monkeypatch.setattr(Accelerator, "compile", compile_)
    changes: list[Callable[[], object]] = [lambda: None, library.unlink, source.touch]
    for count, change in enumerate(changes):
        change()
        assert run("verify", folder, "--images", workplace / "images.npy") == 0
        assert len(compiled) == count


@pytest.mark.slow
def test_one_wrong_weight(
    project: Path, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, and the first node, index, expected and found code where the C++ differs."""
    folder = Path(shutil.copytree(project, tmp_path / "copy"))
    graph = load(folder / "graph.hyq").graph
    images = np.load(workplace / "images.npy")
    conv = next(iter(graph.nodes.values()))
    operation = conv.operation
    assert isinstance(operation, Conv2d)
    opening = re.compile(r"_weight\[(\d+)\]\[(\d+)\] = \{\n    \{")
    sizes = {
        header: int(found[1]) * int(found[2])
        for header in (folder / "firmware" / "weights").glob("*.h")
        if (found := opening.search(header.read_text()))
    }
    header = next(h for h, size in sizes.items() if size == operation.weight.size)
    start = opening.search(header.read_text())
    assert start is not None
    before, rest = header.read_text()[: start.end()], header.read_text()[start.end() :]
    first, comma, rest = rest.partition(",")
    weight = operation.weight.copy()
    assert weight.flat[0] == int(first)
    weight.flat[0] = -128 if int(first) > 0 else 127
    header.write_text(f"{before}{weight.flat[0]}{comma}{rest}")
    build(folder)
    capsys.readouterr()
    status = run("verify", folder, "--images", workplace / "images.npy", "--trace", 2)
    text = capsys.readouterr().out
    some = images[:2].astype(np.int64)
    right = operation.reference(some)
    object.__setattr__(operation, "weight", weight)
    wrong = operation.reference(some)
    places = np.argwhere(right != wrong)
    index = tuple(places[0])
    assert status == 1
    assert (
        f"C++ differs first at {conv.name}{[int(i) for i in index]}: expected {right[index]}, "
        f"found {wrong[index]} ({len(places)} codes differ in this tensor)"
    ) in text
    assert text.rstrip().endswith("LEVELS DISAGREE")
    line = next(line for line in text.splitlines() if line.startswith(f"{conv.name} "))
    assert line.endswith("emulation"), "that is the last level which agrees"


def test_convert_prints_the_report(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "deep" / "hls"
    arguments = ("convert", network, "--output", output, "--no-compile", "--project", "top")
    assert run(*arguments, "--part", "xczu3eg", "--clock-mhz", 200) == 0
    text = capsys.readouterr().out
    assert "conv2d" in text
    assert f"wrote {output}; read firmware/top.cpp or rtl/top.sv in it first" in text
    assert "compiling" not in text
    assert (output / "firmware" / "top.cpp").exists()
    assert not (output / "top.so").exists()
    again = Accelerator.open(output)
    assert (again.project, again.clock_mhz, again.compiled) == ("top", 200, False)


@pytest.mark.slow
def test_convert_takes_a_public_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its weights lie in DRAM, because the streaming machine does not fit the part."""
    output = tmp_path / "net"
    arguments = ("--model", "mobilevit_xxs", "--image-size", 64, "--output", output)
    assert run("convert", *arguments, "--part", "xc7z020", "--no-compile") == 0
    text = capsys.readouterr().out
    assert "no --images: calibrated on noise" in text
    assert "estimate: fits xc7z020" in text
    assert "frames/s at 100 MHz" in text
    assert f"wrote {output}; read engine.json and program.txt in it first" in text
    assert Accelerator.open(output).machine.architecture == "engine"


def test_convert_compiles(
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert run("convert", network, "--output", tmp_path / "p") == 2
    assert "no-such-compiler was not found" in capsys.readouterr().err
    assert (tmp_path / "p" / "firmware" / "net.cpp").exists()


@pytest.mark.slow
def test_cosim_shrinks_fifos_and_reports(
    project: Path, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "net"
    shutil.copytree(project, folder)
    arguments = ("cosim", folder, "--images", workplace / "images.npy", "--count", 4)
    assert run(*arguments, "--size-fifos", "--backpressure", 0.2) == 0
    text = capsys.readouterr().out
    assert "by measurement" in text
    assert "RTL == emulation  4 of 4 images" in text
    report = json.loads((folder / "cosim.json").read_text())
    assert report["ok"] is True
    assert report["backpressure"] == 0.2
    assert run("cosim", folder, "--count", 0) == 2
    assert "at least one image is wanted" in capsys.readouterr().err
    assert run("cosim", tmp_path / "nowhere") == 2


def test_torch_model_is_not_changed(workplace: Path) -> None:
    model = sources.model(f"{workplace / 'model.py'}:small")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quantize(model, np.load(workplace / "images.npy"), progress=False)
    assert all(torch.equal(before[n], v) for n, v in model.state_dict().items())


def test_models_of_two_folders_import_the_modules_beside_them(tmp_path: Path) -> None:
    for folder, width in (("a", 3), ("b", 5), ("a", 3)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "shape_of_it.py").write_text(f"WIDTH = {width}\n")
        model = tmp_path / folder / "model.py"
        model.write_text("from shape_of_it import WIDTH\n")
        assert vars(sources._module(str(model)))["WIDTH"] == width
