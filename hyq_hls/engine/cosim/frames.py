"""Frames through the RTL of an engine: the report of a co-simulation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hyq_hls.engine.cosim.image import Image
from hyq_hls.engine.cosim.library import DramModel
from hyq_hls.engine.cosim.report import cycle_lines
from hyq_hls.engine.cosim.run import EngineRun, cosimulate
from hyq_hls.engine.predict import Rates, predict
from hyq_hls.engine.program import Program
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes
from hyq_hls.machine import CosimReport, equal_frames


def run_frames(
    library: Path,
    program: Program,
    graph: Graph,
    codes: Codes,
    emulated: Codes,
    compiled: Codes,
    dram: DramModel,
    clock_mhz: float,
    progress: Callable[[int], object] | None = None,
) -> CosimReport:
    r"""Run frames through the RTL and compare their codes.

    The first frame is compared instruction by instruction with the functional simulator. A
    difference in there is an error, which names instruction, node and code.

    Args:
        library: what :func:`~hyq_hls.engine.cosim.build_engine` built for the program's sizes.
        program: the program.
        graph: the graph that it was made from.
        codes: int64 (B, \*input shape).
        emulated: int64 (B, \*output shape), codes of the integer emulation.
        compiled: int64 (B, \*output shape), codes of the C++.
        dram: the memory.
        clock_mhz: the clock at which frames are counted.
        progress: called with 1 after every frame.

    Raises:
        SimulationError: the first difference between RTL and simulator; or a transfer that DRAM
            refuses, an error of the engine, an instruction that does not end.
    """
    runs: list[EngineRun] = []
    for frame, sample in enumerate(codes):
        runs.append(cosimulate(library, program, graph, sample, dram, compare=frame == 0))
        if progress is not None:
            progress(1)
    found = np.stack([run.outputs for run in runs])
    prediction = predict(program, Rates(latency=dram.latency))
    first = runs[0]
    cycles = sum(run.cycles for run in runs)
    return CosimReport(
        images=len(codes),
        rtl_equal_images=int(equal_frames(found, emulated).sum()),
        csim_equal_images=int(equal_frames(found, compiled).sum()),
        latency_cycles=first.cycles,
        cycles_per_frame=cycles // len(runs),
        predicted_cycles=prediction.cycles,
        bottleneck=f"{max(first.busy, key=lambda name: first.busy[name])} unit",
        cycles=cycles,
        clock_mhz=clock_mhz,
        idle=dram.read_stall,
        backpressure=dram.write_stall,
        streams=[],
        first_difference=_first_difference(found, emulated),
        details=cycle_lines(program, first, prediction),
    )


def trace_frames(library: Path, program: Program, graph: Graph, codes: Codes) -> dict[str, Codes]:
    r"""Return the codes (B, \*shape) of all tensors in DRAM behind an observed program, by node.

    Args:
        library: what :func:`~hyq_hls.engine.cosim.build_engine` built for the program's sizes.
        program: a program that was compiled to be observed.
        graph: the graph that it was made from.
        codes: int64 (B, \*input shape).
    """
    traces = []
    for sample in codes:
        image = Image.of(program, sample)
        cosimulate(library, program, graph, sample, image=image, compare=False)
        traces.append(program.tensors(image.parts_behind_bases(), graph))
    return {name: np.stack([trace[name] for trace in traces]) for name in traces[0]}


def _first_difference(found: Codes, expected: Codes) -> str | None:
    places = np.argwhere(found != expected)
    if not len(places):
        return None
    frame, *index = (int(k) for k in places[0])
    at = (frame, *index)
    return (
        f"output {index} of image {frame} is {found[at]} in the RTL and {expected[at]} in the "
        "emulation"
    )
