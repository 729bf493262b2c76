"""What the quantizer asks of whoever knows what designs take: it knows no hardware itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Operation, TensorType

Array = NDArray[np.float64]


class DesignCosts(Protocol):
    """Costs in one design, at other widths of codes and the same lanes.

    Arrays hold an amount of every resource, in the order of ``CostModel.resources``.
    """

    @property
    def total(self) -> Array:
        """Usage of the whole design."""

    @property
    def cycles(self) -> int:
        """Clock cycles per frame."""

    def node(self, name: str, operation: Operation, types: Sequence[TensorType]) -> Array:
        """Usage of ``operation`` on inputs of ``types`` in the place of a node."""

    def streams(self, tensor: str, bits: int) -> Array:
        """Usage of what carries a tensor between nodes, with codes of ``bits``."""


class CostModel(Protocol):
    """Costs of designs on one part."""

    @property
    def part(self) -> str:
        """Name of the part."""

    @property
    def resources(self) -> Mapping[str, str]:
        """Resources by name, as ``lut``, with what people call them, as ``LUT``."""

    def capacity(self) -> Array:
        """What the part has of every resource."""

    def design(self, graph: Graph, cycles: int | None) -> DesignCosts:
        """Costs of the design that is built for a graph.

        Args:
            graph: what is built.
            cycles: per frame, at most; None leaves the choice to the machine.

        Raises:
            ConversionError: a node cannot be that fast.
        """
