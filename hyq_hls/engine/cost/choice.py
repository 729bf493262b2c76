"""The engine for a part, and its program: the fewest predicted cycles of those that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.compiler.sums import needs_multiplier
from hyq_hls.engine.cost.report import array_macs
from hyq_hls.engine.cost.units import multipliers
from hyq_hls.engine.cost.utilization import engine_utilization
from hyq_hls.engine.forms import NormRows, forms_of, stages_of
from hyq_hls.engine.machine_sizes import MAX_WORDS, Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.engine.program import Program
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine.budget import fits, too_large, would_do
from hyq_hls.machine.resource_report import WIRE_FACTOR
from hyq_hls.parts import Part, all_parts
from hyq_hls.tools.yosys import Utilization

PIXELS = (8, 4, 2)
#: Lanes of the softmax unit, and of the norm unit.
LANES = (4, 2, 1)
#: Groups of channel records, and words of weights: those of MobileViT, and more.
CAPACITIES = ((64, 4096), (256, 16384))
#: Words of weights are divided by these. A bank of features has this many words or more.
DIVISORS = (1, 2, 4, 8)
FEWEST_WORDS = 512


@dataclass(frozen=True)
class _Choice:
    """A machine on which a graph compiles.

    Attributes:
        late: whether its longest path needs a lower clock than the one that is asked for.
        seconds: a frame, at the clock or at that lower one.
        sites: its LUTs and halves of block RAMs.
        program: the program of the graph on the machine.
    """

    late: bool
    seconds: float
    sites: tuple[int, int]
    program: Program

    @property
    def rank(self) -> tuple[bool, float, tuple[int, int]]:
        """Choices in order, the best first."""
        return self.late, self.seconds, self.sites


def program_for(part: Part, graph: Graph, clock_mhz: float, share: float = 1.0) -> Program:
    """Return the program of a graph on the engine with the most frames per second in a part.

    For every number of pixels, lanes of the softmax and the norm unit, and words of weights, the
    feature memory is the largest that fits; the graph is compiled for it and its cycles are
    predicted. Engines that reach the clock come before those that do not; of engines that are
    equally fast, the one with the fewest LUTs, then block RAMs, is taken.

    Args:
        part: the part.
        graph: the integer graph.
        clock_mhz: target clock in MHz.
        share: how much of every resource of the part may be used.

    Raises:
        ConversionError: the engine cannot run the graph, or no engine that can fits the part. The
            message names what is missing, and the smallest part that would do.
    """
    able = _able(graph)
    chosen, refused = _fastest(part, graph, clock_mhz, share, able)
    if chosen is not None:
        return chosen.program
    advice = would_do(_part_that_would_do(graph, share, able))
    if refused is not None:
        raise ConversionError(
            f"no engine that fits {share:.0%} of {part.name} can run the network: {refused}; "
            f"{advice}"
        )
    smallest = replace(
        able,
        pixels=min(PIXELS),
        softmax_lanes=min(LANES),
        norm_lanes=min(LANES),
        weight_words=CAPACITIES[0][1] // max(DIVISORS),
        feature_words=FEWEST_WORDS,
    )
    design = engine_utilization(smallest)
    rows = {**design.operations, **design.plumbing}
    raise too_large(design.total, rows, part, share, "the smallest engine", advice)


def _able(graph: Graph) -> Sizes:
    """Return an engine with no more units than a graph needs.

    Raises:
        ConversionError: an operation has no form.
    """
    default = Sizes()
    forms = forms_of(graph).values()
    rows = [form.channels for form in forms if isinstance(form, NormRows)]
    channels = max([default.norm_channels, *(1 << (c - 1).bit_length() for c in rows)])
    stages = [stage for form in forms for stage in stages_of(form)]
    return replace(
        default,
        norm_channels=channels,
        multiplier=any(needs_multiplier(stage) for stage in stages),
    )


def _fastest(
    part: Part, graph: Graph, clock_mhz: float, share: float, able: Sizes
) -> tuple[_Choice | None, ConversionError | None]:
    """Return the fastest engine that fits, or else what the compiler said of one that fits."""
    refused: ConversionError | None = None
    for groups, words in CAPACITIES:
        largest = replace(able, parameter_groups=groups, weight_words=words)
        chosen, refused = _fastest_of(graph, clock_mhz, _candidates(part, share, largest), refused)
        if chosen is not None:
            return chosen, None
    return None, refused


def _fastest_of(
    graph: Graph,
    clock_mhz: float,
    candidates: Sequence[tuple[Sizes, Utilization]],
    refused: ConversionError | None,
) -> tuple[_Choice | None, ConversionError | None]:
    """Return the fastest of some engines, or else what the compiler said of the last one."""
    programs: dict[Sizes, Program | ConversionError] = {}
    best: _Choice | None = None
    macs = array_macs(graph)
    for sizes, used in candidates:
        supported = 1000 / (WIRE_FACTOR * used.delay_ns)
        late, clock = supported < clock_mhz, min(clock_mhz, supported) * 1e6
        # Nothing is compiled that cannot win: the array alone takes as long.
        least = macs / (multipliers(sizes) * clock)
        if best is not None and (best.late, best.seconds) <= (late, least):
            continue
        plain = replace(sizes, softmax_lanes=1, norm_lanes=1)  # no program depends on the lanes
        if plain not in programs:
            programs[plain] = _compiled(graph, plain)
        program = programs[plain]
        if isinstance(program, ConversionError):
            refused = program
            continue
        program = replace(program, sizes=sizes)
        cycles = predict(program).cycles
        choice = _Choice(late, cycles / clock, (used.lut, used.bram18), program)
        if best is None or choice.rank < best.rank:
            best = choice
    return best, refused


def _compiled(graph: Graph, sizes: Sizes) -> Program | ConversionError:
    try:
        return compile_graph(graph, sizes)
    except ConversionError as error:
        return error


def _candidates(part: Part, share: float, largest: Sizes) -> list[tuple[Sizes, Utilization]]:
    """Return engines that fit, without those that differ from another by less memory alone."""
    found: list[tuple[Sizes, Utilization]] = []
    weights = [largest.weight_words // divisor for divisor in DIVISORS]
    for pixels, softmax, norm, weight_words in product(PIXELS, LANES, LANES, weights):
        words = MAX_WORDS
        while words >= FEWEST_WORDS:
            sizes = replace(
                largest,
                pixels=pixels,
                softmax_lanes=softmax,
                norm_lanes=norm,
                weight_words=weight_words,
                feature_words=words,
            )
            if any(_exceeds(other, sizes) for other, _ in found):
                break
            used = engine_utilization(sizes).total
            if fits(used, part, share):
                found.append((sizes, used))
                break
            words //= 2
    return found


def _exceeds(other: Sizes, sizes: Sizes) -> bool:
    """Return whether an engine has the pixels and lanes of another one, and no less memory."""
    return (
        other.pixels == sizes.pixels
        and other.softmax_lanes == sizes.softmax_lanes
        and other.norm_lanes == sizes.norm_lanes
        and other.weight_words >= sizes.weight_words
        and other.feature_words >= sizes.feature_words
    )


def _part_that_would_do(graph: Graph, share: float, able: Sizes) -> str | None:
    """Return the smallest part with room for an engine that can run the graph."""
    for part in all_parts():
        if _fastest(part, graph, part.max_clock_mhz, share, able)[0] is not None:
            return part.name
    return None
