"""The trained default network, made once per test process; order and tiers of the tests.

The tests have two tiers. ``make check`` runs the quick ones: those without the mark ``slow``, and
of the slow ones those with the mark ``smoke``. A quick test may start no compiler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from hyq_hls import Accelerator, QuantizedModel, convert, quantize
from hyq_hls.models import digits, mobilevit_digits
from tests.ahead import quick_project

# Test processes share the cores; threads of several processes would only get in each other's way.
torch.set_num_threads(1)
if "PYTEST_XDIST_WORKER" in os.environ:
    # So do their compilers and runs of Yosys: one that does the work of two starts once.
    mock.patch("os.cpu_count", return_value=1).start()

_COMPILERS = {"g++", "clang++", "build_lib.sh", "verilator_bin"}
_running: pytest.Item | None = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Remember which test runs, together with the fixtures that it is the first to ask for.

    A module with weights drawn at random is the same one in every run and in every order of tests.
    """
    global _running  # noqa: PLW0603  # an audit hook knows nothing of pytest
    _running = item
    torch.manual_seed(0)
    try:
        return (yield)
    finally:
        _running = None


def _forbid_compilers(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: a test of the quick tier that starts a compiler or Yosys fails."""
    if event != "subprocess.Popen" or _running is None or _running.get_closest_marker("slow"):
        return
    words: Sequence[Any] = arguments[1]
    for word in map(str, [words] if isinstance(words, str) else words):
        if Path(word).name in _COMPILERS or "pyosys" in word or word == "ziglang":
            pytest.fail(
                f"{_running.nodeid} starts {Path(word).name}, which takes long; "
                "mark it with pytest.mark.slow"
            )


sys.addaudithook(_forbid_compilers)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with slow tests first, or one process would do the last of them alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    notebook = {item.path for item in items if item.path.suffix == ".ipynb"}
    items.sort(key=lambda item: item.path not in slow | notebook)


@pytest.fixture(scope="session")
def default_model() -> torch.nn.Module:
    return mobilevit_digits(pretrained=True)


@pytest.fixture(scope="session")
def default_qmodel(default_model: torch.nn.Module) -> QuantizedModel:
    return quantize(default_model, digits.calibration(256), progress=False)


@pytest.fixture(scope="session")
def default_accelerator(
    default_qmodel: QuantizedModel, tmp_path_factory: pytest.TempPathFactory
) -> Accelerator:
    folder = tmp_path_factory.mktemp("default") / "hls"
    return convert(default_qmodel, output_dir=folder).compile()


@pytest.fixture(autouse=True)
def quick_builds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile the C++ of networks with headers that are compiled ahead."""
    if "default_accelerator" not in request.fixturenames:
        monkeypatch.setattr("hyq_hls.stream.machine.compile_project", quick_project)
        monkeypatch.setattr("hyq_hls.stream.hls.timed.compile_project", quick_project)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the generated text to tests/golden/text instead of comparing it",
    )
