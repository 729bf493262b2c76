"""Synthesis results that the cost models are fitted to.

    python -m benchmarks.characterize      writes hyq_hls/stream/cost/points.json

The circuits are those of the default network, quantized as it is by default and with the other
circuits for softmax, Swish and requantization, and those of operations that it does without: in the
folding that ``hyq_hls.convert`` chooses, and in foldings chosen at random with a fixed seed.
Results of single modules are kept in build/benchmarks/characterize, so that a run that was
interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks._operations_alone import ALONE
from hyq_hls import quantize
from hyq_hls.errors import CompilationError
from hyq_hls.graph import Graph
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.ops import (
    LinearSoftmax,
    ShiftSwish,
    TableSoftmax,
)
from hyq_hls.ops.table_softmax import SoftmaxOutput
from hyq_hls.quant import presets
from hyq_hls.quant.config import Exponential
from hyq_hls.quant.lowering import softmax_operation
from hyq_hls.stream.choose import balance
from hyq_hls.stream.circuits import AnyCircuit, circuits_of, node_circuits
from hyq_hls.stream.cost.costs import POINTS_FILE, Point, template_hash
from hyq_hls.stream.cost.features import dsps_of, features_of, memory_total, model_of
from hyq_hls.stream.flow import Dataflow, OperationStage, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.instances import Instance, instances
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.stream.synthesis import template_job
from hyq_hls.support import write_file
from hyq_hls.tools.yosys import Utilization, synthesize_modules, yosys_version

#: Suffix of the names of networks whose Shift-Swish is not a table.
ARITHMETIC = "arithmetic"
#: Products of a cycle of the largest circuits.
LARGEST = 40


def networks() -> dict[str, Graph]:
    """Return the graphs whose circuits are characterized."""
    model, images = mobilevit_digits(pretrained=True), digits.calibration(256)
    lean = presets.lean()
    other = replace(
        lean, softmax="uniform", softmax_bits=8, scale="dyadic", activation_granularity="channel"
    )
    graphs = {
        "default": quantize(model, images, lean).graph,
        "other": quantize(model, images, other).graph,
    }
    for name in ("other", "default"):
        graphs[f"{name}, {ARITHMETIC}"] = graphs[name]
    return graphs | {name: graph() for name, graph in ALONE.items()}


def table_softmaxes(graphs: dict[str, Graph]) -> dict[str, Graph]:
    """Return networks with tables in the line's place: short exact, long published.

    Only their softmax is new.
    """
    outputs: tuple[tuple[str, SoftmaxOutput], ...] = (
        ("default", "log2"),
        ("default", "log2_rounded"),
        ("other", "uniform"),
    )
    exponentials: tuple[Exponential, ...] = ("table", "linear_released", "shift", "polynomial")
    found = {}
    for network, output in outputs:
        graph = graphs[network]
        nodes = [n for n in graph.nodes.values() if isinstance(n.operation, LinearSoftmax)]
        tables = {
            node.name: softmax_operation(
                exponentials[i % len(exponentials)],
                graph.input_types(node)[0].quantization,
                node.type.quantization.bits,
                output,
            )
            for i, node in enumerate(nodes)
        }
        found[f"{network}, table {output}"] = graph.with_operations(tables)
    return found


def circuits_in(network: str, graph: Graph) -> dict[str, AnyCircuit]:
    """Choose the usual circuits, but tables for every Shift-Swish that can be one."""
    chosen = node_circuits(graph)
    if not network.endswith(ARITHMETIC):
        for node in graph.nodes.values():
            if isinstance(node.operation, ShiftSwish):
                found = circuits_of(node.operation, *graph.input_types(node))
                chosen[node.name] = found.get("table", chosen[node.name])
    return chosen


def foldings_of(circuits: Mapping[str, AnyCircuit], seed: int) -> dict[str, Folding]:
    """Choose a folding of every node: balanced for seed 0, otherwise random and small."""
    if seed == 0:
        return balance(circuits)
    rng = np.random.default_rng(seed)
    chosen = {}
    for name, circuit in circuits.items():
        some = [f for f in circuit.foldings if f.outputs * f.inputs <= LARGEST]
        chosen[name] = some[rng.integers(len(some))]
    return chosen


def flow_of(network: str, graph: Graph, seed: int) -> Dataflow:
    """Build the design of a seed; FIFO depths are safe, or for odd seeds half of that."""
    circuits = circuits_in(network, graph)
    flow = build_dataflow(graph, foldings_of(circuits, seed), circuits)
    depths = safe_depths(flow)
    if seed % 2:
        depths = {name: max(2, depth // 2) for name, depth in depths.items()}
    return flow.with_depths(depths)


@dataclass(frozen=True)
class Candidate:
    """An instance of the design that a network and a seed give.

    Attributes:
        network: name of the network.
        seed: seed of the foldings.
        instance: the instance.
        memory_dir: folder of its memory files.
    """

    network: str
    seed: int
    instance: Instance
    memory_dir: Path

    @property
    def usual(self) -> bool:
        """Whether the default design has it."""
        return self.network == "default" and self.seed == 0


def candidates(graph: Graph, network: str, seeds: int, folder: Path) -> Iterator[Candidate]:
    """Return the instances of all seeds' designs, whose memories are written to ``folder``."""
    for seed in range(seeds):
        flow, place = flow_of(network, graph, seed), folder / f"{network}{seed}"
        if not place.exists():
            draft = folder / f".{network}{seed}"
            write_rtl(flow, draft, "net")
            draft.rename(place)
        for instance in instances(flow):
            yield Candidate(network, seed, instance, (place / MEMORY_DIR).resolve())


