"""The tables of "Size and clock" in docs/engine.md: engines by unit, for parts, and on networks.

    python -m benchmarks.engine_size [xxs] [xs] [s] [--size 256]

Sites are those of the cost points. The networks have random weights; the work is that of trained
ones. Without a network, only the first two tables are printed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

from benchmarks.engine import MODELS
from hyq_hls import quantize
from hyq_hls.engine.cost import engine_report, engine_utilization, program_for
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine import ResourceReport
from hyq_hls.machine.budget import binding, capacity
from hyq_hls.parts import Part, part
from hyq_hls.tools.yosys import Utilization

PARTS = ("xc7z010", "xc7z020", "xczu3eg", "xczu9eg")
#: Scales of the default recipe are powers of two, so the output stage does not multiply.
ENGINES = tuple(Sizes(pixels=pixels, multiplier=False) for pixels in (2, 4, 8))
#: All units reach it by the estimate of ``ResourceReport``.
CLOCK_MHZ = 100.0


def by_unit() -> list[list[str]]:
    """Return the rows of the table by unit, and the shares of parts below."""
    designs = [engine_utilization(sizes) for sizes in ENGINES]
    rows = [{**design.operations, **design.plumbing} for design in designs]
    table = [["LUT / FF / DSP / BRAM36", *(f"P = {sizes.pixels}" for sizes in ENGINES)]]
    table += [[name, *(_sites(row[name]) for row in rows)] for name in rows[0]]
    table.append(["sum", *(_sites(design.total) for design in designs)])
    for name in PARTS:
        has = part(name)
        table.append([name, *(_shares(design.total, has) for design in designs)])
    return table


def differences() -> list[list[str]]:
    """Return what single sizes change on the smallest engine."""
    base = Sizes(pixels=2, multiplier=False)
    before = engine_utilization(base).total
    changes = (
        ("1 softmax lane in the place of 4", replace(base, softmax_lanes=1)),
        ("1 norm lane in the place of 2", replace(base, norm_lanes=1)),
        ("a multiplier in the output stage", replace(base, multiplier=True)),
        ("half of the feature memory", replace(base, feature_words=base.feature_words // 2)),
        ("half of the weight memory", replace(base, weight_words=base.weight_words // 2)),
    )
    table = [["change", "LUT", "FF", "DSP", "BRAM36"]]
    for name, sizes in changes:
        after = engine_utilization(sizes).total
        table.append(
            [
                name,
                f"{after.lut - before.lut:+,}",
                f"{after.ff - before.ff:+,}",
                f"{after.dsp - before.dsp:+}",
                f"{after.bram36 - before.bram36:+g}",
            ]
        )
    return table


def on_networks(names: list[str], size: int) -> list[list[str]]:
    """Return frames per second of networks on the engine that is chosen for each part."""
    graphs = [network(name, size) for name in names]
    table = [["part", *names]]
    table += [[name, *(_chosen(part(name), graph) for graph in graphs)] for name in PARTS]
    return table


def network(name: str, size: int) -> Graph:
    """Return a network with random weights as a graph."""
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    return quantize(MODELS[name]().eval(), images, progress=False).graph


def _chosen(has: Part, graph: Graph) -> str:
    try:
        program = program_for(has, graph, CLOCK_MHZ)
    except ConversionError as error:
        return str(error)
    used = engine_utilization(program.sizes)
    report = engine_report(graph, program, predict(program), has, CLOCK_MHZ, used, "estimate")
    return f"{report.fps:.1f} ({_engine(program.sizes)}; {_limit(report)})"


def _engine(sizes: Sizes) -> str:
    return (
        f"P = {sizes.pixels}, {sizes.softmax_lanes} and {sizes.norm_lanes} lanes, "
        f"{sizes.pixels * sizes.feature_words // 256} KB"
    )


def _limit(report: ResourceReport) -> str:
    resource, share = binding(report.total, report.part)
    busiest = report.cycles[report.bottleneck] / report.cycles_per_frame
    return f"{resource} {share:.0%}, {report.bottleneck} {busiest:.0%}"


def _sites(used: Utilization) -> str:
    return f"{used.lut:,} / {used.ff:,} / {used.dsp} / {used.bram36:g}"


def _shares(used: Utilization, has: Part) -> str:
    return " / ".join(f"{getattr(used, n) / sites:.0%}" for n, sites in capacity(has).items())


def markdown(table: list[list[str]]) -> str:
    """Return a table in Markdown, whose first row is its head."""
    head, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([head, "|" + "---|" * len(table[0]), *rows])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - MODELS.keys():
        parser.error(f"unknown models {sorted(unknown)}; {', '.join(MODELS)} are known")
    print(markdown(by_unit()), "\n")
    print(markdown(differences()))
    if arguments.models:
        print("\n" + markdown(on_networks(arguments.models, arguments.size)))


if __name__ == "__main__":
    main()
