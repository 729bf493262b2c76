"""Plans the HLS C++: cycles from its loops, block RAMs from its memories, logic by cost models.

The rules are those of Vitis HLS; docs/hls.md has their sources.
"""

from __future__ import annotations

from hyq_hls.machine.hls_plan import HlsPlan, PlannedFunction
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.cost.features import dsps_of
from hyq_hls.stream.cost.hls_area import circuit_area, operation_area, stream_utilization
from hyq_hls.stream.cost.hls_memories import array_bram18, inner_fifo_bram18
from hyq_hls.stream.cost.memories import memory_utilization
from hyq_hls.stream.flow import Dataflow, OperationStage, Stage, Stream
from hyq_hls.stream.flow.timing import Timing, frame_latency
from hyq_hls.stream.rtl.plumbing import plumbing_of, word_bits
from hyq_hls.tools.yosys import Utilization

#: Cycles of one iteration of a fork or a width converter: read, write.
_PLUMBING_DEPTH = 2


def plan_hls(flow: Dataflow) -> HlsPlan:
    """Predict cycles, latency and resources of the C++ of a design.

    Args:
        flow: the design with the FIFO depths of the C++.

    Raises:
        ConversionError: the C++ of a circuit was not counted.
    """
    operations = {stage.node.name: plan_operation(stage) for stage in flow.operations}
    plumbing: dict[str, PlannedFunction] = {}
    for stage in flow.stages:
        if not isinstance(stage, OperationStage):
            (process,) = processes(flow, stage)
            circuit = plumbing_of(flow, stage)
            found = PlannedFunction(process.cycles, process.latency, circuit_area(circuit))
            others = plumbing.get(circuit.kind, PlannedFunction(0, 0))
            plumbing[circuit.kind] = found.beside(others)
    ports = {flow.source, flow.sink}
    fifos = [hls_fifo(s) for name, s in flow.streams.items() if name not in ports]
    plumbing["FIFOs"] = PlannedFunction(0, 0, sum(map(stream_utilization, fifos), Utilization()))
    return HlsPlan(operations, plumbing, frame_latency(flow, lambda s: _timing(flow, s)))


def plan_operation(stage: OperationStage) -> PlannedFunction:
    """Predict the function of one node."""
    found = stage.circuit.processes(stage.folding)
    sites = Utilization(dsp=dsps_of(stage), bram18=operation_bram18(stage))
    return PlannedFunction(_cycles(found), _latency(found), operation_area(stage) + sites)


def operation_bram18(stage: OperationStage) -> int:
    """Return the block RAMs of the function of one node."""
    circuit, folding = stage.circuit, stage.folding
    blocks = sum(inner_fifo_bram18(fifo) for fifo in circuit.inner_streams(folding))
    blocks += sum(array_bram18(array) for array in circuit.arrays(folding))
    # The top function binds every constant memory to the place that the SystemVerilog has for it.
    return blocks + sum(memory_utilization(m).bram18 for m in stage.memories if m.constant)


def processes(flow: Dataflow, stage: Stage) -> tuple[Process, ...]:
    """Return the processes that the C++ of a stage consists of."""
    if isinstance(stage, OperationStage):
        return stage.circuit.processes(stage.folding)
    return (one_loop(flow.cycles(stage), _PLUMBING_DEPTH),)


def hls_fifo(stream: Stream) -> Memory:
    """Return width and depth of the FIFO of a stream."""
    return Memory(word_bits(stream), stream.depth)


def _timing(flow: Dataflow, stage: Stage) -> Timing:
    found = processes(flow, stage)
    work = max(process.cycles - process.wait for process in found)
    return Timing(sum(process.lead for process in found), work)


def _cycles(found: tuple[Process, ...]) -> int:
    return max(process.cycles for process in found)


def _latency(found: tuple[Process, ...]) -> int:
    """Return the latency of processes that hand each other words as soon as they have them."""
    return sum(p.lead for p in found) + max(p.latency - p.lead for p in found)
