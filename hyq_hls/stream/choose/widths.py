"""Other widths of codes change the cost of a design that keeps its lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Operation, TensorType
from hyq_hls.machine.budget import RESOURCES, capacity
from hyq_hls.parts import Part
from hyq_hls.parts import part as part_of
from hyq_hls.stream.choose.balance import balance
from hyq_hls.stream.choose.circuits import choose_circuits, circuit_utilization, share
from hyq_hls.stream.circuits import circuits_of
from hyq_hls.stream.cost.costs import estimate
from hyq_hls.stream.cost.design import estimate_design
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.dataflow import WidthConverterStage
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.rtl.plumbing import Fifo, WidthConverter
from hyq_hls.tools.yosys import Utilization

Array = NDArray[np.float64]


def balanced_design(graph: Graph, part: Part, cycles: int | None = None) -> Dataflow:
    """Return the design that ``convert`` tries first: the cheapest circuits in balanced foldings.

    Args:
        graph: what is built.
        part: the part whose resources decide which circuit is the cheapest.
        cycles: most cycles per frame; by default about 200 multiply-accumulates per cycle.

    Raises:
        ConversionError: a node cannot be that fast.
    """
    circuits = choose_circuits(graph, part)
    flow = build_dataflow(graph, balance(circuits, cycles), circuits)
    return flow.with_depths(safe_depths(flow))


def as_array(used: Utilization) -> Array:
    """Return the usage in the order of :data:`~hyq_hls.machine.budget.RESOURCES`."""
    return np.array([getattr(used, name) for name in RESOURCES], dtype=float)


@dataclass(frozen=True)
class PartCosts:
    """Costs of streaming designs on a part: what the quantizer's budgets ask for.

    It is a :class:`~hyq_hls.quant.judge.costs.CostModel`.

    Attributes:
        part: name of a part, a device of it, or a board.

    Raises:
        ConversionError: the part is unknown.
    """

    part: str

    def __post_init__(self) -> None:
        part_of(self.part)

    @property
    def resources(self) -> Mapping[str, str]:
        """Resources by name, with what people call them."""
        return RESOURCES

    def capacity(self) -> Array:
        """Return all that the part has of every resource."""
        has = capacity(part_of(self.part))
        return np.array([has[name] for name in RESOURCES], dtype=float)

    def design(self, graph: Graph, cycles: int | None = None) -> WidthCosts:
        """Cost the design that ``convert`` tries first; see :func:`balanced_design`."""
        part = part_of(self.part)
        return WidthCosts(balanced_design(graph, part, cycles), part)


class WidthCosts:
    """Costs of nodes and streams of one design, at other widths and the same lanes.

    Attributes:
        total: usage of the design as it is.
        cycles: clock cycles per frame.

    Args:
        flow: the design.
        part: the part whose resources decide which circuit is the cheapest.
    """

    def __init__(self, flow: Dataflow, part: Part) -> None:
        self.flow, self.part = flow, part
        self.total = as_array(estimate_design(flow).total)
        self.cycles = flow.cycles_per_frame
        self._stages = {stage.node.name: stage for stage in flow.operations}

    def node(self, name: str, operation: Operation, types: Sequence[TensorType]) -> Array:
        """Return the usage of ``operation`` on inputs of ``types`` in the place of a node."""
        stage = self._stages[name]
        found = [
            circuit_utilization(stage.node, circuit, stage.folding)
            for circuit in circuits_of(operation, *types).values()
        ]
        return as_array(min(found, key=lambda used: share(used, self.part)))

    def streams(self, tensor: str, bits: int) -> Array:
        """Return the usage of the FIFOs and width converters of a tensor with codes of ``bits``."""
        total = Utilization()
        for stream in self.flow.streams.values():
            if stream.tensor == tensor:
                total += estimate(Fifo(stream.lanes * bits, stream.depth))
        for stage in self.flow.stages:
            if not isinstance(stage, WidthConverterStage):
                continue
            if self.flow.streams[stage.inputs[0]].tensor == tensor:
                read, written = (self.flow.streams[s[0]] for s in (stage.inputs, stage.outputs))
                total += estimate(WidthConverter(bits, read.lanes, written.lanes))
        return as_array(total)
