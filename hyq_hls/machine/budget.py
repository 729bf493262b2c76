"""Decide whether a design fits a part, and say why when it does not."""

from __future__ import annotations

from collections.abc import Mapping

from hyq_hls.errors import ConversionError, DoesNotFitError
from hyq_hls.parts import Part, all_parts
from hyq_hls.tools.yosys import Utilization

#: Resources of a part: names in :class:`~hyq_hls.tools.yosys.Utilization`, and labels for people.
RESOURCES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram18": "RAMB18"}


def capacity(part: Part) -> dict[str, float]:
    """Return how much of every resource a part has."""
    return {"lut": part.luts, "ff": part.ffs, "dsp": part.dsps, "bram18": 2 * part.bram36}


def check_share(share: float) -> None:
    """Raise :class:`ConversionError` for a share of a part that is none."""
    if not 0 < share <= 1:
        raise ConversionError(f"share {share} of a part: above 0 and at most 1 is wanted")


def check_clock(clock_mhz: float) -> None:
    """Raise :class:`ConversionError` for a clock that no part has."""
    if not 1 <= clock_mhz <= 1000:
        raise ConversionError(f"clock of {clock_mhz} MHz: between 1 and 1000 is wanted")


def binding(used: Utilization, part: Part) -> tuple[str, float]:
    """Return the label of the resource with the largest used share, and that share."""
    has = capacity(part)
    shares = {name: getattr(used, name) / has[name] for name in RESOURCES}
    fullest = max(shares, key=lambda name: shares[name])
    return RESOURCES[fullest], shares[fullest]


def fits(used: Utilization, part: Part, share: float = 1.0) -> bool:
    """Return whether a part, or a share of it, has enough of every resource."""
    return binding(used, part)[1] <= share


def would_do(part: str | None) -> str:
    """Return the advice to take a part, the smallest that would do."""
    return (
        "no known part would do" if part is None else f"the smallest part that would do is {part}"
    )


def too_large(
    used: Utilization,
    nodes: Mapping[str, Utilization],
    part: Part,
    share: float,
    what: str,
    advice: str = "",
) -> DoesNotFitError:
    """Make the error for a design that does not fit.

    It names the resource, and the nodes that need it most.

    Args:
        used: what the design takes.
        nodes: the same by node or unit.
        part: the part.
        share: how much of it may be used.
        what: the design, in words.
        advice: what to do; by default, the smallest part with enough of every resource.
    """
    has = capacity(part)
    over = [name for name in RESOURCES if getattr(used, name) > share * has[name]]
    most = sorted(nodes, key=lambda n: -getattr(nodes[n], over[0]))[:3] if over else []
    amounts = ", ".join(
        f"{getattr(used, name):,} {RESOURCES[name]} of {share * has[name]:,.0f}" for name in over
    )
    larger = [p.name for p in all_parts() if fits(used, p, share)]
    advice = advice or would_do(larger[0] if larger else None)
    return DoesNotFitError(
        f"{what} does not fit {share:.0%} of {part.name}: it needs {amounts or 'more than it has'}"
        + (f"; most for {', '.join(most)}" if most else "")
        + f"; {advice}"
    )
