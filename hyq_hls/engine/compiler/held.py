"""Tensors of a segment: how their columns lie in the feature memory, which rows it holds when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from hyq_hls.engine.compiler.buffers import Buffer
from hyq_hls.engine.compiler.moves import MovesUnit
from hyq_hls.engine.compiler.patches import PatchesUnit
from hyq_hls.engine.compiler.unit import Unit
from hyq_hls.engine.forms import Sliding
from hyq_hls.engine.layout import TensorLayout, ceil_div
from hyq_hls.graph.operation import Codes


@dataclass(eq=False)
class Held:
    """A tensor while a segment runs, band after band.

    Attributes:
        name: the tensor.
        layout: how it lies in DRAM.
        producer: index of the unit that writes it; None where it is loaded.
        first: index of the unit with which it comes: its producer or its first reader.
        readers: indices of the units that read it, and which of their inputs it is.
        exported: whether it is stored as well.
        rows: rows that are made, in the order in which they are; those of the tokens for a fold.
        grain: rows are made in multiples of this.
        virtual: whether it is stored by its producer and never lies in the feature memory.
        step: planes of columns.
        x0, x1: first column, and the one behind the last, border included.
        border: codes around it, or None.
        low, high: for every band the first row in the memory, and the one behind the last.
        base: first word.
    """

    name: str
    layout: TensorLayout
    producer: int | None
    first: int
    readers: list[tuple[int, int]]
    exported: bool
    rows: int
    grain: int = 1
    virtual: bool = False
    step: int = 1
    x0: int = 0
    x1: int = 0
    border: Codes | None = None
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    base: int = 0

    @property
    def last(self) -> int:
        """Index of the unit behind which nobody needs it in a band."""
        return max([self.first, *(unit for unit, _ in self.readers)])

    @property
    def height(self) -> int:
        """Rows that the buffer has."""
        return max(high - low for low, high in zip(self.low, self.high, strict=True))

    @property
    def kept(self) -> int:
        """Rows at the begin of the buffer that live from band to band."""
        return max([0, *(h - low for h, low in zip(self.high, self.low[1:], strict=False))])

    def new(self, band: int) -> tuple[int, int]:
        """Return the rows that come in a band, border included."""
        return (self.high[band - 1] if band else self.low[0]), self.high[band]

    def made(self, band: int) -> tuple[int, int]:
        """Return the rows inside of the tensor that come in a band."""
        start, stop = self.new(band)
        return min(max(start, 0), self.rows), min(max(stop, 0), self.rows)

    def buffer(self, pixels: int, band: int = 0) -> Buffer:
        """Return the place of a band's rows."""
        low = self.low[band]
        return Buffer(
            *(self.layout, self.base, low, low + self.height, self.x0, self.x1, pixels, self.step)
        )


def hold(
    units: Sequence[Unit], layouts: dict[str, TensorLayout], exported: set[str]
) -> dict[str, Held] | None:
    """Return the tensors of a segment with their columns, or None where they do not lie alike.

    Args:
        units: the units of the segment.
        layouts: layouts of all tensors.
        exported: tensors that others read.
    """
    held: dict[str, Held] = {}
    for index, unit in enumerate(units):
        if isinstance(unit, MovesUnit):
            return None  # it goes from DRAM to DRAM
        for which, name in enumerate(unit.inputs):
            if unfolds(unit):
                if name in held and held[name].producer is not None:
                    return None  # it loads from DRAM
                continue
            if name not in held:
                held[name] = _tensor(name, layouts[name], None, index)
            if held[name].virtual:
                return None
            held[name].readers.append((index, which))
        tensor = _tensor(unit.output, unit.layout, index, index)
        tensor.exported = unit.output in exported
        if isinstance(unit, PatchesUnit):
            tensor.grain, tensor.rows = unit.form.patch[1], unit.tokens.rows
            tensor.virtual = not unit.form.to_tokens
        held[unit.output] = tensor
    return held if _place_columns(units, held) else None


def unfolds(unit: Unit) -> bool:
    """Return whether a unit loads tokens from a map."""
    return isinstance(unit, PatchesUnit) and unit.form.to_tokens


def _tensor(name: str, layout: TensorLayout, producer: int | None, first: int) -> Held:
    return Held(name, layout, producer, first, [], False, layout.rows, x1=layout.pixels)


