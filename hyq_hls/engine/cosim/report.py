"""Cycles of a co-simulation beside those that were predicted, as text."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hyq_hls.engine.cosim.run import EngineRun
from hyq_hls.engine.layout import BEAT
from hyq_hls.engine.predict import Prediction
from hyq_hls.engine.program import Program
from hyq_hls.support import aligned


def cycle_lines(program: Program, run: EngineRun, prediction: Prediction) -> list[str]:
    """Return lines: cycles by kind of instruction, bytes of DRAM, and how busy every unit was.

    The cycles of a kind are those in which its instructions run; what lies between them is a row of
    its own.
    """
    alone = run.instructions[1] - run.instructions[0]
    measured: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for k, instruction in enumerate(program.instructions):
        kind = instruction.kind_name
        count[kind] += 1
        measured[kind] += int(alone[k])
        predicted[kind] += int(prediction.instructions[k])
    rows = [(kind, str(count[kind]), measured[kind], predicted[kind]) for kind in count]
    rows.append(
        (
            "between",
            "",
            run.cycles - int(alone.sum()),
            prediction.cycles - int(np.sum(prediction.instructions)),
        )
    )
    rows.append(("all", str(len(program.instructions)), run.cycles, prediction.cycles))
    table = [
        ("", "instructions", "cycles", "predicted", "difference"),
        *((kind, n, f"{a:,}", f"{b:,}", f"{_share(a - b, b):+.2f} %") for kind, n, a, b in rows),
    ]
    busy = ", ".join(f"{name} {_share(n, run.cycles):.1f} %" for name, n in run.busy.items())
    return [
        *aligned(table),
        f"DRAM: {BEAT * run.read:,} bytes read, {BEAT * run.written:,} bytes written",
        f"busy: {busy}",
    ]


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
