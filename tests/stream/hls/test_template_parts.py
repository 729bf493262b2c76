"""Parts that templates share, compiled alone: counters, and trees over lanes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import hls4ml
import pytest

from hyq_hls.support import template_dir

pytestmark = pytest.mark.slow

_COUNTS = (1, 2, 3, 4, 5, 8, 9, 255, 256, 257)
_LANES = (1, 2, 3, 5, 8)
_AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
_SOURCE = """
#include <cstdio>
#include "counter.h"
#include "tree.h"

template <unsigned count> void count_up() {
    hyq::counter<count> counter;
    for (unsigned i = 0; i < 2 * count + 3; i++) {
        std::printf("%u %d ", counter.index(), int(counter.last));
        counter.advance(false);
        counter.advance();
    }
    std::printf("\\n");
}

template <unsigned lanes> void reduce() {
    hyq::integer<9> terms[lanes];
    for (unsigned l = 0; l < lanes; l++) {
        terms[l] = int(l * l) % 7 - 4;
    }
    const int sum = hyq::tree<lanes>::sum(terms), maximum = hyq::tree<lanes>::maximum(terms);
    std::printf("%d %d\\n", sum, maximum);
}
"""


@pytest.mark.parametrize("flags", [[], ["-DHYQ_BIT_ACCURATE"]], ids=["native", "bit_accurate"])
def test_counters_and_trees(flags: list[str], tmp_path: Path) -> None:
    calls = [f"count_up<{n}>();" for n in _COUNTS] + [f"reduce<{n}>();" for n in _LANES]
    source, program = tmp_path / "parts.cpp", tmp_path / "parts"
    source.write_text(f"{_SOURCE}\nint main() {{ {' '.join(calls)} }}\n")
    include = ["-I", str(template_dir()), "-I", str(template_dir() / "csim")]
    command = ["g++", "-std=c++14", "-Wno-unknown-pragmas", *include, "-isystem", str(_AP_TYPES)]
    subprocess.run([*command, *flags, str(source), "-o", str(program)], check=True)
    printed = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    found = [[int(word) for word in line.split()] for line in printed.splitlines()]
    wanted = []
    for count in _COUNTS:
        values = [i % count for i in range(2 * count + 3)]
        wanted.append([x for value in values for x in (value, int(value == count - 1))])
    for lanes in _LANES:
        terms = [lane**2 % 7 - 4 for lane in range(lanes)]
        wanted.append([sum(terms), max(terms)])
    assert found == wanted
