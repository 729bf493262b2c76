"""hyq_engine_product: two products in one DSP48E1, exact in all forms and in both bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls.tools.yosys import yosys_share
from tests.engine.rtl.bench import Ints, pack, simulator
from tests.engine.rtl.test_array import CELL_MODELS, FORMS

pytestmark = pytest.mark.slow


def unpacked(pair: Ints, weight: Ints) -> tuple[Ints, Ints]:
    """Return both products as the module takes them out of the sum of the slice."""
    total = pair * weight + (1 << 15)
    low = (total & 0xFFFF) - (1 << 15)  # the sign bit is inverted
    return low, total >> 16


@pytest.mark.parametrize("form", FORMS)
def test_packing_is_exact(form: str) -> None:
    """All pairs of pixels with all weights, and the packed pair fits the port of the slice."""
    low, high, weight_low, weight_high = FORMS[form]
    p0, p1 = np.meshgrid(np.arange(low, high + 1), np.arange(low, high + 1))
    for weight in range(weight_low, weight_high + 1):
        first, second = unpacked((p1 << 16) + p0, np.int64(weight))
        assert np.array_equal(first, p0 * weight)
        assert np.array_equal(second, p1 * weight)
    assert (high << 16) + high < (1 << 24)
    assert (low << 16) + low >= -(1 << 24)


@pytest.mark.parametrize("primitive", [False, True])
def test_the_module_multiplies(primitive: bool, tmp_path: Path) -> None:
    """A stream of random and extreme products, and the choice between two pairs in every cycle."""
    cells = [yosys_share() / "xilinx" / "cells_sim.v"] if primitive else []
    flags = CELL_MODELS if primitive else ()
    rng = np.random.default_rng(0)
    rows = []
    for low, high, weight_low, weight_high in FORMS.values():
        ends = rng.integers(low, high + 1, (2000, 4))
        ends[::2] = rng.choice([low, high, 0], (1000, 4))
        weights = rng.integers(weight_low, weight_high + 1, (2000, 1))
        weights[::2] = rng.choice([weight_low, weight_high], (1000, 1))
        rows.append(np.hstack([ends, weights, rng.integers(2, size=(2000, 1))]))
    a0, a1, d0, d1, weight, dense = np.vstack(rows).T
    ports = {
        "a_i": pack((a1 << 16) + a0, 25),
        "d_i": pack((d1 << 16) + d0, 25),
        "weight_i": pack(weight, 9),
        "dense_i": pack(dense, 1),
    }
    found = []
    with simulator("hyq_engine_product", tmp_path, *cells, flags=flags, Primitive=primitive) as sim:
        for cycle in range(len(dense) + 3):
            for name, values in ports.items():
                sim.io[name] = values[min(cycle, len(dense) - 1)]
            sim.clock.tick()
            found.append((sim.io.p0_o, sim.io.p1_o))
    expected = np.stack(
        [np.where(dense, a0, d0) * weight, np.where(dense, a1, d1) * weight], axis=1
    )
    np.testing.assert_array_equal(found[3:], expected & [0xFFFF, 0x1FFFF])
