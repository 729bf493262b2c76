"""The interface through which the quantizer asks for costs of hardware, which it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Operation, TensorType

Array = NDArray[np.float64]


class DesignCosts(Protocol):
    """Costs in one design, at other widths of codes and with the same lanes.

    Arrays hold an amount of every resource, in the order of ``CostModel.resources``.
    """

    @property
    def total(self) -> Array:
        """Usage of the whole design."""

    @property
    def cycles(self) -> int:
        """Clock cycles per frame."""

    def node(self, name: str, operation: Operation, types: Sequence[TensorType]) -> Array:
        """Return the usage of ``operation`` on inputs of ``types`` in the place of a node."""

    def streams(self, tensor: str, bits: int) -> Array:
        """Return the usage of FIFOs and width converters of a tensor, with codes of ``bits``."""


class CostModel(Protocol):
    """Costs of designs on one part."""

    @property
    def part(self) -> str:
        """Name of the part."""

    @property
    def resources(self) -> Mapping[str, str]:
        """Labels, as ``LUT``, by names of resources, as ``lut``."""

    def capacity(self) -> Array:
        """Return how much of every resource the part has."""

    def design(self, graph: Graph, cycles: int | None) -> DesignCosts:
        """Return the costs of the design that is built for a graph.

        Args:
            graph: the graph that is built.
            cycles: most cycles per frame; None leaves the choice to the machine.

        Raises:
            ConversionError: a node cannot be that fast.
        """
