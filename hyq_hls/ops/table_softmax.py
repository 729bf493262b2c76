"""Softmax whose exponential is a table: any published integer exponential, in one circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import MIN_BITS, TensorType
from hyq_hls.ops.checks import freeze, plain_integers
from hyq_hls.ops.softmax import Softmax

SoftmaxOutput = Literal["log2", "log2_rounded", "uniform"]
OUTPUTS: tuple[SoftmaxOutput, ...] = get_args(SoftmaxOutput)
#: Every lane has a copy of the table, of as many entries as the input has codes.
MAX_SOFTMAX_TABLE_BITS = 10


@dataclass(frozen=True, eq=False)
class TableSoftmax(Softmax):
    """``y = e / sum(e)`` over the last axis, where a table gives ``e``.

    The argument of the table is the distance from the row's maximum, so the zero point cancels.
    With ``top = 2**bits - 1``::

        e = table[max_row(q) - q],  E = sum_row(e)
        log2:         code = min(top, number of j >= 0 with 2 * E >= 3 * 2**j * e)
        log2_rounded: code = min(top, L),  t = E / e rounded half to even,
                      L = floor(log2 t), plus 1 if t - 2**L >= 2**(L - 1)
        uniform:      code = min(top, ((e << bits) + (E >> 1)) // E)

    A log2 code is ``-log2(e / E)``, rounded at 1.5 times a power of two; ``e = 0`` has code top,
    which stands for probability zero, as everywhere in this package. ``log2`` is the output of
    :class:`hyq_hls.ops.LinearSoftmax`. ``log2_rounded`` is that of the released code of FQ-ViT and
    HyQ (``QIntSoftmax``), which rounds ``E / e`` to an integer first; it differs only at the top:
    the released code gives probability ``2**-top`` for ``L = top`` and zero above, so it has
    ``2**bits + 1`` values, which do not fit ``bits`` bits; here ``L = top`` is zero too. Without a
    division, ``L`` is the number of ``j >= 0`` with::

        2 * E >= 3 * e (j = 0),  2 * E > 5 * e (j = 1),  2 * E >= (3 * 2**j - 1) * e (j >= 2)

    because t reaches ``ceil(1.5 * 2**j)`` there; only ties at ``2 * E = 5 * e`` go down.

    Attributes:
        table: int64 (2**in_bits,), the exponential of every distance from the row's maximum, in
            any unit: 0 or more, and positive at distance 0. It need not fall: HyQ's line rises by
            up to 2.4 % from the end of an octave to the next. 2 to 10 input bits.
        bits: width b of a probability, 2 to 16.
        output: ``log2`` and ``log2_rounded`` (probabilities ``2**-code``), or ``uniform``
            (``code * 2**-b``).

    Raises:
        GraphError: a parameter is out of range.
    """

    name: ClassVar[str] = "table_softmax"

    table: Codes
    bits: int
    output: SoftmaxOutput

    def __post_init__(self) -> None:
        freeze(self, "table", 1)
        plain_integers(self, "bits")
        size = self.table.size
        if size not in (1 << b for b in range(MIN_BITS, MAX_SOFTMAX_TABLE_BITS + 1)):
            raise GraphError(
                f"table_softmax: a table of {size} exponentials; 2**bits are wanted, one for every "
                f"distance of two codes of {MIN_BITS} to {MAX_SOFTMAX_TABLE_BITS} bits; quantize "
                "the scores to fewer bits if they have more"
            )
        if self.table.min() < 0 or self.table[0] == 0:
            raise GraphError(
                f"table_softmax: exponentials from {self.table.min()} on, {self.table[0]} at "
                "distance 0; they must be 0 or more, and positive at distance 0, so that no row "
                "sums to 0; use more fraction bits or a smaller scale of the scores"
            )
        if self.output not in OUTPUTS:
            raise GraphError(f"table_softmax output {self.output!r}; one of {OUTPUTS} is wanted")
        _ = self.quantization  # checks the bits

    @property
    def largest(self) -> int:
        """The largest exponential."""
        return int(self.table.max())

    @property
    def exponential_bits(self) -> int:
        """Unsigned width of the largest exponential."""
        return self.largest.bit_length()

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the input.

        Raises:
            GraphError: the table does not cover its distances.
        """
        found = super().output_type(*inputs)
        codes = 1 << inputs[0].quantization.bits
        if self.table.size != codes:
            raise GraphError(
                f"the table has {self.table.size} exponentials, the input {codes} codes; "
                "make one exponential for every distance of two input codes"
            )
        return found

    def exponential(self, distance: Codes) -> Codes:
        return self.table[distance]

    def _thresholds_passed(self, e: Codes, total: Codes) -> Codes:
        if self.output == "log2":
            return super()._thresholds_passed(e, total)
        most = min(self.quantization.qmax, 62)
        levels = [2 * total >= 3 * e, 2 * total > 5 * e]
        levels += [(2 * total + e) >> j >= 3 * e for j in range(2, most)]
        passed: Codes = np.sum(levels, axis=0, dtype=np.int64)
        return passed

    def accumulator(self, *inputs: TensorType) -> Bounds:
        total = inputs[0].channels * self.largest
        if self.output == "uniform":
            return Bounds(0, max(total, (self.largest << self.bits) + (total >> 1)))
        # Both sides of a comparison are doubled, so that levels count from 1.
        return Bounds(0, 4 * total + (2 * self.largest if self.output == "log2_rounded" else 0))
