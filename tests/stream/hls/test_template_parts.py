"""Parts that templates share, compiled alone: counters, trees over lanes, line buffers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import hls4ml
import numpy as np
import pytest

from hyq_hls.support import template_dir
from tests.stream.circuits.tap_model import Taps, random_taps

pytestmark = pytest.mark.slow

_COUNTS = (1, 2, 3, 4, 5, 8, 9, 255, 256, 257)
_LANES = (1, 2, 3, 5, 8)
_MAPS = [random_taps(np.random.default_rng(seed)) for seed in range(12)]
_AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
_SOURCE = """
#include <cstdio>
#include "counter.h"
#include "group_taps.h"
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

typedef hyq::word<hyq::exact<16, false>, 1> word_t;

template <unsigned h, unsigned w, unsigned kh, unsigned kw, unsigned sh, unsigned sw, unsigned ph,
          unsigned pw, unsigned dh, unsigned dw, unsigned beats>
struct map {
    static const unsigned height = h, width = w, kernel_height = kh, kernel_width = kw,
                          stride_height = sh, stride_width = sw, pad_height = ph, pad_width = pw,
                          dilation_height = dh, dilation_width = dw, in_channels = beats,
                          in_lanes = 1;
    typedef hyq::integer<16, false> operand_t, pad_t[1][1];
};

// The stream holds the numbers of its words, so that an operand tells when it was written.
template <class taps_T> struct record {
    hyq::stream<word_t> &data;
    const std::size_t words;
    unsigned iteration = 0, nearest = 65535;
    std::vector<unsigned> written;

    template <class operand_T>
    void add(const operand_T &x, const taps_T &, unsigned row, bool is_tap) {
        written.resize(words - data.size(), iteration - 1); // by the iteration before
        const unsigned word = unsigned(x[0]);
        if (is_tap && word > 0) {
            const unsigned apart = iteration - written[word - 1];
            nearest = apart < nearest ? apart : nearest;
        }
        taps += is_tap ? 1 + row : 0;
        iteration++;
    }
    unsigned taps = 0; ///< weighted by the rows of windows
};

template <typename CONFIG_T, unsigned run, unsigned times> void slide() {
    typedef hyq::group_taps<CONFIG_T, run, times> taps_t;
    typedef hyq::tap_schedule<CONFIG_T, taps_t> schedule_t;
    const typename CONFIG_T::pad_t pad = {{0}};
    hyq::stream<word_t> data;
    const unsigned words = CONFIG_T::height * CONFIG_T::width * CONFIG_T::in_channels;
    for (unsigned i = 0; i < words; i++) {
        word_t word;
        word[0] = i + 1;
        data.write(word);
    }
    record<taps_t> sums{data, words};
    hyq::each_tap<CONFIG_T, taps_t>(data, pad, sums);
    const unsigned lead = schedule_t::lead, period = schedule_t::period;
    const unsigned distance = schedule_t::distance;
    std::printf("%u %u %u %u %u %u %u\\n", lead, period, sums.iteration, distance, sums.nearest,
                sums.taps, unsigned(data.size()));
}
"""


def slide(taps: Taps) -> str:
    """The call of ``slide`` for a map."""
    pairs = (taps.kernel, taps.stride, taps.padding, taps.dilation)
    sizes = [taps.height, taps.width, *(n for pair in pairs for n in pair), taps.beats]
    return f"slide<map<{', '.join(map(str, sizes))}>, {taps.run}, {taps.times}>();"


def slid(taps: Taps) -> list[int]:
    """What ``slide`` prints, by the model of its loop."""
    written, schedule, stored = taps.writes(), taps.schedule, range(taps.height * taps.row_words)
    reads = list(taps.reads())
    apart = [i - written[word] for i, word in reads if word in stored and taps.is_inside(word)]
    rows = [(i - schedule.lead) // schedule.period for i, _ in reads]
    return [*schedule, min(apart, default=65535), sum(1 + row for row in rows), 0]


@pytest.mark.parametrize("flags", [[], ["-DHYQ_BIT_ACCURATE"]], ids=["native", "bit_accurate"])
def test_counters_trees_and_line_buffers(flags: list[str], tmp_path: Path) -> None:
    calls = [f"count_up<{n}>();" for n in _COUNTS] + [f"reduce<{n}>();" for n in _LANES]
    calls += map(slide, _MAPS)
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
    assert found == wanted + [slid(taps) for taps in _MAPS]
