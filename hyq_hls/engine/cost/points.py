"""Cost points: results of synthesis for every unit at some sizes, and the law between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from hyq_hls.engine.cost.units import Unit
from hyq_hls.engine.rtl import module_sources, rtl_folders
from hyq_hls.errors import ConversionError
from hyq_hls.tools.systemverilog import source_hash
from hyq_hls.tools.yosys import Utilization, points_of

#: ``benchmarks/characterize_engine.py`` writes this file.
POINTS_FILE = Path(__file__).with_name("points.json")
#: Sites that grow between two points of an axis; there DSP slices and block RAMs do not.
_GROWING = ("lut", "ff", "carry")


@dataclass(frozen=True)
class Point:
    """A unit and what Yosys made of it.

    Attributes:
        module: its module.
        parameters: its parameters.
        utilization: sites that it takes.
    """

    module: str
    parameters: Mapping[str, int]
    utilization: Utilization


@cache
def cost_points() -> tuple[Point, ...]:
    """Return the points of :data:`POINTS_FILE`.

    Raises:
        ConversionError: the file is damaged.
    """
    return read_points()


def read_points(path: Path = POINTS_FILE) -> tuple[Point, ...]:
    """Read a table of synthesis results.

    Raises:
        ConversionError: the file is damaged.
    """
    return tuple(points_of(path, Point, "benchmarks/characterize_engine.py"))


def module_hash(module: str) -> str:
    """Hash the sources of a module and of all that it contains, without comments."""
    return source_hash(module_sources([module], rtl_folders()))


def utilization_of(unit: Unit, points: Sequence[Point]) -> Utilization:
    """Return what a unit takes: its point, or what the law makes of points of the same module.

    The base is the point whose scaled parameters are all the least. Every scaled parameter has an
    axis: the points that differ from the base in it alone. It changes LUTs, flip-flops, carry
    chains and DSP slices by the factor by which it changes the base, or adds them where the base
    has none. Between two points of an axis the first three grow evenly with the bits of an address
    (of a bank, or of a word), since these are what a larger memory adds to the logic around it. The
    longest path is the longest of all points that are used. Block RAMs follow from words and widths
    alone. Nothing is continued beyond the points.

    Raises:
        ConversionError: no point has the parameters that are not scaled, or an axis does not reach
            as far as the unit.
    """
    alike = [p for p in points if p.module == unit.module and _same(unit, p, unit.scaled)]
    if not alike:
        raise _uncovered(unit, "there is no synthesis result of it")
    exact = next((p for p in alike if _same(unit, p, ())), None)
    if exact is not None:
        return replace(exact.utilization, bram18=unit.bram18)
    base = min(alike, key=lambda p: [p.parameters[name] for name in unit.scaled])
    found = asdict(base.utilization)
    for name in unit.scaled:
        others = [n for n in unit.scaled if n != name]
        axis = [p for p in alike if all(p.parameters[n] == base.parameters[n] for n in others)]
        scaled = _between(unit, name, axis)
        for site in (*_GROWING, "dsp"):
            least, here = getattr(base.utilization, site), getattr(scaled, site)
            found[site] = found[site] * here / least if least else found[site] + here
        found["delay_ns"] = max(found["delay_ns"], scaled.delay_ns)
    whole = {site: round(found[site]) for site in (*_GROWING, "dsp")}
    return Utilization(**{**found, **whole, "bram18": unit.bram18})


def _same(unit: Unit, point: Point, without: Sequence[str]) -> bool:
    """Return whether a point has the parameters of a unit, without some of them."""
    free = {*without, *unit.ignored}
    return all(
        value == point.parameters.get(n) for n, value in unit.parameters.items() if n not in free
    )


def _between(unit: Unit, name: str, axis: Sequence[Point]) -> Utilization:
    """Return the utilization at a place of an axis, from the two points beside it."""
    wanted = _bits(name, unit.parameters[name])
    places = {_bits(name, p.parameters[name]): p.utilization for p in axis}
    below = max((b for b in places if b <= wanted), default=None)
    above = min((b for b in places if b >= wanted), default=None)
    if below is None or above is None:
        known = sorted(p.parameters[name] for p in axis)
        raise _uncovered(unit, f"synthesis results cover {name} from {known[0]} to {known[-1]}")
    low, high = places[below], places[above]
    if low.dsp != high.dsp and wanted not in places:
        raise _uncovered(unit, f"DSP slices change between {name} of its neighbours")
    share = (wanted - below) / (above - below) if above > below else 0.0
    values = {
        site: round(getattr(low, site) + share * (getattr(high, site) - getattr(low, site)))
        for site in _GROWING
    }
    return replace(low, **values, delay_ns=max(low.delay_ns, high.delay_ns))


def _bits(name: str, value: int) -> int:
    """Return the bits of an address of this many pixels or words."""
    return value if name.endswith("Bits") else (value - 1).bit_length()


def _uncovered(unit: Unit, why: str) -> ConversionError:
    found = ", ".join(f"{n}={v}" for n, v in unit.parameters.items() if n not in unit.ignored)
    return ConversionError(
        f"engine: {unit.row} ({unit.module}) with {found or 'no parameters'}: {why}; choose other "
        "sizes, or add them with python -m benchmarks.characterize_engine"
    )
