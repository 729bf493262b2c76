"""A saved network runs with numpy alone; what needs more says which extra has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import QuantizedModel
from hyq_hls.errors import HyqError, MissingPackageError
from hyq_hls.graph import ReferenceEmulator
from hyq_hls.support import packages
from tests.golden.network import golden_graph

#: Runs in a Python that finds none of the packages beside numpy.
SCRIPT = """
import json
import sys
from hyq_hls.support.packages import EXTRAS

sys.modules.update(dict.fromkeys([*EXTRAS, "tqdm", "packaging"]))

import numpy as np
import hyq_hls
from hyq_hls.cli import main
from hyq_hls.errors import MissingPackageError

network, data = sys.argv[1:]
qmodel = hyq_hls.load(network)
images, labels = (np.load(data)[name] for name in ("images", "labels"))
found = {"codes": qmodel.codes(images).tolist(), "top1": qmodel.evaluate(images, labels)}
for name, work in {
    "quantize": lambda: hyq_hls.quantize(None, images),
    "inspect": lambda: hyq_hls.inspect(None, 32),
    "convert": lambda: hyq_hls.convert(qmodel),
    "models": lambda: __import__("hyq_hls.models"),
    "draw": lambda: __import__("hyq_hls.data", fromlist=["draw"]).draw,
}.items():
    try:
        work()
    except ImportError as error:
        found[name] = f"{type(error).__name__}: {error}"
found["status"] = main(["quantize", "--images", data, "--output", network + "2"])
print(json.dumps(found))
"""


@pytest.fixture
def network(tmp_path: Path) -> QuantizedModel:
    graph = golden_graph()
    graph.output_index = np.arange(64)  # logits, so that there is an accuracy
    qmodel = QuantizedModel(graph)
    qmodel.save(tmp_path / "golden.hyq")
    return qmodel


@pytest.mark.slow
def test_a_saved_network_needs_numpy_alone(network: QuantizedModel, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (19, 4, 4, 3), dtype=np.uint8)
    codes = network.codes(images)
    np.savez(tmp_path / "images.npz", images=images, labels=codes.argmax(1))
    files = [str(tmp_path / name) for name in ("golden.hyq", "images.npz")]
    command = [sys.executable, "-c", SCRIPT, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["codes"] == codes.tolist()
    assert found["top1"] == 100
    for name, extra in {"quantize": "quantize", "inspect": "quantize", "convert": "hls"}.items():
        assert found[name].startswith("MissingPackageError: ")
        assert f'pip install "hyq_hls[{extra}]"' in found[name]
    assert 'pip install "hyq_hls[quantize]"' in found["models"]
    assert 'pip install "hyq_hls[quantize]"' in found["draw"]
    assert found["status"] == 2
    assert "hyq-hls: error: torch is not installed" in done.stderr


def test_a_missing_package_is_an_import_error_too() -> None:
    error = packages.missing("sklearn")
    assert isinstance(error, HyqError)
    assert isinstance(error, ImportError)
    assert error.name == "sklearn"
    assert "scikit-learn is not installed; it belongs to the extra 'digits'" in str(error)


def test_what_is_installed_is_found_without_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.installed("numpy")
    monkeypatch.setitem(packages.EXTRAS, "no_such_package", ("no-such-package", "all"))
    with pytest.raises(MissingPackageError, match=r"hyq_hls\[all\]"):
        packages.needs("numpy", "no_such_package")


def test_the_emulator_without_torch_is_the_reference(
    network: QuantizedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hyq_hls.quantized_model.installed", lambda name: False)
    fresh = QuantizedModel(network.graph)
    assert isinstance(fresh.emulator, ReferenceEmulator)
    images = np.zeros((40, 4, 4, 3), np.uint8)
    seen: list[int] = []
    assert np.array_equal(fresh.emulator(images, seen.append), network.emulator(images))
    assert seen == [16, 16, 8]
