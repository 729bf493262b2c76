"""A network is cut into segments, at the places that cost the fewest cycles."""

from __future__ import annotations

from dataclasses import dataclass, field

from hyq_hls.engine.compiler.emitter import TABLE_BANKS
from hyq_hls.engine.compiler.held import Held, unfolds
from hyq_hls.engine.compiler.segment import Segment
from hyq_hls.engine.compiler.unit import Unit
from hyq_hls.engine.layout import BEAT, RECORD, TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import LANES, OUTPUTS, WORD, Sizes

#: Cycles that an instruction takes beside its work, about; and a load, which waits for its bytes.
_INSTRUCTION, _LOAD = 55, 75
#: Most units of a segment. No network needs more, and the time to choose grows with it.
_MOST = 64


@dataclass(eq=False)
class Network:
    """The units of a graph and the tensors between them.

    Attributes:
        units: the units, in order.
        layouts: layouts of all tensors.
        readers: indices of the units that read a tensor.
        output: the tensor that leaves the engine.
        observed: whether all tensors go to DRAM.
        constants: bytes of tensors that lie in DRAM beside the weights.
    """

    units: list[Unit]
    layouts: dict[str, TensorLayout]
    readers: dict[str, list[int]]
    output: str
    observed: bool = False
    constants: dict[str, bytes] = field(default_factory=dict)

    def exported(self, start: int, stop: int) -> set[str]:
        """Return the tensors of some units that must lie in DRAM."""
        return {
            unit.output
            for unit in self.units[start:stop]
            if self.observed
            or unit.output == self.output
            or any(reader >= stop for reader in self.readers[unit.output])
        }


@dataclass(frozen=True)
class Cut:
    """Units that are computed together.

    Attributes:
        start: the first unit.
        stop: the unit behind the last.
        segment: how; None for a unit alone that takes tiles from DRAM to DRAM.
    """

    start: int
    stop: int
    segment: Segment | None


def cut(network: Network, sizes: Sizes) -> list[Cut]:
    """Return the segments with the fewest cycles, by an estimate of what DRAM and bands cost."""
    count = len(network.units)
    best = [0.0] + [float("inf")] * count
    chosen: list[Cut | None] = [None] * (count + 1)
    for start in range(count):
        for stop in range(start + 1, min(start + _MOST, count) + 1):
            exported = network.exported(start, stop)
            units = network.units[start:stop]
            segment = Segment.plan(units, network.layouts, exported, sizes)
            if segment is None and stop > start + 1:
                break
            cycles = best[start] + (
                _alone(network, start) if segment is None else _cycles(segment, network, sizes)
            )
            if cycles < best[stop]:
                best[stop], chosen[stop] = cycles, Cut(start, stop, segment)
    found = []
    stop = count
    while stop:
        piece = chosen[stop]
        assert piece is not None
        found.append(piece)
        stop = piece.start
    return found[::-1]


def _alone(network: Network, index: int) -> float:
    """Return the cycles of the transfers of a unit that takes tiles from DRAM to DRAM."""
    unit = network.units[index]
    names = (*unit.inputs, unit.output)
    return sum(_beats(network.layouts[name]) for name in names) * 2.0


def _beats(layout: TensorLayout) -> int:
    return layout.size // BEAT


def _cycles(segment: Segment, network: Network, sizes: Sizes) -> float:
    """Return the cycles of transfers, of kept rows, and of all that is done again in every band."""
    total = 0.0
    for tensor in segment.held.values():
        total += _transfers(tensor, segment.bands) + _copies(tensor, segment.bands)
    weights = parameters = 0
    tables: set[bytes] = set()
    for index, unit in enumerate(segment.units):
        if unfolds(unit):
            source = network.layouts[unit.inputs[0]]
            total += _beats(source) + _LOAD * source.rows
            continue
        rows = segment.held[unit.output].rows
        wanted = unit.room(sizes.pixels, segment.held[unit.output].step)[1]
        rounds = ceil_div(wanted, max(1, segment.rooms[index][1]))
        # A row takes as many rounds as its scores do.
        times = rows * rounds if unit.whole_rows else max(segment.bands, rounds)
        if not unit.whole_rows:  # a table of many bytes leaves no room for its own other bytes
            total += (times - segment.bands) * sum(_LOAD + len(table) for table in unit.tables)
        total += _INSTRUCTION * unit.instructions * times
        weights += unit.weight_bytes
        parameters += unit.parameter_bytes
        tables.update(unit.tables)
    again = 0.0
    if weights > LANES * sizes.weight_words:
        again += weights / BEAT
    if parameters > OUTPUTS * RECORD.itemsize * sizes.parameter_groups:
        again += parameters / BEAT
    if again:
        again += _LOAD * len(segment.units)
    if len(tables) > TABLE_BANKS:
        again += sum(_LOAD + len(table) for table in tables)
    return total + (segment.bands - 1) * again


def _transfers(tensor: Held, bands: int) -> float:
    cycles = _beats(tensor.layout) + _LOAD * bands
    return cycles * ((tensor.producer is None) + tensor.exported)


def _copies(tensor: Held, bands: int) -> float:
    """Return the cycles of borders, and of the rows that are kept from band to band."""
    total = 3.0 * _INSTRUCTION * bands * tensor.step if tensor.border is not None else 0.0
    if bands > 1 and tensor.kept:
        layout = tensor.layout
        groups = ceil_div(WORD * layout.words, OUTPUTS)
        rows = layout.planes * tensor.kept * layout.pixels
        total += (bands - 1) * (_INSTRUCTION * tensor.step + rows * groups)
    return total