def chosen(found: list[Candidate], per_model: int) -> list[Candidate]:
    """Choose for every cost model the candidates of the default design, and as many others."""
    rng = np.random.default_rng(0)
    groups: dict[str, dict[str, Candidate]] = {}
    for candidate in found:
        different = groups.setdefault(model_of(candidate.instance.circuit), {})
        different.setdefault(json.dumps(features_of(candidate.instance.circuit)), candidate)
    result = []
    for different in groups.values():
        usual = [c for c in different.values() if c.usual][:per_model]
        others = [c for c in different.values() if not c.usual]
        count = min(len(others), max(per_model // 2, per_model - len(usual)))
        result += usual + [others[i] for i in sorted(rng.permutation(len(others))[:count])]
    return result


def all_candidates(
    candidates_of: Callable[[str, Graph], Iterable[Candidate]],
) -> list[Candidate]:
    """Return the candidates of all networks; of those with other softmaxes, these alone."""
    graphs = networks()
    found = [c for name, graph in graphs.items() for c in candidates_of(name, graph)]
    for name, graph in table_softmaxes(graphs).items():
        found += [c for c in candidates_of(name, graph) if _is_table_softmax(c)]
    return found


def _is_table_softmax(candidate: Candidate) -> bool:
    circuit = candidate.instance.circuit
    return isinstance(circuit, OperationStage) and isinstance(circuit.node.operation, TableSoftmax)


def write_points(output: Path, facts: Mapping[str, Any], points: Sequence[Point]) -> None:
    """Write a table with one line for each circuit, behind facts on how it was made."""
    data = {**facts, "points": [asdict(point) for point in points]}
    text = json.dumps(data, separators=(",", ":")).replace('{"model"', '\n{"model"')
    write_file(output, f"{text}\n".encode())
    print(f"{len(points)} circuits in {output}")


def point_of(candidate: Candidate, utilization: Utilization) -> Point:
    """Return a result with all that is needed to fit, and to make it again."""
    instance = candidate.instance
    origin: dict[str, Any] = {
        "network": candidate.network,
        "instance": instance.name,
        "usual": candidate.usual,
    }
    circuit = instance.circuit
    if isinstance(circuit, OperationStage):
        origin["folding"] = astuple(circuit.folding)
    else:
        origin["parameters"] = instance.parameters_alone(candidate.memory_dir)
    memories = memory_total(circuit)
    return Point(
        model_of(circuit),
        features_of(circuit),
        memories.lut,
        memories.bram18,
        dsps_of(circuit),
        utilization,
        origin,
    )


def main() -> None:
    """Synthesize and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=6, help="designs that circuits are taken from")
    parser.add_argument("--per-model", type=int, default=14, help="circuits of a cost model, about")
    parser.add_argument("--output", type=Path, default=POINTS_FILE)
    options = parser.parse_args()
    folder = Path("build/benchmarks/characterize")
    folder.mkdir(parents=True, exist_ok=True)
    found = all_candidates(lambda name, graph: candidates(graph, name, options.seeds, folder))
    work = chosen(found, options.per_model)
    with tqdm(unit="circuit") as bar:
        jobs = [
            template_job(c.instance.module, c.instance.parameters_alone(c.memory_dir)) for c in work
        ]
        results = synthesize_modules(jobs, folder / "synthesis", bar)
    points = []
    for candidate, result in zip(work, results, strict=True):
        if isinstance(result, CompilationError):
            raise SystemExit(f"{candidate.instance.name}: {result}")
        points.append(point_of(candidate, result))
    modules = {candidate.instance.module for candidate in work}
    write_points(
        options.output,
        {
            "tool": f"pyosys {yosys_version()}, synth_xilinx -family xc7 -flatten, out of context",
            "date": date.today().isoformat(),
            "templates": {module: template_hash(module) for module in sorted(modules)},
            "script": "benchmarks/characterize.py",
        },
        points,
    )


if __name__ == "__main__":
    main()
