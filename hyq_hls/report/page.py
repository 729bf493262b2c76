"""The page: templates of Jinja2, which escape every text by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import isinf
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hyq_hls.machine.budget import binding
from hyq_hls.parts import part
from hyq_hls.plots import palette
from hyq_hls.report import figures
from hyq_hls.report.content import Content, Hardware, Numerics, Simulated, Unmeasured
from hyq_hls.tools.yosys import Utilization

#: Families of operations that the picture of the graph colours alike; all others are neutral.
FAMILIES = {
    "convolution": (
        *("conv2d", "depthwise_conv2d", "grouped_conv2d"),
        *("average_pool", "global_average_pool", "max_pool"),
    ),
    "matrix": ("dense", "attention_scores", "attention_values", "separable_context"),
    "function": ("table", "shift_swish", "linear_softmax", "table_softmax"),
    "normalization": ("layer_norm", "group_norm", "channel_affine"),
    "sum": ("add", "multiply", "maximum"),
}
_COLOURS = {
    "convolution": palette.BLUE,
    "matrix": palette.ORANGE,
    "function": palette.GREEN,
    "normalization": palette.PURPLE,
    "sum": palette.SKY_BLUE,
    "movement": "#8a8f98",
}
_FAMILY_WORDS = {
    "convolution": "convolution, pooling",
    "matrix": "dense layer, attention",
    "function": "function, softmax",
    "normalization": "normalization",
    "sum": "sum, product",
    "movement": "movement of codes",
}


@cache
def environment() -> Environment:
    """Return the templates, with autoescape on for all of them; an unknown name is an error."""
    found = Environment(
        loader=PackageLoader("hyq_hls.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"number": number, "decibels": decibels, "percent": percent, "middle": middle}
    found.tests["unmeasured"] = lambda value: isinstance(value, Unmeasured)
    return found


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return a page of a template, with styles and scripts inside."""
    return environment().get_template(template).render(values)


def page(content: Content) -> str:
    """Return the HTML of a report."""
    by_name = {fact.name: fact for fact in content.nodes}
    return rendered(
        "report.html",
        {
            "content": content,
            "charts": _charts(content),
            "families": {node.name: family(node.operation) for node in content.nodes},
            "colours": _COLOURS,
            "family_words": _FAMILY_WORDS,
            "facts": by_name,
            "numbers": {fact.name: i for i, fact in enumerate(content.nodes, 1)},
            "levels": _node_levels(content),
            "costs": _node_costs(content),
            "binding": _binding(content.hardware),
        },
    )


def family(operation: str) -> str:
    """Return the family of an operation in the picture of the graph."""
    return next((name for name, members in FAMILIES.items() if operation in members), "movement")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with separators of thousands; a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def decibels(value: float | None) -> str:
    """Return a ratio in dB, or ``exact`` where there is no noise."""
    if value is None:
        return "-"
    return "exact" if isinf(value) and value > 0 else f"{value:.1f} dB"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share in percent; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def middle(text: str, length: int) -> str:
    """Return a text of at most this length: the middle of a longer one is left out."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def _charts(content: Content) -> dict[str, Markup]:
    """Return the charts of what was measured, by name."""
    charts = {"work": figures.work_chart(content.nodes)}
    if isinstance(content.numerics, Numerics):
        nodes = content.numerics.verified.nodes
        if any(node.integer_db is not None for node in nodes):
            charts["sqnr"] = figures.sqnr_chart(nodes)
        if not isinstance(content.numerics.sensitivities, Unmeasured):
            charts["sensitivity"] = figures.sensitivity_chart(content.numerics.sensitivities)
    if isinstance(content.hardware, Hardware):
        charts |= _hardware_charts(content.hardware)
    if isinstance(content.simulated, Simulated):
        if content.simulated.fifos:
            charts["fifo"] = figures.fifo_chart(content.simulated.fifos)
        if content.simulated.activity:
            charts["activity"] = figures.activity_chart(
                content.simulated.activity, content.simulated.activity_cycles
            )
    if not isinstance(content.pareto, Unmeasured) and isinstance(content.hardware, Hardware):
        charts["pareto"] = figures.pareto_chart(content.pareto, part(content.hardware.part).luts)
    return charts


def _hardware_charts(hardware: Hardware) -> dict[str, Markup]:
    beside = {row.name: row.hls_cycles for row in hardware.rows}
    rows = [(name, cycles, beside.get(name)) for name, cycles in hardware.node_cycles.items()]
    charts = {"fill": figures.fill_chart(hardware.fill)}
    if rows:
        charts["cycles"] = figures.cycles_chart(rows, hardware.cycles_per_frame)
    if hardware.units:
        charts["units"] = figures.units_chart(hardware.units, hardware.unit_bin_cycles)
    return charts


def _node_levels(content: Content) -> dict[str, Any]:
    if isinstance(content.numerics, Unmeasured):
        return {}
    return {node.node: node for node in content.numerics.verified.nodes}


def _node_costs(content: Content) -> dict[str, Any]:
    numerics = content.numerics
    if isinstance(numerics, Unmeasured) or isinstance(numerics.sensitivities, Unmeasured):
        return {}
    return {found.node: found for found in numerics.sensitivities}


def _binding(hardware: Hardware | Unmeasured) -> tuple[str, float]:
    """Return the fullest resource and its share: of the RTL or of the C++."""
    if isinstance(hardware, Unmeasured):
        return "", 0.0
    uses: list[Utilization] = [hardware.total]
    if hardware.hls_total is not None:
        uses.append(hardware.hls_total)
    return max((binding(used, part(hardware.part)) for used in uses), key=lambda found: found[1])
