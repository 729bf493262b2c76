"""Positions that go to other places, perhaps on a common grid of codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.sums import Sums
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType


@dataclass(frozen=True, eq=False)
class Move:
    """Some positions of a tensor, and where they go; both are counted in C order.

    Attributes:
        source: positions (N,) of the tensor.
        target: positions (N,) of the result.
        which: which input of the node the tensor is; None for constants.
        constant: stored codes (positions, C) of the result that are constant, or None.
        sums: what is computed on the way, or None.
    """

    source: Codes
    target: Codes
    which: int | None = 0
    constant: Codes | None = None
    sums: Sums | None = None


@dataclass(frozen=True, eq=False)
class Moves:
    """A result whose positions come from several places.

    Attributes:
        parts: the places; every position of the result has one.
    """

    parts: tuple[Move, ...]

    @property
    def constant(self) -> Codes | None:
        """Stored codes of the part that is constant, or None."""
        return next((part.constant for part in self.parts if part.which is None), None)

    def execute(self, *inputs: Codes) -> Codes:
        """Return the stored codes (B, positions, C) in their new places."""
        count = sum(part.target.size for part in self.parts)
        whole = np.zeros((len(inputs[0]), count, inputs[0].shape[-1]), np.int64)
        for part in self.parts:
            found = part.constant[None] if part.constant is not None else inputs[part.which or 0]
            if part.sums is not None:
                found = part.sums.execute(found)
            flat = found.reshape(len(found), -1, whole.shape[-1])
            whole[:, part.target] = flat[:, part.source]
        return whole


def positions(x: TensorType) -> Codes:
    """Return the numbers of all positions, in the shape of the tensor without its channels."""
    return np.arange(x.words).reshape(x.shape[:-1])
