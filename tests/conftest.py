"""The trained default network, quantized and compiled once per test process."""

from __future__ import annotations

import pytest
import torch

from hyq_hls import Accelerator, QuantizedModel, convert, quantize
from hyq_hls.models import digits, mobilevit_digits

# Test processes share the cores; threads of several processes would only get in each other's way.
torch.set_num_threads(1)


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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the generated text to tests/golden/text instead of comparing it",
    )
