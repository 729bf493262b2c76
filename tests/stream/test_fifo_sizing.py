"""FIFO sizing that fails or is interrupted leaves the project as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls import QuantizedModel, convert
from hyq_hls.errors import SimulationError
from hyq_hls.machine import CosimReport, SimulationOptions
from hyq_hls.stream.fifo_sizing import size_fifos
from hyq_hls.stream.machine import StreamMachine
from tests.stream.hls.conftest import small_graph


@pytest.mark.parametrize("stop", [SimulationError, KeyboardInterrupt])
def test_the_rtl_is_that_of_the_machine_again(stop: type[BaseException], tmp_path: Path) -> None:
    """Its depths are neither the safe ones nor those that were tried last."""
    accelerator = convert(QuantizedModel(small_graph()), output_dir=tmp_path / "net")
    depths = {s.name: s.depth + 3 for s in accelerator.flow.streams.values()}
    machine = accelerator.stream.with_depths(depths)
    machine.rewrite_rtl(accelerator.folder)
    top = accelerator.folder / "rtl" / "net.sv"
    text = top.read_text()

    def fails(tried: StreamMachine, options: SimulationOptions) -> CosimReport:
        assert top.read_text() != text
        raise stop("stopped")

    with pytest.raises(stop, match="stopped"):
        size_fifos(machine, accelerator.folder, np.zeros((1, 4, 4, 3), np.int64), fails)
    assert top.read_text() == text
