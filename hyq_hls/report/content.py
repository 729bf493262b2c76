"""Everything that a page shows, as plain values: what was measured, and what was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hyq_hls.report.layout import Drawing
from hyq_hls.tools.yosys import Utilization
from hyq_hls.verify import VerifyReport
from hyq_hls.verify.sensitivity import NodeSensitivity


@dataclass(frozen=True)
class Unmeasured:
    """The place of a figure that nobody measured.

    Attributes:
        why: what is missing.
        remedy: how to measure it.
    """

    why: str
    remedy: str

    def __str__(self) -> str:
        return f"not measured: {self.why}; {self.remedy}"


@dataclass(frozen=True)
class Made:
    """The origin of a page.

    Attributes:
        command: the command or call that wrote it.
        when: date and time, UTC.
        versions: versions of the programs and libraries that took part, by name.
        settings: what the network and the design were made with, as JSON text, by title.
    """

    command: str
    when: str
    versions: Mapping[str, str]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class NodeFacts:
    """A node of the integer graph as the graph alone describes it.

    Attributes:
        name: name of the node.
        operation: name of its operation.
        shape: shape of its output.
        code: codes of its output, such as ``u8`` or ``s9``.
        accumulator_bits: width of its widest sum.
        macs: multiply-accumulates per frame.
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    code: str
    accumulator_bits: int
    macs: int


@dataclass(frozen=True)
class Level:
    """One level of the road on all images that were given.

    Attributes:
        name: the level, such as ``integers``.
        images: number of images; on fewer images a level such as the RTL is simulated.
        right: images that it classifies correctly; None without labels.
        agreeing: images to which it gives the class of the float network; None without one.
        output_db: signal-to-noise of its outputs against the float network in dB; None without one.
        equal: images whose output codes equal those of the level above it; None for float levels.
    """

    name: str
    images: int
    right: int | None = None
    agreeing: int | None = None
    output_db: float | None = None
    equal: int | None = None


@dataclass(frozen=True)
class Numerics:
    """The numbers of the network on images.

    Attributes:
        images: number of images.
        traced: number of those on which every node is compared.
        levels: the levels, from the float network on; those that were not measured are absent.
        verified: the comparison of the levels, node by node.
        sensitivities: what every node costs.
        missing: levels that were not measured, by name.
    """

    images: int
    traced: int
    levels: Sequence[Level]
    verified: VerifyReport
    sensitivities: Sequence[NodeSensitivity] | Unmeasured
    missing: Mapping[str, Unmeasured]


@dataclass(frozen=True)
class Row:
    """A circuit of the design: a node of a stream, a unit of an engine, or what lies between.

    Attributes:
        name: its name.
        lanes: its lanes, as text.
        cycles: cycles per frame in which it works; None for what has none.
        rtl: the sites that its RTL takes.
        hls_cycles: cycles per frame of its C++; None where there is no plan.
        hls: the sites that its C++ takes; None where there is no plan.
    """

    name: str
    lanes: str
    cycles: int | None
    rtl: Utilization
    hls_cycles: int | None = None
    hls: Utilization | None = None


@dataclass(frozen=True)
class Fill:
    """The use of one resource of the part.

    Attributes:
        resource: its label.
        has: what the part has.
        rtl: what the RTL takes.
        hls: what the C++ takes; None where there is no plan.
    """

    resource: str
    has: float
    rtl: float
    hls: float | None


@dataclass(frozen=True)
class Path:
    """The longest path of a circuit.

    Attributes:
        name: name of the circuit.
        delay_ns: its logic without wires.
    """

    name: str
    delay_ns: float


