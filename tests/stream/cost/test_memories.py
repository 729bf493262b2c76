"""Memories take the block RAMs and LUTs that the rule says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.cost.memories import dissolves, memory_utilization
from hyq_hls.stream.synthesis import template_job
from hyq_hls.tools.yosys import Utilization, synthesize_modules

RAMS = [
    (8, 20),
    (3, 64),
    (24, 40),
    (64, 256),
    (9, 2048),
    (72, 512),
    (16, 4096),
    (20, 700),
]
ROMS = [
    (8, 2),
    (33, 33),
    (12, 64),
    (11, 64),
    (8, 256),
    (17, 512),
    (40, 300),
    (64, 128),
    (9, 4096),
    (40, 1500),
]


def name(memory: Memory) -> str:
    return f"{'rom' if memory.constant else 'ram'} {memory.width} x {memory.depth}"


MEMORIES = {
    name(memory): memory
    for memory in (*(Memory(*shape) for shape in RAMS), *(Memory(*s, constant=True) for s in ROMS))
}


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Utilization]:
    folder, rng = tmp_path_factory.mktemp("memories"), np.random.default_rng(0)
    jobs = []
    for memory in MEMORIES.values():
        parameters: dict[str, int | str] = {"Width": memory.width, "Depth": memory.depth}
        if memory.constant:
            words = rng.integers(0, 2, (memory.depth, memory.width))
            text = "\n".join(f"{int(''.join(map(str, word)), 2):x}" for word in words)
            path = folder / f"{memory.width}_{memory.depth}.mem"
            path.write_text(f"{text}\n")
            parameters["File"] = str(path)
        top = "hyq_rom" if memory.constant else "hyq_ram"
        jobs.append(template_job(top, parameters))
    results = synthesize_modules(jobs, folder)
    assert all(isinstance(result, Utilization) for result in results), results
    return {n: r for n, r in zip(MEMORIES, results, strict=True) if isinstance(r, Utilization)}


@pytest.mark.slow
@pytest.mark.parametrize("which", MEMORIES)
def test_rule_and_synthesis(which: str, synthesized: dict[str, Utilization]) -> None:
    memory, found = MEMORIES[which], synthesized[which]
    expected = memory_utilization(memory)
    assert found.bram18 == expected.bram18
    if expected.bram18:
        assert expected.lut == 0
    elif dissolves(memory):
        assert found.lut <= memory.width + 2  # the rule leaves it to the features
    elif memory.constant and memory.depth <= 64:
        assert expected.lut <= found.lut <= expected.lut + 1  # a bit of 33 words may take two
    elif memory.depth <= 64:
        assert found.lut == expected.lut  # no multiplexer behind
    else:
        assert expected.lut <= found.lut <= 1.8 * expected.lut


@pytest.mark.parametrize(
    ("width", "depth", "luts"), [(64, 32, 0), (11, 64, 0), (12, 64, 12), (12, 33, 12), (8, 65, 16)]
)
def test_few_and_narrow_constants_dissolve(width: int, depth: int, luts: int) -> None:
    assert memory_utilization(Memory(width, depth, constant=True)).lut == luts


def test_both_kinds_are_covered() -> None:
    kinds = {(m.constant, bool(memory_utilization(m).bram18)) for m in MEMORIES.values()}
    assert len(kinds) == 4


def test_block_ram_can_be_forced() -> None:
    table = Memory(8, 256, constant=True)
    assert memory_utilization(table).bram18 == 0
    assert memory_utilization(replace(table, luts_per_block=0)).bram18 == 1
