"""Choose the machine of a graph: the stream where it fits the part, else the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import Literal, get_args

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cost import engine_utilization, program_for
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.errors import ConversionError, DoesNotFitError
from hyq_hls.graph import Graph
from hyq_hls.machine import Machine
from hyq_hls.machine.budget import check_clock, check_share, fits, too_large
from hyq_hls.parts import Part
from hyq_hls.stream.choose.backends import counted
from hyq_hls.stream.choose.design import design
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.compilers import Compiler
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.stream.rtl.embedded import Memories

#: Families with the cells whose delays the cost models know.
SEVEN_SERIES = ("zynq-7000", "artix-7")
Architecture = Literal["auto", "stream", "engine"]


@dataclass(frozen=True)
class Wishes:
    """The choices that a user has for a machine, as :func:`hyq_hls.convert` explains them.

    Attributes:
        part: the part.
        clock_mhz: target clock.
        project: name of the top function and of the top module.
        target_fps: frames per second at that clock.
        share: share of the part that may be used.
        folding: lanes of nodes of a stream, by name.
        circuits: circuits of nodes of a stream, by pattern of their names.
        must_fit: back ends that the part must have room for.
        hls: HLS compiler of a stream's C++.
        memories: where the RTL of a stream has its constants from.
        sizes: sizes of an engine.
    """

    part: Part
    clock_mhz: float = 100.0
    project: str = "net"
    target_fps: float | None = None
    share: float | None = None
    folding: Mapping[str, Folding] | None = None
    circuits: Mapping[str, str] | None = None
    must_fit: bool | str = True
    hls: Compiler = "vitis"
    memories: Memories = "files"
    sizes: Sizes | None = None

    @property
    def of_streams(self) -> dict[str, object]:
        """The wishes that only the streaming machine knows, by name of the argument."""
        given = {"folding": self.folding, "circuits": self.circuits}
        found: dict[str, object] = {name: value for name, value in given.items() if value}
        found |= {"hls": self.hls} if self.hls != "vitis" else {}
        return found | ({"memories": self.memories} if self.memories != "files" else {})


def choose_machine(graph: Graph, architecture: Architecture, wishes: Wishes) -> Machine:
    """Return the machine of a graph.

    Args:
        graph: what it computes.
        architecture: "stream", "engine", or "auto" for the stream where it fits the part, and else
            the engine.
        wishes: part, clock and what else the user asked for.

    Raises:
        ConversionError: there is no such architecture, or it cannot do what is asked for.
        DoesNotFitError: the part is too small.
    """
    if architecture not in get_args(Architecture):
        known = ", ".join(map(repr, get_args(Architecture)))
        raise ConversionError(f"architecture={architecture!r}: one of {known} is wanted")
    if architecture == "engine" or (architecture == "auto" and wishes.sizes is not None):
        return _checked(_engine(graph, wishes), wishes)
    if wishes.sizes is not None:
        raise ConversionError('engine: sizes are those of architecture="engine"; leave one out')
    try:
        return _checked(_stream(graph, wishes), wishes)
    except DoesNotFitError as error:
        if architecture == "stream" or wishes.of_streams or wishes.must_fit == "hls":
            raise
        too_small = error
    try:
        return _checked(_engine(graph, wishes), wishes)
    except ConversionError as error:
        raise DoesNotFitError(
            f"neither machine fits. Streaming machine: {too_small}. Engine: {error}"
        ) from error


def _stream(graph: Graph, wishes: Wishes) -> StreamMachine:
    flow = design(
        graph,
        wishes.part,
        wishes.clock_mhz,
        target_fps=wishes.target_fps,
        share=wishes.share,
        folding=wishes.folding,
        circuits=wishes.circuits,
        must_fit=wishes.must_fit,
    )
    return StreamMachine(
        wishes.part,
        wishes.clock_mhz,
        wishes.project,
        flow,
        hls=wishes.hls,
        memories=wishes.memories,
    )


def _engine(graph: Graph, wishes: Wishes) -> EngineMachine:
    if wishes.of_streams:
        name = next(iter(wishes.of_streams))
        raise ConversionError(
            f"{name}: only the streaming machine has this choice; leave it out, or take "
            'architecture="stream"'
        )
    if wishes.must_fit == "hls":
        raise ConversionError(
            'must_fit="hls": the C++ of the engine has no plan to compare with the part; take '
            "True, which counts its RTL, or False"
        )
    share = 1.0 if wishes.share is None else wishes.share
    check_share(share)
    check_clock(wishes.clock_mhz)
    must_fit, sizes = bool(counted(wishes.must_fit)), wishes.sizes
    if sizes is not None and must_fit:
        used = engine_utilization(sizes)
        if not fits(used.total, wishes.part, share):
            raise too_large(used.total, used.operations, wishes.part, share, f"{sizes}")
    if sizes is None and must_fit:
        program = program_for(wishes.part, graph, wishes.clock_mhz, share)
    else:
        program = compile_graph(graph, sizes or Sizes())
    machine = EngineMachine(wishes.part, wishes.clock_mhz, wishes.project, graph, program)
    reached = wishes.clock_mhz * 1e6 / machine.cycles_per_frame
    if wishes.target_fps is not None and not 0 < wishes.target_fps <= reached:
        raise ConversionError(
            f"target_fps {wishes.target_fps:g}: the engine reaches {reached:,.1f} frames/s at "
            f"{wishes.clock_mhz:g} MHz on {wishes.part.name}; ask for less, or raise the clock"
        )
    return machine


def _checked(machine: Machine, wishes: Wishes) -> Machine:
    """Return a machine whose clock is in reach; of parts of other families no delay is known."""
    if "rtl" not in counted(wishes.must_fit):
        return machine
    report, part = machine.estimate(), machine.part
    reached = part.max_clock_mhz
    if part.family in SEVEN_SERIES:
        reached = min(report.supported_clock_mhz, reached)
    if machine.clock_mhz > reached:
        slowest, used = max(report.design.operations.items(), key=lambda item: item[1].delay_ns)
        raise ConversionError(
            f"clock_mhz={machine.clock_mhz:g}: {floor(reached)} MHz are in reach on {part.name}; "
            f"the longest path has {used.delay_ns:.2f} ns of logic, in {slowest}, and as much for "
            f"wires; give clock_mhz={floor(reached)}, or must_fit=False to write it all the same"
        )
    return machine
