"""Unfold and fold: the load and store units take the columns of a patch apart or together."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Fold, Unfold


@dataclass(frozen=True)
class Patches:
    """Codes that change places between a map and its tokens.

    Attributes:
        patch: height and width of a patch.
        height: height of the map.
        width: width of the map.
        to_tokens: whether a map becomes tokens, else tokens become a map.
    """

    patch: tuple[int, int]
    height: int
    width: int
    to_tokens: bool

    def execute(self, codes: Codes) -> Codes:
        """Return the stored codes in their new places."""
        (ph, pw), channels = self.patch, codes.shape[-1]
        rows, columns = self.height // ph, self.width // pw
        if self.to_tokens:
            split = codes.reshape(-1, rows, ph, columns, pw, channels)
            tokens: Codes = split.transpose(0, 2, 4, 1, 3, 5)
            return tokens.reshape(-1, ph * pw, rows * columns, channels)
        split = codes.reshape(-1, ph, pw, rows, columns, channels)
        folded: Codes = split.transpose(0, 3, 1, 4, 2, 5)
        return folded.reshape(-1, self.height, self.width, channels)


def unfold(operation: Unfold, x: TensorType) -> Patches:
    """Return the places of an unfold."""
    return Patches(operation.patch, x.shape[0], x.shape[1], True)


def fold(operation: Fold, x: TensorType) -> Patches:
    """Return the places of a fold; its tokens do not matter."""
    del x
    return Patches(operation.patch, operation.height, operation.width, False)
