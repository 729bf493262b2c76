"""Frames of any length under random stalls: the frame after a wrong one is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls.stream.rtl.modules import module_file
from hyq_hls.tools.verilator import Simulator
from tests.tools.verilator.conftest import QUICK

pytestmark = pytest.mark.slow

LANES, BITS, BEATS = 2, 5, 4


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Simulator.build_library(
        [module_file(name) for name in ("hyq_counter", "hyq_axis_input")],
        "hyq_axis_input",
        {"Lanes": LANES, "Bits": BITS, "CodeBytes": 1, "Beats": BEATS},
        folder=tmp_path_factory.mktemp("axis_input"),
        flags=QUICK,
    )


def whole(frame: np.ndarray) -> np.ndarray:
    """A frame (beats, lanes) of bytes as the core shall see it: codes (BEATS, lanes)."""
    codes = np.zeros((BEATS, LANES), np.int64)
    codes[: len(frame)] = frame[:BEATS] % (1 << BITS)
    return codes


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_the_frame_after_a_wrong_one_is_right(library: Path, stalls: float) -> None:
    rng = np.random.default_rng(3)
    lengths = rng.choice([1, 2, 3, 4, 4, 4, 5, 9], 200)
    frames = [rng.integers(0, 256, (length, LANES)) for length in lengths]
    beats = [(beat, i == len(f) - 1) for f in frames for i, beat in enumerate(f)]
    wanted = np.concatenate([whole(frame) for frame in frames])

    simulation = Simulator(library)
    simulation.reset()
    io, offered, waiting = simulation.io, False, None
    found: list[list[int]] = []
    while len(found) < len(wanted):
        offered = bool(beats) and (offered or rng.random() >= stalls)
        io.s_axis_tvalid = offered
        # The bus carries anything while nothing is offered.
        beat, last = beats[0] if offered else (rng.integers(0, 256, LANES), rng.random() < 0.5)
        io.s_axis_tdata, io.s_axis_tlast = int(beat[0]) | int(beat[1]) << 8, bool(last)
        io.out_ready_i = bool(rng.random() >= stalls)
        if io.out_valid_o:
            word = int(io.out_data_o)
            assert waiting in {None, word}, "an offered word stays"
            waiting = None if io.out_ready_i else word
            if io.out_ready_i:
                found.append([word % (1 << BITS), word >> BITS])
        else:
            assert waiting is None, "an offered word stays"
        if offered and io.s_axis_tready:
            beats.pop(0)
            offered = False
        simulation.clock.tick()
    assert np.array_equal(found, wanted)
    assert io.frame_errors_o == (lengths != BEATS).sum()