def _place_columns(units: Sequence[Unit], held: dict[str, Held]) -> bool:
    """Choose planes, margins and borders; return whether all readers and writers agree."""
    steps = _Classes()
    for unit in units:
        names = [name for name in (*unit.inputs, unit.output) if name in held]
        if unit.keeps_columns:
            for a, b in pairwise(names):
                steps.join(a, b)
            continue
        for which, name in enumerate(unit.inputs):
            if name in held and not steps.fix(name, unit.sliding(which).stride[1]):
                return False
        if not steps.fix(unit.output, unit.output_step):
            return False
    for tensor in held.values():
        tensor.step = steps.value(tensor.name)
    if not all(_add_margins(tensor, units, held) for tensor in held.values()):
        return False
    twins = [[held[name] for name in unit.inputs] for unit in units if unit.twins]
    changed = True
    while changed:  # a tensor may be the twin of several
        changed = False
        for both in twins:
            margins = min(t.x0 for t in both), max(t.x1 for t in both)
            for tensor in both:
                changed |= (tensor.x0, tensor.x1) != margins
                tensor.x0, tensor.x1 = margins
    return all(_is_in_phase(t, *r, units) for t in held.values() for r in t.readers)


class _Classes:
    """Tensors whose columns are split alike."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._step: dict[str, int] = {}

    def join(self, a: str, b: str) -> None:
        a, b = self._root(a), self._root(b)
        if a != b:
            self._parent[a] = b
            if a in self._step and not self.fix(b, self._step[a]):
                self._step[b] = 0

    def fix(self, name: str, step: int) -> bool:
        root = self._root(name)
        return self._step.setdefault(root, step) == step

    def value(self, name: str) -> int:
        return self._step.get(self._root(name), 1)

    def _root(self, name: str) -> str:
        while name in self._parent:
            name = self._parent[name]
        return name


def _add_margins(tensor: Held, units: Sequence[Unit], held: dict[str, Held]) -> bool:
    if tensor.step < 1:
        return False
    for index, which in tensor.readers:
        unit = units[index]
        if unit.sliding(which) == Sliding():
            continue
        x0, x1 = unit.columns_read(which, 0, held[unit.output].layout.pixels)
        tensor.x0, tensor.x1 = min(tensor.x0, x0), max(tensor.x1, x1)
        border = unit.border(which)
        if border is None:
            continue
        border = np.broadcast_to(border, tensor.layout.channels)
        if tensor.border is not None and not np.array_equal(border, tensor.border):
            return False
        tensor.border = border
    return True


def _is_in_phase(tensor: Held, index: int, which: int, units: Sequence[Unit]) -> bool:
    sliding = units[index].sliding(which)
    return sliding == Sliding() or (-sliding.padding[1] - tensor.x0) % tensor.step == 0


def plan_rows(units: Sequence[Unit], held: dict[str, Held], bands: int) -> int:
    """Choose which rows every tensor has in every band; return the number of bands.

    Args:
        units: the units of the segment.
        held: its tensors.
        bands: how many bands there are at most; the last unit's output is split evenly.
    """
    last = held[units[-1].output]
    size = ceil_div(ceil_div(last.rows, bands), last.grain) * last.grain
    bands = ceil_div(last.rows, size)
    needs: dict[str, list[list[tuple[int, int]]]] = {n: [[] for _ in range(bands)] for n in held}
    needs[last.name] = [[(k * size, min((k + 1) * size, last.rows))] for k in range(bands)]
    for unit in reversed(units):
        tensor = held[unit.output]
        _plan_tensor(tensor, needs[tensor.name])
        for k in range(bands):
            start, stop = tensor.made(k)
            for which, name in enumerate(unit.inputs):
                if stop > start and name in held:
                    needs[name][k].append(unit.rows_read(which, start, stop))
    for tensor in held.values():
        if tensor.producer is None:
            _plan_tensor(tensor, needs[tensor.name])
    return bands


def _plan_tensor(tensor: Held, needs: list[list[tuple[int, int]]]) -> None:
    bands, rows = len(needs), tensor.rows
    if not any(needs):  # others alone read it
        ends = [ceil_div(rows * (k + 1), bands) for k in range(bands)]
        needs = [[(k and ends[k - 1], ends[k])] for k in range(bands)]
    start = min(0, *(low for need in needs for low, _ in need))
    high, reached = [], start
    for k, need in enumerate(needs):
        reached = max([reached, *(stop for _, stop in need)])
        if tensor.producer is not None and k == bands - 1:
            reached = max(reached, rows)  # rows that no window reaches are rows of the tensor too
        if reached < rows:
            reached = ceil_div(reached, tensor.grain) * tensor.grain
        high.append(reached)
    low, wanted = [0] * bands, high[-1]
    for k in reversed(range(bands)):
        wanted = min([wanted, *(first for first, _ in needs[k])])
        low[k] = min(wanted, high[k - 1] if k else start)
    tensor.low, tensor.high = low, high
