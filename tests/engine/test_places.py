"""Tensors in DRAM never share a byte, and DRAM is as small as the first gaps allow."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.engine.compiler.storage import Scratch


@pytest.mark.parametrize("seed", range(5))
def test_living_tensors_lie_apart(seed: int) -> None:
    rng, scratch = np.random.default_rng(seed), Scratch()
    living: dict[int, int] = {}
    most = 0
    for _ in range(300):
        if living and rng.integers(2):
            start = int(rng.choice(list(living)))
            begin, end = scratch.give(start)
            assert begin == start
            assert end >= start + living.pop(start)
            continue
        size = int(rng.integers(1, 1000))
        start = scratch.take(size)
        assert start % 64 == 0
        assert all(start + size <= s or s + n <= start for s, n in living.items())
        living[start] = size
        most = max(most, start + size)
        assert scratch.size >= start + size
    assert 0 <= scratch.size - most < 64


def test_a_tensor_takes_the_first_gap_that_is_large_enough() -> None:
    scratch = Scratch()
    starts = [scratch.take(size) for size in (64, 128, 1, 200, 64)]
    assert starts == [0, 64, 192, 256, 512]
    for start in (192, 64, 256):
        scratch.give(start)
    assert [scratch.take(size) for size in (400, 449, 48)] == [64, 576, 1088]
