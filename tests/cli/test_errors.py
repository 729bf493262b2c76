"""Every mistake gives one line that names it, and exit status 2."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hyq_hls
from hyq_hls.cli import COMMANDS, checks, doctor, parser, quantize
from hyq_hls.errors import HyqError
from hyq_hls.support import packages
from tests.cli.conftest import run


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The message of a command that must end with status 2."""
    capsys.readouterr()
    assert run(*arguments) == 2
    message = capsys.readouterr().err
    lines = [line for line in message.splitlines() if "hyq-hls" in line]
    assert len(lines) == 1, message
    assert lines[0].startswith("hyq-hls: error: ")
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(*command, "--help")
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: hyq-hls {' '.join(command)}".rstrip())
    for name in () if command else COMMANDS:
        assert re.search(rf"\n    {name}\s", text)
    if command:
        assert f"\nexamples:\n  hyq-hls {command[0]}" in text
        assert "--quiet" in text
    else:
        assert "\nexit status:\n  0  " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_command_lines(name: str) -> None:
    for example in COMMANDS[name].EXAMPLES:
        program, *arguments = shlex.split(example.partition(" > ")[0])
        assert program == "hyq-hls"
        assert parser().parse_args(arguments).command == name


def test_doctor_and_its_help_know_the_same_roads() -> None:
    assert tuple(checks.ROADS) == doctor.NAMES
    assert set(checks.ROADS) >= {extra for _, extra in packages.EXTRAS.values()}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run("--version")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"hyq_hls {hyq_hls.__version__}\n"


@pytest.mark.slow
def test_help_is_fast_and_the_module_runs() -> None:
    """Nothing slow is imported for it."""
    code = (
        "import sys\n"
        "sys.argv = ['hyq-hls', 'quantize', '--help']\n"
        "import runpy\n"
        "try:\n"
        "    runpy.run_module('hyq_hls.cli', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "assert 'torch' not in sys.modules and 'hls4ml' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: hyq-hls quantize")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("quantize", "--weight-bits", "many"),
        ("quantize", "--scale", "octal"),
        ("quantize", "--no-such-option"),
        ("convert", "net.hyq", "--architecture", "systolic"),
        ("convert", "net.hyq", "--clock-mhz", "fast"),
        ("verify", "a", "b"),
    ],
)
def test_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(*arguments)
    assert end.value.code == 2
    assert "usage: hyq-hls" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["convert", "verify"])
