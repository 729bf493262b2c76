"""Tables and plots of the accuracy benchmark, from its records.

    python -m benchmarks.figure_accuracy

It reads build/benchmarks/accuracy.json, accuracy-*.json and tools.json; what is not there is taken
from benchmarks/results. It writes build/benchmarks/accuracy.md, the same between two markers of
docs/accuracy.md, a short table between two others of that page, and docs/images/accuracy_drop.png
and accuracy_sqnr.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks import _accuracy_goals as goals
from benchmarks import _accuracy_spread as spread
from benchmarks import _accuracy_tables as tables
from benchmarks._pages import with_section
from benchmarks.figure_road import CPP, INTEGER, QUANTIZED, STYLE
from hyq_hls.errors import HyqError, InputError
from hyq_hls.support import write_file

BEGIN, END = "<!-- accuracy: begin, written by figure_accuracy.py -->", "<!-- accuracy: end -->"
SHORT_BEGIN = "<!-- short table: begin, written by figure_accuracy.py -->"
SHORT_END = "<!-- short table: end -->"
#: Colour, marker and place in a row, by variant.
LOOKS = dict(
    zip(
        tables.VARIANTS,
        ((INTEGER, "o", -0.24), (QUANTIZED, "s", 0.0), (CPP, "^", 0.24)),
        strict=True,
    )
)
#: Networks that have a table of their own, and no part in means, goals and plots.
APART = {
    "long80": "Rows of attention of 100 and 25",
    "mobilevitv2_32": "MobileViTv2",
    "efficientformer_32": "EfficientFormer",
    "efficientformerv2_32": "EfficientFormer V2",
    "mobile_former_32": "Mobile-Former",
}
DROP_TICKS = (0, 0.5, 1, 2, 5, 10, 20, 50)


def sources(build: Path, results: Path) -> list[Path]:
    """Return the files of records: those of a build, else the kept results.

    Raises:
        InputError: there is none.
    """
    found = [*build.glob("accuracy.json"), *sorted(build.glob("accuracy-*.json"))]
    found = found or [*results.glob("accuracy.json")]
    tools = [*build.glob("tools.json")] or [*results.glob("tools.json")]
    if not found + tools:
        raise InputError(
            f"no accuracy.json in {build} or {results}; run python -m benchmarks.accuracy"
        )
    return found + tools


def report(records: Sequence[tables.Record]) -> str:
    """Return everything in Markdown: coverage, a table per setting, duels, parts, seeds, goals."""
    records, others = apart(records)
    networks = tables.names_of(records, "model", ())
    seeds = len({record["seed"] for record in records})
    images = next((r["images"] for r in records if r.get("images")), None)
    lines = [
        f"{len(records)} records: {', '.join(networks)}; {images or 'all'} test images each; "
        f"{'one seed' if seeds == 1 else f'up to {seeds} seeds'}. Means over networks,",
        "the best of each column in bold. `-` was not measured; `(2 of 4)`: only 2 of 4 networks "
        "were, and the mean wins nothing.",
        "`s`: seconds to quantize, mean over networks and variants.",
    ]
    for setting in tables.names_of(records, "setting", tables.SETTINGS):
        lines += ["", f"### {setting}", "", *tables.setting_table(records, setting)]
    for network, mine in others.items():
        for setting in tables.names_of(mine, "setting", tables.SETTINGS):
            lines += ["", f"### {APART[network]}: `{network}`, {setting}", ""]
            lines += tables.setting_table(mine, setting)
    spreads = spread.spread_tables(records)
    seeds_differ = [
        "",
        "### Seeds",
        "",
        "Mean, standard deviation and, in brackets, number of seeds. A seed is that of the "
        "calibration images, and of",
        "the channels that get outliers; the trained networks are the same.",
        *spreads,
    ]
    ablations = goals.ablation_table(records)
    parts = [
        "",
        f"### Parts of `{tables.OURS}`",
        "",
        "The same recipe with one part exchanged: points of top-1 and dB of SQNR lost against "
        f"`{tables.OURS}`,",
        "mean over networks and variants that both have.",
        "",
        *ablations,
    ]
    lines += [
        "",
        f"### `{tables.OURS}` against each",
        "",
        f"Points of top-1 that `{tables.OURS}` is ahead, mean over networks and variants that both "
        "have;",
        "in brackets how often it won and lost.",
        "",
        *goals.duel_table(records),
        *(parts if ablations else []),
        *(seeds_differ if spreads else []),
        "",
        "### Goals",
        "",
        "Losses are judged by the worst network, leads by the strongest baseline.",
        "",
        *goals.goal_table(records),
    ]
    return "\n".join(lines) + "\n"


def apart(
    records: Sequence[tables.Record],
) -> tuple[list[tables.Record], dict[str, list[tables.Record]]]:
    """Return the records of most networks, and those of each network of ``APART``."""
    found = {name: [r for r in records if r["model"] == name] for name in APART}
    return (
        [r for r in records if r["model"] not in APART],
        {name: mine for name, mine in found.items() if mine},
    )


def draw(axis: Axes, records: Sequence[tables.Record], setting: str, measure: str) -> None:
    """Draw the mean over networks (mark) and all networks (line), a row per preset."""
    presets = tables.presets_of(records)
    for row, preset in enumerate(presets):
        for variant, (colour, marker, shift) in LOOKS.items():
            found = tables.cell(records, preset, setting, variant, measure)
            values = [v for v in found.values.values() if np.isfinite(v)]
            if not values:
                continue
            y = row + shift
            axis.plot([min(values), max(values)], [y, y], color=colour, lw=1.2, zorder=2)
            # A hollow mark is not in integers only.
            face = "white" if preset in tables.TOOLS else colour
            axis.plot(np.mean(values), y, marker, color=colour, mfc=face, ms=4.5)
        if row % 2:
            axis.axhspan(row - 0.5, row + 0.5, color="#f5f6f8", zorder=0, lw=0)
    if tables.OURS in presets:
        axis.axhline(presets.index(tables.OURS) + 0.5, color="#b9c4cf", lw=0.8)
    axis.set(yticks=range(len(presets)), ylim=(len(presets) - 0.5, -0.5), title=setting)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")
    if measure == "drop":
        axis.axvline(0, color="black", lw=0.6, zorder=1)
        axis.set_xscale("symlog", linthresh=1, linscale=0.8)
        axis.set_xlim(-0.7, 110)
        axis.set_xticks(DROP_TICKS)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_xlabel("points of top-1 lost")
    else:
        axis.set_xlabel("SQNR of the logits [dB]")


def figure(records: Sequence[tables.Record], settings: Sequence[str], measure: str) -> Figure:
    """Draw a panel per setting."""
    records = [record for record in records if record["setting"] in settings]
    presets = tables.presets_of(records)
    height = 1.1 + 0.3 * len(presets)
    drawn = Figure(figsize=(9, height))
    panels = drawn.subplots(1, len(settings), sharey=True, squeeze=False)[0]
    for axis, setting in zip(panels, settings, strict=True):
        draw(axis, records, setting, measure)
    panels[0].set_yticklabels(presets)
    for label, preset in zip(panels[0].get_yticklabels(), presets, strict=True):
        label.set_fontweight("bold" if preset == tables.OURS else "normal")
    for variant, (colour, marker, _) in LOOKS.items():
        panels[0].plot([], [], marker, color=colour, ms=4.5, label=variant)
    panels[0].plot([], [], "o", color="#5b6470", mfc="white", ms=4.5, label="tools, partly float")
    drawn.legend(loc="outside upper center", ncols=4, handlelength=1)
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    """Write tables and plots; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--build", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--document", type=Path, default=Path("docs/accuracy.md"))
    parser.add_argument("--images", type=Path, default=Path("docs/images"), help="folder of plots")
    options = parser.parse_args(arguments)
    try:
        paths = sources(options.build, options.results)
        records = tables.load(paths)
        section = report(records)
        document = with_section(options.document.read_text("utf-8"), BEGIN, END, section)
        most, _ = apart(records)
        short = "\n".join(tables.summary_table(most)) + "\n"
        document = with_section(document, SHORT_BEGIN, SHORT_END, short)
    except HyqError as error:
        parser.error(str(error))
    written = [options.build / "accuracy.md", options.document]
    options.build.mkdir(parents=True, exist_ok=True)
    write_file(written[0], section.encode())
    write_file(written[1], document.encode())
    options.images.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for measure, wanted in (("drop", ("W8A8", "W6A6", "W4A8")), ("sqnr_db", ("W6A6", "W8A8"))):
            settings = [s for s in wanted if s in tables.names_of(most, "setting", ())]
            if settings:
                path = options.images / f"accuracy_{measure.removesuffix('_db')}.png"
                figure(most, settings, measure).savefig(path, dpi=200, facecolor="white")
                written.append(path)
    print(section)
    print(f"read {', '.join(map(str, paths))}\nwrote {', '.join(map(str, written))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
