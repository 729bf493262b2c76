"""The array and its output stage: section 3.2 of ``docs/engine.md``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.forms.output_stage import saturated
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, TABLE_ENTRIES
from hyq_hls.engine.simulate.memories import Memories
from hyq_hls.errors import SimulationError

Codes = NDArray[np.int64]
_LOW, _HIGH = -(1 << 31), (1 << 31) - 1
_LARGEST_WEIGHT, _LARGEST_CODE = 255, 255
_HALF = 128


def run_array(memories: Memories, i: isa.Array) -> tuple[Codes, Codes]:
    """Run an instruction of the array.

    Returns:
        Codes (rows, pixels, channels) before and behind the table.

    Raises:
        SimulationError: a read of something that nobody wrote, an operand or a sum out of range.
    """
    if i.depthwise and (i.steps != 1 or i.c0 % 4):
        raise SimulationError("a depthwise sum has one step and begins with a whole word")
    bare = i.source == isa.FROM_FEATURES and not i.signed and not i.prologue
    if i.depthwise and i.source != isa.FROM_CONSTANT and not bare:
        raise SimulationError("a depthwise sum has a prologue, or signed or one-hot operands")
    if min(i.rows, i.pixels, i.groups, i.steps, i.kernel_y, i.kernel_x, i.planes) < 1:
        raise SimulationError("rows, pixels, groups, steps, kernel and planes are 1 or more")
    lanes = np.arange(i.first, i.first + i.channels)
    if lanes[-1] >= OUTPUTS * i.groups:
        raise SimulationError(f"channel {lanes[-1]} of {i.groups} groups")
    unit = _Sums(memories, i)
    acc = unit.run()[..., lanes]
    records = memories.parameters.read(i.param * OUTPUTS + lanes)
    bias = records["bias"].astype(np.int64) + unit.prologue()[lanes]
    _check(bias)
    codes = _output(_check(acc + bias), records, i.bits)
    behind = codes
    if i.table:
        behind = memories.tables.read(i.bank * TABLE_ENTRIES + codes).astype(np.int64)
    stored = behind >> 8 & 255 if i.high else behind & 255
    index = memories.view_bytes(i.dst, i.rows, i.pixels, lanes)
    unit.check_no_overlap(index)
    memories.features.write(index, stored.astype(np.uint8))
    return codes, behind


def _output(total: Codes, records: NDArray[np.void], bits: int) -> Codes:
    multiplier = np.maximum(records["multiplier"].astype(np.int64), 1)
    shift, zero = (records[name].astype(np.int64) for name in ("shift", "zero"))
    return saturated(total * multiplier, shift, zero, bits)


def _check(values: Codes) -> Codes:
    if values.size and (values.min() < _LOW or values.max() > _HIGH):
        raise SimulationError(f"sums in [{values.min()}, {values.max()}] leave 32 bits")
    return values


class _Sums:
    """The accumulators of an instruction."""

    def __init__(self, memories: Memories, i: isa.Array) -> None:
        self.memories, self.i = memories, i
        self.touched: list[Codes] = []

    def run(self) -> Codes:
        """Return the accumulators (rows, pixels, 16 * groups), without bias."""
        i = self.i
        acc = np.zeros((i.rows, i.pixels, OUTPUTS * i.groups), np.int64)
        step = 0
        for d in range(i.passes):
            if d and i.digits:
                acc <<= 8
            if i.repeat:
                step = 0
            # Bounds of everything that the pass may add, in any order.
            low, high = acc.min(axis=(0, 1)), acc.max(axis=(0, 1))
            total = np.zeros(acc.shape)
            for ky in range(i.kernel_y):
                plane = shift = words = 0
                for _ in range(i.kernel_x):
                    weights = self._weights(step)
                    step += i.steps
                    offset = d * i.pass_stride + ky * i.ky_stride + words
                    codes = self._operands(d, offset, shift, weights)
                    smallest, largest = int(codes.min()), int(codes.max())
                    self._check_form(smallest, largest, weights)
                    flat = self._flat(weights)
                    if i.depthwise:
                        total += codes * flat.astype(float)
                    else:
                        total += codes.astype(float) @ flat.astype(float)
                    ends = np.stack(
                        [smallest * self._spread(weights), largest * self._spread(weights)]
                    )
                    low = low + ends.min(axis=0).sum(axis=0)
                    high = high + ends.max(axis=0).sum(axis=0)
                    plane, shift, words = plane + i.kx_plane, shift + i.kx_shift, words + i.kx_words
                    if plane >= i.planes:
                        plane, shift, words = plane - i.planes, shift + 1, words - i.wrap_words
            _check(np.minimum(low, 0))
            _check(np.maximum(high, 0))
            acc += total.astype(np.int64)
        return acc

    def prologue(self) -> Codes:
        """Return the sums of the constant operand (16 * groups,), or zeros."""
        i = self.i
        if not i.prologue:
            return np.zeros(OUTPUTS * i.groups, np.int64)
        if i.passes > 1 and not i.repeat:
            raise SimulationError("a prologue needs one pass, or repeat")
        steps = i.kernel_y * i.kernel_x * i.steps
        words = self.memories.row_weights(
            i.weights, i.weight_group, i.groups, 1 if i.hold else steps
        )
        if i.hold:
            words = words.repeat(steps, axis=1)
        _check(abs(i.constant) * np.abs(words).sum(axis=(1, 3)))
        self._check_form(i.constant, i.constant, words)
        found: Codes = i.constant * words.sum(axis=(1, 3))
        return found.reshape(-1)

    def check_no_overlap(self, destination: Codes) -> None:
        """Raise ``SimulationError`` where a byte is both read and written."""
        mark = np.zeros(self.memories.features.data.size + 1, bool)
        mark[destination.ravel()] = True
        if any(mark[t].any() for t in self.touched):
            raise SimulationError("source and destination overlap")

    def _weights(self, step: int) -> Codes:
        """Return the weights (groups, steps, 16, 3) of a tap."""
        i = self.i
        if i.source == isa.FROM_CONSTANT and i.constant == 0:
            return np.zeros((i.groups, i.steps, OUTPUTS, INPUTS), np.int64)
        if i.hold:
            words = self.memories.row_weights(i.weights, i.weight_group, i.groups, 1)
            return words.repeat(i.steps, axis=1)
        return self.memories.row_weights(i.weights + step, i.weight_group, i.groups, i.steps)

    def _flat(self, weights: Codes) -> Codes:
        """Return weights (channels, outputs), or (outputs,) of a depthwise sum."""
        if not self.i.depthwise:
            return self._spread(weights)
        found: Codes = weights.sum(axis=(1, 3))
        return found.reshape(-1)

    def _spread(self, weights: Codes) -> Codes:
        """Return the weights (terms, outputs) that are added one by one."""
        found: Codes = weights.transpose(1, 3, 0, 2)
        return found.reshape(self.i.steps * INPUTS, -1)

    def _operands(self, d: int, offset: int, shift: int, weights: Codes) -> Codes:
        i = self.i
        flat = self._flat(np.abs(weights))
        channels = np.arange(len(flat))
        if i.source == isa.FROM_CONSTANT:
            return np.full((i.rows, i.pixels, len(channels)), i.constant, np.int64)
        view = isa.View((i.src.base + offset) & 0xFFFF, i.src.row, i.src.group, i.src.x0 + shift)
        index = self.memories.view_bytes(view, i.rows, i.pixels, i.c0 + channels)
        needed: NDArray[np.bool_] = np.asarray((flat > 0).reshape(len(flat), -1).any(axis=1))
        codes = self.memories.features.read(index, needed).astype(np.int64)
        codes[..., ~needed] = 0
        self.touched.append(index[..., needed])
        if i.source == isa.FROM_FEATURES:
            return codes - _HALF * needed if i.signed and d == i.passes - 1 else codes
        exponent = i.one_hot - codes
        digit = i.passes - 1 - d
        hot = needed & (exponent >= 0) & (exponent >> 3 == digit)
        return np.where(hot, 1 << (np.maximum(exponent, 0) & 7), 0)

    @staticmethod
    def _check_form(smallest: int, largest: int, weights: Codes) -> None:
        """Raise ``SimulationError`` unless two products fit one multiplier exactly."""
        low, high = int(weights.min()), int(weights.max())
        narrow = low >= -_HALF and high <= _HALF
        wide = low >= -_LARGEST_WEIGHT and high <= _LARGEST_WEIGHT
        if not (
            (smallest >= 0 and largest <= _LARGEST_CODE and narrow)
            or (smallest >= 0 and largest <= _HALF and wide)
            or (smallest >= -_HALF and largest < _HALF and wide)
        ):
            raise SimulationError(
                f"operands in [{smallest}, {largest}] with weights in [{low}, {high}]: two such "
                "products do not fit a multiplier"
            )
