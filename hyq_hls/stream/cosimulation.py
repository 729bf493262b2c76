"""The RTL of a dataflow on Verilator: equality, cycles, FIFO occupancy, where it stalls."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hyq_hls.errors import CompilationError, ConversionError, FileFormatError, SimulationError
from hyq_hls.machine import Codes, CosimReport, StreamReport, equal_frames
from hyq_hls.stream.flow import Dataflow, OperationStage, Stream
from hyq_hls.stream.hls.bambu_rtl import write_bambu_top
from hyq_hls.stream.hls.vitis_rtl import write_vitis_top
from hyq_hls.stream.rtl.instances import Instance, instances
from hyq_hls.stream.rtl.modules import module_file, needed_modules, rtl_sources
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.support import write_file
from hyq_hls.tools.systemverilog import alone
from hyq_hls.tools.verilator import (
    RtlSimulation,
    RunResult,
    Simulator,
    StreamFormat,
    StreamInfo,
    StreamStatistics,
    Waves,
    build_cosimulation,
)
from hyq_hls.tools.verilator.optimization import MANY_CYCLES

Found = TypeVar("Found")


def stream_format(stream: Stream) -> StreamFormat:
    """Describe the words of a stream as the simulation sees them."""
    q = stream.type.quantization
    return StreamFormat(stream.beats, stream.lanes, q.bits, q.signed)


def simulation_of(flow: Dataflow, library: Path) -> RtlSimulation:
    """Return a built library with the ports and streams of ``flow``."""
    fed = flow.fed_by_image
    streams = [
        StreamInfo(s.name, stream_format(s), s.name not in fed) for s in flow.streams.values()
    ]
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    return RtlSimulation(library, stream_format(source), stream_format(sink), streams)


def build_rtl(
    flow: Dataflow,
    folder: Path,
    project: str,
    *,
    trace: bool = False,
    flags: Sequence[str] = (),
    cycles: int = MANY_CYCLES,
) -> RtlSimulation:
    """Verilate and compile what :func:`hyq_hls.stream.rtl.write_rtl` wrote into ``folder``.

    Args:
        flow: what was written.
        folder: the RTL.
        project: name of the top module.
        trace: whether it can write a VCD file, which makes it slower.
        flags: flags for the C++ compiler; one of them may be a level of optimization.
        cycles: how many cycles will run; it chooses the level where ``flags`` name none.

    Raises:
        CompilationError: Verilator or g++ is missing or fails.
    """
    library = build_cosimulation(
        rtl_sources(folder, project),
        project,
        folder / ("build_trace" if trace else "build"),
        parameters={"MemoryDir": str((folder / MEMORY_DIR).resolve())},
        trace=trace,
        flags=flags,
        cycles=cycles,
    )
    return simulation_of(flow, library)


def build_simulator(
    flow: Dataflow, folder: Path, project: str, watch: Sequence[str], waves: Waves
) -> Simulator:
    """Return the top level under manual control.

    ``watch`` names nodes, or instances of the top level, that can be traced.

    Raises:
        ConversionError: there is nothing of that name.
        CompilationError: Verilator or g++ is missing or fails.
    """
    names = {f"u_{instance.name}": f"u_{instance.name}" for instance in instances(flow)}
    names |= {node: f"u_{instance.name}" for node, instance in _circuits(flow).items()}
    return Simulator.build(
        rtl_sources(folder, project),
        project,
        {"MemoryDir": str((folder / MEMORY_DIR).resolve())},
        folder=folder / "build_simulator",
        wires=False,
        watch=[_known("watch: no node or instance", name, names) for name in watch],
        waves=waves,
        flags=("-O0",),  # A person waits for the build, and looks at few cycles.
    )


def build_node_simulator(flow: Dataflow, folder: Path, node: str, waves: Waves) -> Simulator:
    """Return the circuit of one node, ``internals.u_circuit``, under manual control.

    Raises:
        ConversionError: there is no such node.
        CompilationError: Verilator or g++ is missing or fails.
    """
    circuit = _known("no node", node, _circuits(flow))
    module, memory_dir = circuit.module, (folder / MEMORY_DIR).resolve()
    top, text = alone(module, module_file(module).read_text(), circuit.parameters_alone(memory_dir))
    build = folder / f"build_{circuit.name}"
    try:
        build.mkdir(exist_ok=True)
        write_file(build / f"{top}.sv", text)
    except (OSError, FileFormatError) as error:
        raise CompilationError(f"cannot build in {build}: {error}") from error
    sources = [*rtl_sources(folder), build / f"{top}.sv"]
    return Simulator.build(sources, top, folder=build, waves=waves, flags=("-O0",))


def _circuits(flow: Dataflow) -> dict[str, Instance]:
    """Return the instance of every node of the graph."""
    return {
        instance.circuit.node.name: instance
        for instance in instances(flow)
        if isinstance(instance.circuit, OperationStage)
    }


def _known(what: str, name: str, known: Mapping[str, Found]) -> Found:
    """Return what has a name, or refuse the name with near ones."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 3)
    raise ConversionError(f"{what} {name!r}" + (f"; near are {', '.join(near)}" * bool(near)))


