"""The resource report of an engine that runs a program."""

from __future__ import annotations

from collections import Counter

from hyq_hls.engine.cost.units import ROWS, multipliers
from hyq_hls.engine.forms import AttendedSums, PooledSums, Products, forms_of
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.predict import Prediction
from hyq_hls.engine.program import Program
from hyq_hls.graph import Graph
from hyq_hls.machine import DesignUtilization, Labels, ResourceReport
from hyq_hls.parts import Part


def engine_report(
    graph: Graph,
    program: Program,
    prediction: Prediction,
    part: Part,
    clock_mhz: float,
    design: DesignUtilization,
    method: str,
) -> ResourceReport:
    """Return the report of an engine whose utilization is known.

    The cycles of a unit are those in which it runs instructions, by prediction. Those of a frame
    are more, since instructions are fetched as well.

    Args:
        graph: the integer graph.
        program: its program.
        prediction: the cycles of the program.
        part: the part it is for.
        clock_mhz: the clock at which frames are counted.
        design: utilization of its units.
        method: how the utilization is known, for example "estimate".
    """
    sizes = program.sizes
    busy: Counter[str] = Counter(dict.fromkeys(ROWS.values(), 0))
    for instruction, cycles in zip(program.instructions, prediction.instructions, strict=True):
        busy[ROWS[instruction.queue_name]] += int(cycles)
    frame, products, macs = prediction.cycles, multipliers(sizes), array_macs(graph)
    array = ROWS["array"]
    bottleneck = max(busy, key=lambda row: busy[row])
    at_work = macs / (products * busy[array]) if busy[array] else 0.0
    return ResourceReport(
        part,
        clock_mhz,
        method,
        design,
        cycles=dict(busy),
        foldings=_lanes(sizes),
        cycles_per_frame=frame,
        multipliers=products,
        busy=macs / (products * frame),
        bottleneck=bottleneck,
        bottleneck_busy=at_work if bottleneck == array else 0.0,
        macs_per_cycle_per_dsp=graph.macs() / frame / max(design.total.dsp, 1),
        labels=Labels("per cycle", "busiest unit", shares=True),
    )


def array_macs(graph: Graph) -> int:
    """Count the multiply-accumulates of a graph that the array computes."""
    forms = forms_of(graph)
    return sum(
        node.operation.macs(*graph.input_types(node))
        for node in graph.nodes.values()
        if isinstance(forms[node.name], tuple | AttendedSums | PooledSums | Products)
    )


def _lanes(sizes: Sizes) -> dict[str, str]:
    """Return what every unit takes in a cycle, at most."""
    return {
        ROWS["load"]: _codes(2 * WORD),
        ROWS["store"]: _codes(2 * WORD),
        ROWS["array"]: f"{OUTPUTS}x{INPUTS}x{sizes.pixels}",
        ROWS["move"]: _codes(1),
        ROWS["softmax"]: _codes(sizes.softmax_lanes),
        ROWS["norm"]: _codes(sizes.norm_lanes),
    }


def _codes(count: int) -> str:
    return "1 code" if count == 1 else f"{count} codes"
