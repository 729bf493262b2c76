"""Results for programs, quiet commands, and mistakes that are noticed before long work."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls import Accelerator, load
from hyq_hls.cli import checks, demo, main, sources
from hyq_hls.cli.output import Output
from hyq_hls.errors import InputError
from hyq_hls.parts import all_parts
from tests.cli.conftest import run
from tests.cli.test_errors import fails


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """What the command printed: JSON and nothing else."""
    return json.loads(capsys.readouterr().out)


def test_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("parts") == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) == 1 + len(all_parts())
    assert "53,200" in text
    assert run("parts", "pynq-z2", "--json") == 0
    (found,) = printed(capsys)["parts"]
    assert (found["name"], found["luts"], found["dsps"]) == ("xc7z020", 53200, 220)
    assert "did you mean xc7z020" in fails(capsys, "parts", "xc7z02")


def test_the_demo_says_on_the_error_stream_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def quick(folder: Path, output: Output) -> bool:
        output.say("1. quantize")
        output.result("float top-1")
        output.finish({"folder": folder})
        return True

    monkeypatch.setattr(demo, "demonstrate", quick)
    monkeypatch.setattr("hyq_hls.tools.verilator.tool.find_verilator", lambda: None)
    assert run("demo", "--output", tmp_path / "demo", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"folder": str(tmp_path / "demo")}
    assert err == "1. quantize\n"


def test_top1_of_a_file(network: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = workplace / "images.npz"
    right = (load(network).codes(np.load(images)["images"]).argmax(1) == np.arange(12) % 5).sum()
    capsys.readouterr()
    assert run("evaluate", network, "--images", images, "--json", "--quiet") == 0
    found = printed(capsys)
    assert (found["images"], found["right"]) == (12, right)
    assert found["top1"] == pytest.approx(100 * right / 12)
    assert run("evaluate", network, "--images", images, "--count", 5) == 0
    assert "of 5 images, integers only" in capsys.readouterr().out
    assert "has no labels" in fails(
        capsys, "evaluate", network, "--images", workplace / "images.npy"
    )
    assert "--images is required" in fails(capsys, "evaluate", network)
    assert "--presets, --batch: " in fails(
        capsys, *("evaluate", network, "--images", images, "--presets", "best", "--batch", 3)
    )
    assert "belongs to a .hyq file" in fails(
        capsys, "evaluate", "--data", workplace, "--images", images
    )


def test_estimate_and_verify_for_programs(
    network: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("estimate", network, "--json") == 0
    found = printed(capsys)["estimate"]
    assert found["fits"] is True
    assert found["part"]["name"] == "xc7z020"
    assert run("verify", network, "--images", workplace / "images.npy", "--json", "--quiet") == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert found["ok"] is True
    assert [node["node"] for node in found["nodes"]] == list(load(network).graph.nodes)
    assert "verify" not in output.err


def check(road: str, name: str, found: str | None = "1.0", wanted: str = "") -> checks.Check:
    return checks.Check(road, name, "all of it", found, f"get {name}", wanted)


def test_doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [check("emulate", "numpy"), check("rtl", "Verilator", None)]
    found.append(check("hls", "hls4ml", "1.2", ">=1.3"))
    monkeypatch.setattr(checks, "checks", lambda folder: found)
    assert run("doctor") == 0
    text = capsys.readouterr().out
    assert "-> Verilator: get Verilator" in text
    assert "1.2 (>=1.3 is wanted)" in text
    assert "numpy" in text
    assert run("doctor", "rtl", "--json") == 1
    data = printed(capsys)
    assert data["ok"] is False
    assert data["ready"]["emulate"] is True
    assert data["checks"][1] == {**asdict(found[1]), "ok": False}
    assert "unknown road sky" in fails(capsys, "doctor", "sky")


def test_doctor_checks_packages_and_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("HYQ_VERILATOR", "no-such-verilator")
    monkeypatch.setenv("PATH", str(tmp_path))
    vivado = tmp_path / "Vivado" / "2023.2" / "bin" / "vivado"
    vivado.parent.mkdir(parents=True)
    vivado.write_text("#!/bin/sh\n")
    vivado.chmod(0o755)
    monkeypatch.setenv("PATH", str(vivado.parent))
    found = {(c.road, c.name): c for c in checks.checks(tmp_path / "not" / "yet")}
    assert found["emulate", "numpy"].found == np.__version__
    assert all(c.ok for (road, _), c in found.items() if road == "emulate")
    assert not found["hls", "C++ compiler"].ok
    assert not found["rtl", "Verilator"].ok
    assert found["vendor", "Vivado"].found == "2023.2"
    assert found["vendor", "Bambu"].found is None
    assert all(c.remedy and c.purpose for c in found.values())


def test_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "--target-fps" in script
    assert "doctor" in script


def test_outputs_that_cannot_be_written_are_noticed_first(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sources.check_folder(tmp_path / "a" / "b", "--output")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; give another folder"):
        sources.check_folder(tmp_path / "file" / "b", "--output")
    monkeypatch.setattr("hyq_hls.cli.sources.os.access", lambda path, mode: False)
    assert "is not writable" in fails(
        capsys, "estimate", network, "--report", tmp_path / "report.json"
    )
    assert "is not writable" in fails(capsys, "convert", network, "--output", tmp_path / "net")


def test_what_is_wrong_is_noticed_before_a_model_is_quantized(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "untrained_network", lambda *_: pytest.fail("quantized"))
    wanted = ("convert", "--model", "mobilevit_digits", "--output", tmp_path / "net")
    assert "did you mean xc7z0" in fails(capsys, *wanted, "--part", "xc7z21")
    assert "between 1 and 1000" in fails(capsys, *wanted, "--clock-mhz", 0)
    assert "no such file" in fails(capsys, *wanted, "--images", tmp_path / "none.npy")


@pytest.mark.slow
def test_images_are_looked_at_before_the_compiler_starts(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path / "net"
    assert run("convert", network, "--output", folder, "--no-compile") == 0
    monkeypatch.setattr(Accelerator, "compile", lambda self: pytest.fail("compiled"))
    np.save(tmp_path / "other.npy", np.zeros((2, 9, 9, 3), np.uint8))
    for command in ("verify", "cosim"):
        assert "no such file" in fails(capsys, command, folder, "--images", tmp_path / "none.npy")
        message = fails(capsys, command, folder, "--images", tmp_path / "other.npy")
        assert "(2, 9, 9, 3)" in message or "(1, 9, 9, 3)" in message
