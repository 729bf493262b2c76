"""Processes and queues of one's own for the replay of the timed C simulation, and an oracle."""

from __future__ import annotations

import ctypes
import subprocess
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.support import template_dir

READ, WRITE, LATE, LEAVE, LOOK = range(5)

#: A step is (cycles, stream, kind), as in ``trace.h``.
Step = tuple[int, int, int]

_CPP = """
#include "csim/replay.h"
#include <cstdio>
#include <cstring>
extern "C" int run(unsigned processes, const unsigned *lengths, const unsigned *steps,
                   unsigned streams, const unsigned *depths, const unsigned *latencies,
                   unsigned frames, long long pace, long long *ends, unsigned *peaks,
                   char *message) {
    hyq::csim::trace run;
    run.streams.resize(streams);
    for (unsigned i = 0; i < streams; i++) {
        run.streams[i].name = "s" + std::to_string(i);
    }
    for (unsigned p = 0; p < processes; p++) {
        run.processes.emplace_back();
        run.processes[p].name = "p" + std::to_string(p);
        for (unsigned i = 0; i < lengths[p]; i++, steps += 3) {
            const hyq::csim::step next = {steps[0], steps[1], hyq::csim::step::kind(steps[2])};
            run.processes[p].steps.push_back(next);
            if (next.what == hyq::csim::step::read || next.what == hyq::csim::step::look) {
                run.streams[next.stream].reader = p;
            } else if (next.what != hyq::csim::step::leave) {
                run.streams[next.stream].writer = p;
            }
        }
    }
    try {
        const hyq::csim::replay replayed(run, depths, latencies, frames, pace);
        std::copy(replayed.frame_ends.begin(), replayed.frame_ends.end(), ends);
        for (unsigned i = 0; i < streams; i++) {
            peaks[i] = replayed.peak(i);
        }
    } catch (const std::exception &error) {
        std::strcpy(message, error.what());
        return 1;
    }
    return 0;
}
"""


@dataclass(frozen=True)
class Result:
    """Cycles and queues of a run, or the message of a deadlock."""

    ends: list[int]
    peaks: list[int]
    deadlock: str = ""


class Replay:
    """The C++ of ``replay.h`` on traces that a test makes."""

    def __init__(self, folder: Path) -> None:
        source, library = folder / "replay.cpp", folder / "replay.so"
        source.write_text(_CPP)
        flags = ["-std=c++14", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        command = ["g++", *flags, "-I", str(template_dir()), str(source), "-o", str(library)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        self._run = ctypes.CDLL(str(library)).run

    def run(
        self,
        processes: Sequence[Sequence[Step]],
        depths: Sequence[int],
        latencies: Sequence[int] = (),
        frames: int = 1,
        pace: int = 0,
    ) -> Result:
        """Run ``processes``; the first gives the input, the end of the last ends a frame."""
        steps = [number for process in processes for step in process for number in step]
        ends, peaks = (ctypes.c_longlong * frames)(), (ctypes.c_uint * len(depths))()
        message = ctypes.create_string_buffer(1 << 16)
        status = self._run(
            len(processes),
            (ctypes.c_uint * len(processes))(*map(len, processes)),
            (ctypes.c_uint * len(steps))(*steps),
            len(depths),
            (ctypes.c_uint * len(depths))(*depths),
            (ctypes.c_uint * len(processes))(*(latencies or [0] * len(processes))),
            frames,
            ctypes.c_longlong(pace),
            ends,
            peaks,
            message,
        )
        return Result(list(ends), list(peaks), message.value.decode() if status else "")


def oracle(processes: Sequence[Sequence[Step]], depths: Sequence[int], frames: int = 1) -> Result:
    """The same without latencies, cycle by cycle, as hardware would run it.

    In every cycle every process makes the steps that are due, as long as none of them waits. A word
    is seen, and a place is free, one cycle later.
    """
    programs = [list(process) * frames for process in processes]
    place, due = [0] * len(programs), [p[0][0] if p else 0 for p in programs]
    queues: list[deque[int]] = [deque() for _ in depths]
    freed: list[deque[int]] = [deque([-1] * depth) for depth in depths]
    peaks, ends = [0] * len(depths), []
    now = idle = 0
    while any(place[p] < len(program) for p, program in enumerate(programs)):
        moved = False
        for p, program in enumerate(programs):
            while place[p] < len(program) and due[p] <= now:
                _, stream, kind = program[place[p]]
                source = queues[stream] if kind == READ else freed[stream]
                if kind != LEAVE:
                    if not source or source[0] >= now:
                        break
                    source.popleft()
                    (freed if kind == READ else queues)[stream].append(now)
                moved = True
                place[p] += 1
                if place[p] % len(processes[p]) == 0 and p == len(programs) - 1:
                    ends.append(now)
                if place[p] < len(program):
                    due[p] = now + program[place[p]][0]
        # The most words lie in a queue before its words of this cycle are taken.
        for stream, depth in enumerate(depths):
            taken = sum(at == now for at in freed[stream])
            peaks[stream] = max(peaks[stream], len(queues[stream]) + taken)
            assert len(queues[stream]) <= depth
        idle = 0 if moved else idle + 1
        if idle > 1 + max(step[0] for program in programs for step in program):
            return Result([], [], "deadlock")
        now += 1
    return Result(ends, peaks)