def test_missing_and_damaged_network(
    command: str, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "none.hyq: no such file" in fails(capsys, command, tmp_path / "none.hyq")
    (tmp_path / "half.hyq").write_bytes(network.read_bytes()[:700])
    assert "half.hyq is damaged" in fails(capsys, command, tmp_path / "half.hyq")
    if command == "verify":
        assert "is not a project of hyq_hls" in fails(capsys, command, tmp_path)


def test_options_of_convert(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert = ("convert", network, "--output", tmp_path / "p")
    assert "did you mean xc7z0" in fails(capsys, *convert, "--part", "xc7z21")
    assert "between 1 and 1000" in fails(capsys, *convert, "--clock-mhz", 0)
    assert "project name 'a b'" in fails(capsys, *convert, "--project", "a b")
    assert "one of a .hyq file and --model is wanted" in fails(capsys, "convert")
    model = ("--model", "mobilevit_xxs")
    assert "one of a .hyq file and --model is wanted" in fails(capsys, *convert, *model)
    assert "--model needs --image-size" in fails(capsys, "convert", *model)
    assert "--images belongs to --model" in fails(capsys, *convert, "--images", "digits-test")
    assert "--image-size belongs to --model" in fails(capsys, *convert, "--image-size", 64)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    busy = ("convert", network, "--output", tmp_path / "full", "--overwrite")
    assert "not a project of ours" in fails(capsys, *busy)
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


MODELS = {
    "resnet50": "module:function or file.py:function",
    "no_such_module:f": "cannot import no_such_module",
    "none.py:f": "no such Python file: none.py",
    "model.py:nothing": "model.py has no function 'nothing'",
    "model.py:NOT_A_FUNCTION": "has no function 'NOT_A_FUNCTION'",
    "model.py:": "has no function ''",
    "model.py:fails": "model.py:fails failed: RuntimeError: the checkpoint is missing",
    "model.py:number": "a torch.nn.Module is wanted, found int",
    "syntax.py:f": "cannot import syntax.py: SyntaxError",
    "imports.py:f": "cannot import imports.py: ModuleNotFoundError: No module named",
    "syntax:f": "cannot import syntax: SyntaxError",
    ":f": "cannot import",
}


@pytest.mark.parametrize("spec", MODELS)
def test_model_spec(
    spec: str, workplace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    (workplace / "syntax.py").write_text("def f(:\n")
    (workplace / "imports.py").write_text("import no_such_module\n")
    images = ("--images", "images.npy", "--output", "never.hyq")
    assert MODELS[spec] in fails(capsys, "quantize", "--model", spec, *images)
    assert not Path("never.hyq").exists()


def test_image_sources(workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object))
    np.savez(tmp_path / "objects.npz", images=np.array([{}, 1], dtype=object))
    np.savez(tmp_path / "named.npz", pictures=np.zeros(3), truth=np.ones(3))
    np.save(tmp_path / "flat.npy", np.zeros((5, 7), np.uint8))
    np.save(tmp_path / "empty.npy", np.zeros((0, 4, 4, 3), np.uint8))
    np.save(tmp_path / "normalized.npy", np.linspace(-2, 2, 96).reshape(2, 4, 4, 3))
    np.save(tmp_path / "scalar.npy", np.array(3))
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "nothing.npy").write_bytes(b"")
    whole = (workplace / "images.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    broken = bytearray(whole)
    broken[200:260] = b"x" * 60
    (tmp_path / "broken.npz").write_bytes(bytes(broken))
    wanted = {
        "none.npy": "no such file",
        ".": "holds no images",
        "scalar.npy": "holds one number; images (B, H, W, C) are wanted",
        "objects.npy": "is not a numpy file of plain numbers",
        "objects.npz": "is not a numpy file of plain numbers",
        "text.npy": "is not a numpy file",
        "nothing.npy": "is not a numpy file",
        "half.npz": "is not a numpy file",
        "broken.npz": "is not a numpy file",
        "named.npz": "has no array 'images'; found pictures, truth",
        "flat.npy": r"shape (5, 7) found",
        "empty.npy": "no images: the set is empty",
        "normalized.npy": "[0, 1] is wanted",
    }
    model = ("--model", f"{workplace / 'model.py'}:small", "--output", tmp_path / "n.hyq")
    for name, message in wanted.items():
        assert message in fails(capsys, "quantize", "--images", tmp_path / name, *model), name
    assert "unknown images 'digits-none'" in fails(capsys, "quantize", "--images", "digits-none")
    assert not (tmp_path / "n.hyq").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weight-bits", 1), "--weight-bits 1: an integer from 2 to 16 is wanted"),
        (("--activation-bits", 17), "--activation-bits 17: an integer from 2 to 16"),
        (("--softmax-bits", 9), "softmax_bits (uniform)=9: an integer from 2 to 8"),
        (("--layer-norm-factors", -1), "--layer-norm-factors -1"),
        (("--calibration", 0), "--calibration 0: at least one image is wanted"),
        (("--calibration", -5), "--calibration -5: at least one image is wanted"),
        (("--node-bits", "4=4/40"), "activation_bits of 4=40: an integer from 2 to 16"),
        (("--node-bits", "4"), "--node-bits '4': PATTERN=W/A is wanted, as 'head.*=4/8'"),
        (("--node-bits", "4=8"), "--node-bits '4=8': PATTERN=W/A is wanted"),
        (("--node-bits", "4=x/8"), "PATTERN=W/A is wanted"),
        (("--node-bits", "=4/8"), "--node-bits '=4/8': PATTERN=W/A is wanted"),
        (("--node-bits", "head=4/8"), "override 'head' matches no node; nodes are "),
    ],
)
def test_options_of_quantize(
    options: tuple[object, ...], message: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ("--model", f"{workplace / 'model.py'}:small", "--images", workplace / "images.npy")
    output = workplace / "never.hyq"
    assert message in fails(capsys, "quantize", *source, "--output", output, *options)
    assert not output.exists()


def test_output_in_a_missing_folder(
    workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is found before the work, not after it."""
    arguments = ("--images", tmp_path / "none.npy", "--output", tmp_path / "no" / "n.hyq")
    assert "cannot write" in fails(capsys, "quantize", *arguments)


@pytest.mark.parametrize(("option", "value"), [("--count", 0), ("--count", -1), ("--trace", -1)])
def test_options_of_verify(
    option: str, value: int, network: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("verify", network, "--images", workplace / "images.npy", option, value)
    assert f"{option} {value}: at least" in fails(capsys, *arguments)


def test_verify_with_another_model(
    network: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("verify", network, "--images", workplace / "images.npy", "--model")
    message = fails(capsys, *arguments, f"{workplace / 'model.py'}:other")
    assert "is not the model of this network" in message


def test_verify_when_the_model_has_moved(
    workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A relative path was remembered when the network was quantized."""
    monkeypatch.chdir(workplace)
    output = tmp_path / "n.hyq"
    arguments = ("--images", "images.npy", "--output", output)
    assert run("quantize", "--model", "model.py:small", *arguments) == 0
    monkeypatch.chdir(tmp_path)
    message = fails(capsys, "verify", output, "--images", workplace / "images.npy")
    assert "no such Python file: model.py" in message
    assert "give --model" in message


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(HyqError("the message"), 2, "error: the message"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_exit_status(
    error: BaseException, status: int, text: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(options: object) -> int:
        raise error

    monkeypatch.setattr(quantize, "run", fail)
    assert run("quantize") == status
    assert text in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a script of POSIX systems")
def test_console_script(workplace: Path) -> None:
    """As installed: its own folder is first on the path, not the current one."""
    script = Path(sys.executable).with_name("hyq-hls")
    if not script.exists():
        pytest.skip("the package is not installed in this environment")
    arguments = ["quantize", "--model", "model:number", "--images", "images.npy"]
    done = subprocess.run(
        [str(script), *arguments], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "a torch.nn.Module is wanted, found int" in done.stderr
