"""Networks whose C++ is compiled in a test run with bounded queues, too."""

from __future__ import annotations

import pytest

from hyq_hls import Accelerator
from hyq_hls.errors import SimulationError
from hyq_hls.stream.hls.depths import latencies


def check_bounded_queues(accelerator: Accelerator) -> None:
    """Frame behind frame with the depths of the C++: it never waits for ever, and that would show.

    The codes of the recorded frame are those of the reference. Ways that join need more than a
    word: with a single one everywhere the network must stop, and the message say what is full.
    (``test_timed.py`` tries single streams that are too short, and a network without joins.)
    """
    machine = accelerator.stream
    simulation = machine.timed_simulation(accelerator.folder)
    for chosen in latencies(len(simulation.processes), seed=3):
        simulation.run(latency=chosen)
    with pytest.raises(SimulationError, match="deadlock in frame 0") as caught:
        simulation.run(depths=dict.fromkeys(simulation.depths, 1))
    assert "which is full (depth 1)" in str(caught.value)
