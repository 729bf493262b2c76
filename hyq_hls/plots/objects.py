"""The facts that plots read from reports and designs, whichever class holds them.

The rooms of the reports import this room, so that a report can draw itself; hence this room does
not import theirs. It names what it reads: every class of the package with these attributes fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hyq_hls.graph import Graph
    from hyq_hls.parts import Part
    from hyq_hls.tools.verilator import RunResult
    from hyq_hls.tools.yosys import Utilization


class NodeNoise(Protocol):
    """The noise of one node; see :class:`hyq_hls.verify.NodeLevels`."""

    @property
    def node(self) -> str:
        """Name of the node."""

    @property
    def quantized_db(self) -> float | None:
        """SQNR of quantized float against float in dB."""

    @property
    def integer_db(self) -> float | None:
        """SQNR of the integers against float in dB."""


class Verification(Protocol):
    """A comparison of levels; see :class:`hyq_hls.verify.VerifyReport`."""

    @property
    def nodes(self) -> Sequence[NodeNoise]:
        """The nodes in the order of the data."""


class NodeErrors(Protocol):
    """The sensitivity of a layer or a tensor; see :class:`hyq_hls.quant.judge.Sensitivity`."""

    @property
    def node(self) -> str:
        """Name of the node."""

    @property
    def kind(self) -> str:
        """``weights`` or ``activations``."""

    @property
    def errors(self) -> Mapping[int, float]:
        """Relative error of the logits by width in bits."""


class Design(Protocol):
    """The sites of a design; see :class:`hyq_hls.machine.DesignUtilization`."""

    @property
    def operations(self) -> Mapping[str, Utilization]:
        """Sites of every node, or of every unit."""

    @property
    def plumbing(self) -> Mapping[str, Utilization]:
        """Sites of all else, by kind."""


class Plan(Protocol):
    """A plan of the HLS C++; see :class:`hyq_hls.machine.HlsPlan`."""

    @property
    def total(self) -> Utilization:
        """Sites of the whole C++."""


class Resources(Protocol):
    """A report on resources; see :class:`hyq_hls.machine.ResourceReport`."""

    @property
    def part(self) -> Part:
        """The part that it is for."""

    @property
    def design(self) -> Design:
        """Sites of the RTL."""

    @property
    def plan(self) -> Plan | None:
        """Plan of the HLS C++, if there is one."""


class Solution(Protocol):
    """The sites of a point of a Pareto front; see :func:`hyq_hls.stream.choose.pareto`."""

    @property
    def used(self) -> Utilization:
        """Sites of the design."""


class FrontPoint(Protocol):
    """One design of a Pareto front; see :func:`hyq_hls.stream.choose.pareto`."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def part(self) -> Part:
        """The part whose resources are the measure."""

    @property
    def solution(self) -> Solution:
        """The sites of the design."""


class Fifo(Protocol):
    """One FIFO of a run; see :class:`hyq_hls.machine.StreamReport`."""

    @property
    def name(self) -> str:
        """Name of the stream."""

    @property
    def depth(self) -> int:
        """Words of its memory."""

    @property
    def max_occupancy(self) -> int:
        """Most words that waited at a time."""


class CosimulationRun(Protocol):
    """A co-simulation; see :class:`hyq_hls.machine.CosimReport`."""

    @property
    def streams(self) -> Sequence[Fifo]:
        """The FIFOs in the order of the data."""

    @property
    def result(self) -> RunResult | None:
        """Raw times and counts of the run."""


class NodeCircuit(Protocol):
    """One node in hardware; see ``Accelerator.nodes``."""

    @property
    def name(self) -> str:
        """Name of the node."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates per frame."""

    @property
    def cycles(self) -> int:
        """Cycles per frame."""

    @property
    def rom_bits(self) -> int:
        """Bits of constant memory."""


class Prediction(Protocol):
    """The cycles of a program of the engine; see ``Accelerator.machine.prediction``."""

    @property
    def by_node(self) -> Mapping[str, int]:
        """Cycles of every node."""

    @property
    def by_kind(self) -> Mapping[str, int]:
        """Cycles of every kind of instruction."""


class Statistics(Protocol):
    """Values of a tensor in calibration; see :class:`hyq_hls.quant.scales.TensorStatistics`."""

    @property
    def low(self) -> NDArray[np.float64]:
        """Smallest value per channel (C,)."""

    @property
    def high(self) -> NDArray[np.float64]:
        """Largest value per channel (C,)."""

    @property
    def rows(self) -> NDArray[np.float64]:
        """Sampled values (n, C)."""


class IntegerNetwork(Protocol):
    """A quantized network; see :class:`hyq_hls.QuantizedModel`."""

    @property
    def graph(self) -> Graph:
        """Its integer graph."""


#: Codes or real values by name of the node.
Trace = Mapping[str, NDArray[Any]]