@dataclass(frozen=True)
class Hardware:
    """The design for its part.

    Attributes:
        architecture: ``stream`` or ``engine``.
        part: name of the part.
        device: its device.
        clock_mhz: the clock that was asked for.
        supported_mhz: the clock that the estimate supports.
        delays_known: whether delays of the part's family are known; they are those of 7-series.
        fits: whether the part has room.
        method: how the sites of the RTL are known.
        rows: the circuits.
        rows_are_nodes: whether the rows of :attr:`rows` begin with the nodes of the graph.
        labels: heads of the columns of lanes, and of the row that decides the speed.
        node_cycles: cycles per frame of nodes, by name; of an engine only those that have
            instructions of their own.
        cycles_per_frame: cycles from one frame to the next.
        hls_cycles_per_frame: those of the C++; None where there is no plan.
        fps: frames per second at the clock.
        total, hls_total: sums of the sites.
        fill: how full the part is, by resource.
        paths: the longest paths.
        bottleneck: the row that decides the speed.
        verdict: sentences of the machine's own report.
        vendor: the report of Vitis HLS as text, beside the plan.
        units: cycles in which every unit of an engine works, by bin of the frame; empty for a
            stream.
        unit_bin_cycles: cycles of such a bin.
    """

    architecture: str
    part: str
    device: str
    clock_mhz: float
    supported_mhz: float
    delays_known: bool
    fits: bool
    method: str
    rows: Sequence[Row]
    rows_are_nodes: bool
    labels: tuple[str, str]
    node_cycles: Mapping[str, int]
    cycles_per_frame: int
    hls_cycles_per_frame: int | None
    fps: float
    total: Utilization
    hls_total: Utilization | None
    fill: Sequence[Fill]
    paths: Sequence[Path]
    bottleneck: str
    verdict: Sequence[str]
    vendor: str | Unmeasured
    units: Mapping[str, Sequence[float]] = field(default_factory=dict)
    unit_bin_cycles: float = 0.0

    @property
    def clock_met(self) -> bool:
        """Whether the estimate supports the clock that was asked for."""
        return self.clock_mhz <= self.supported_mhz


@dataclass(frozen=True)
class Fifo:
    """One FIFO in a co-simulation.

    Attributes:
        name: name of its stream.
        depth: words that it holds.
        word_bits: width of a word.
        occupancy: most words that waited at a time.
        stalled: share of the cycles in which its writer waited.
        starved: share of the cycles in which its reader waited.
    """

    name: str
    depth: int
    word_bits: int
    occupancy: int
    stalled: float
    starved: float


@dataclass(frozen=True)
class Simulated:
    """The last co-simulation.

    Attributes:
        origin: where its figures come from.
        images: frames that were simulated.
        rtl_equal: frames whose codes equal those of the emulation.
        csim_equal: frames whose codes equal those of the C++.
        ok: whether all are equal.
        latency_cycles: cycles of the first frame.
        latency_us: the same in microseconds.
        cycles_per_frame: measured cycles per frame; None for a single frame.
        predicted_cycles: cycles per frame by formula.
        idle, backpressure: probabilities of random stalls.
        fifos: every FIFO; empty for an engine.
        activity: words per bin of the streams that are drawn, by name.
        activity_cycles: cycles of a bin.
        details: what the machine says besides.
        outdated: why the figures are not those of the design as it is now; empty where they are.
    """

    origin: str
    images: int
    rtl_equal: int
    csim_equal: int
    ok: bool
    latency_cycles: int
    latency_us: float
    cycles_per_frame: int | None
    predicted_cycles: int
    idle: float
    backpressure: float
    fifos: Sequence[Fifo]
    activity: Mapping[str, Sequence[int]]
    activity_cycles: int
    details: Sequence[str]
    outdated: str = ""


@dataclass(frozen=True)
class ParetoPoint:
    """A design that no other one beats in both frames per second and LUTs.

    Attributes:
        label: what it is, in words.
        cycles: cycles per frame.
        fps: frames per second at the clock.
        used: the sites that it takes, by estimate.
        fits: whether the part has room.
        chosen: whether it is the design of this page.
    """

    label: str
    cycles: int
    fps: float
    used: Utilization
    fits: bool
    chosen: bool = False


@dataclass(frozen=True)
class Content:
    """All of a page.

    Attributes:
        title: name of the network.
        made: origin of the page.
        macs: multiply-accumulates per frame.
        input_shape, output_shape: shapes of an image and of the output.
        nodes: the nodes in their order.
        drawing: the graph as a picture.
        numerics: what images showed.
        hardware: the design.
        simulated: the last co-simulation.
        pareto: designs of the folding search.
    """

    title: str
    made: Made
    macs: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    nodes: Sequence[NodeFacts]
    drawing: Drawing
    numerics: Numerics | Unmeasured
    hardware: Hardware | Unmeasured
    simulated: Simulated | Unmeasured
    pareto: Sequence[ParetoPoint] | Unmeasured