def build_vitis_rtl(
    flow: Dataflow, folder: Path, project: str, flags: Sequence[str] = (), cycles: int = MANY_CYCLES
) -> RtlSimulation:
    """Verilate what Vitis HLS generated from the project in ``folder``; its streams are hidden.

    The arguments are those of :func:`build_rtl`.

    Raises:
        SimulationError: there is no such Verilog, or its ports are unknown.
        CompilationError: Verilator or g++ is missing or fails.
    """
    build = folder / "vitis_cosim"
    sources = write_vitis_top(flow, folder, project, build / "verilog")
    return _build_generated(flow, sources, f"{project}_vitis", build, flags, cycles)


def build_bambu_rtl(
    flow: Dataflow, folder: Path, project: str, flags: Sequence[str] = (), cycles: int = MANY_CYCLES
) -> RtlSimulation:
    """Verilate what Bambu generated from the project in ``folder``; its streams are hidden.

    The arguments are those of :func:`build_rtl`.

    Raises:
        SimulationError: there is no such Verilog, or its ports are unknown.
        CompilationError: Verilator or g++ is missing or fails.
    """
    build = folder / "bambu_cosim"
    sources = write_bambu_top(flow, folder, project, build / "verilog")
    return _build_generated(flow, sources, f"{project}_bambu", build, flags, cycles)


def _build_generated(
    flow: Dataflow,
    sources: list[Path],
    top: str,
    build: Path,
    flags: Sequence[str],
    cycles: int,
) -> RtlSimulation:
    needed = needed_modules({f"hyq_axis_{side}" for side in ("input", "output")})
    adapters = [module_file(module) for module in needed]
    library = build_cosimulation([*adapters, *sources], top, build, flags=flags, cycles=cycles)
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    return RtlSimulation(library, stream_format(source), stream_format(sink))


def compare(
    flow: Dataflow,
    simulation: RtlSimulation,
    codes: Codes,
    emulated: Codes,
    compiled: Codes,
    clock_mhz: float,
    **options: Any,
) -> CosimReport:
    r"""Run ``codes`` through the RTL and compare with the emulation and the HLS C++.

    Args:
        flow: what was built.
        simulation: the Verilated RTL of ``flow``.
        codes: (B, \*input shape).
        emulated: (B, \*output shape) of the integer emulation.
        compiled: (B, \*output shape) of the HLS C++.
        clock_mhz: clock at which frames are counted.
        options: options of :meth:`hyq_hls.tools.verilator.RtlSimulation.run`.
    """
    result = simulation.run(codes.reshape(len(codes), -1), **options)
    found = result.outputs.reshape(emulated.shape)
    equal = equal_frames(found, emulated)
    difference = None
    if not equal.all() and simulation.streams:
        worst = int(np.argmin(equal))
        difference = _first_difference(flow, simulation, codes[worst : worst + 1], worst)
    return CosimReport(
        images=len(codes),
        rtl_equal_images=int(equal.sum()),
        csim_equal_images=int(equal_frames(found, compiled).sum()),
        latency_cycles=result.latency_cycles,
        cycles_per_frame=result.cycles_per_frame,
        predicted_cycles=flow.cycles_per_frame,
        bottleneck=flow.bottleneck.name,
        cycles=result.cycles,
        clock_mhz=clock_mhz,
        idle=options.get("idle", 0.0),
        backpressure=options.get("backpressure", 0.0),
        streams=[_stream_report(flow, s) for s in result.streams],
        first_difference=difference,
        activity_cycles=options.get("activity_cycles", 0),
        activity=_activity_of_a_frame(result, options.get("activity_cycles", 0)),
        result=result,
    )


def _activity_of_a_frame(result: RunResult, bin_cycles: int) -> dict[str, list[int]]:
    """Return the words per bin from the first input to the last output of the first frame."""
    if not bin_cycles:
        return {}
    begin, end = int(result.first_input[0]), int(result.last_output[0])
    shown = slice(begin // bin_cycles, end // bin_cycles + 1)
    return {name: bins[shown].tolist() for name, bins in result.activity.items()}


def _stream_report(flow: Dataflow, found: StreamStatistics) -> StreamReport:
    stream = flow.streams[found.name]
    return StreamReport(
        stream.name,
        stream.depth,
        stream.lanes * stream.type.quantization.bits,
        found.max_occupancy,
        found.stalled,
        found.starved,
    )


def _first_difference(flow: Dataflow, simulation: RtlSimulation, codes: Codes, image: int) -> str:
    """Return the first node whose stream differs from the reference, for one frame."""
    names = [flow.names[node] for node in flow.graph.nodes]
    try:
        captured = simulation.run(codes.reshape(1, -1), capture=names).captured
    except SimulationError as error:
        return f"image {image} alone: {error}"
    for tensor, wanted in flow.graph.reference(codes):
        if tensor in flow.graph.nodes:
            found = captured[flow.names[tensor]].reshape(wanted.shape)
            if not np.array_equal(found, wanted):
                where = tuple(int(i[0]) for i in np.nonzero(found != wanted))
                return (
                    f"image {image}: node {tensor} differs first, at {where[1:]}: RTL "
                    f"{found[where]}, reference {wanted[where]}"
                )
    return f"image {image}: differs among others, but not alone"
