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
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls import quantize
from hyq_hls.errors import CompilationError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.ops import (
    AveragePool,
    ChannelAffine,
    Dense,
    GlobalAveragePool,
    GroupNorm,
    LinearSoftmax,
    Multiply,
    RequantizeTensor,
    SeparableContext,
    ShiftSwish,
    TableSoftmax,
)
from hyq_hls.ops.group_norm import group_norm_precision
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
    alone = {
        "requantize": requantizations,
        "channel_affine": affines,
        "average_pool": pools,
        "multiply": multiplies,
    }
    return graphs | {name: graph() for name, graph in alone.items()}


def requantizations() -> Graph:
    """Return requantizations on their own, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    for number, channels in enumerate((1, 32, 1, 32)):
        zero = tuple(rng.integers(100, 150, channels).tolist())
        scale = tuple((2.0 ** -rng.integers(3, 7, channels)).tolist())
        out = Quantization(8, False, scale, zero)
        shift = rng.integers(1, 4, channels)
        operation = RequantizeTensor(
            graph.type(tensor).quantization.zero_point, Requantize(out, shift, np.ones(1, np.int64))
        )
        tensor = graph.add(f"requantize{number}", operation, tensor).name
    return graph


def affines() -> Graph:
    """Return constants per channel and per position, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    for multiplier in (1, 40001):
        for affine in (_channel_affine, _position_affine):
            name = f"affine{len(graph.nodes)}"
            tensor = graph.add(name, affine(rng, code, multiplier), tensor).name
    return graph


def _channel_affine(rng: np.random.Generator, code: Quantization, multiplier: int) -> ChannelAffine:
    """Return a factor and a summand for each of 32 channels."""
    # A product with zero or a power of two would be no product.
    weight = 2 * rng.integers(20, 60, 32) + 1
    bias = rng.integers(-2000, 2000, (1, 32)) - 128 * weight
    return ChannelAffine(weight, 8, bias, _to(code, rng.integers(7, 10, 32), multiplier))


def _position_affine(
    rng: np.random.Generator, code: Quantization, multiplier: int
) -> ChannelAffine:
    """Return a summand for each of 32 channels of 64 positions."""
    weight = np.array([4])
    bias = rng.integers(-2000, 2000, (64, 32)) - 128 * weight
    return ChannelAffine(weight, 4, bias, _to(code, np.array([2]), multiplier))


def _to(code: Quantization, shift: NDArray[np.int64], multiplier: int) -> Requantize:
    """Return a requantization by powers of two, or by a 16-bit multiplier other than 1."""
    return Requantize(code, shift + 15 * (multiplier > 1), np.array([multiplier]))


def multiplies() -> Graph:
    """Return squares and gates, which these networks do without."""
    code, gate = Quantization(8, False, (2.0**-5,), (128,)), Quantization(8, False, (2.0**-8,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    pool = GlobalAveragePool(code.zero_point, _to(gate, np.array([3]), 1))
    vector = graph.add("pool", pool, tensor).name
    for multiplier in (1, 40001):
        for second, zero_point in ((tensor, code.zero_point), (vector, gate.zero_point)):
            out = _to(code, np.array([8]), multiplier)
            operation = Multiply((code.zero_point, zero_point), out)
            name = f"multiply{len(graph.nodes)}"
            tensor = graph.add(name, operation, tensor, second).name
    return graph


def separable_attention() -> Graph:
    """Return normalizations of frames and context vectors, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((4, 16, 32), code))
    tensor = graph.input_name
    table = np.maximum(1, np.rint(2.0**18 * np.exp2(np.arange(-255, 1) / 16)) - 1).astype(np.int64)
    for multiplier in (1, 40001):
        for shift in (np.array([14]), rng.integers(13, 16, 32)):
            x, number = graph.type(tensor), len(graph.nodes)
            gamma, beta = rng.integers(-127, 128, 32), rng.integers(-(1 << 18), 1 << 18, 32)
            precision, out = group_norm_precision(x, 99), _to(code, shift, multiplier)
            norm = GroupNorm(code.zero_point, 99, *precision, gamma, beta, 8, 20, out)
            tensor = graph.add(f"norm{number}", norm, tensor).name
            weight, bias = rng.integers(-127, 128, (1, 32)), rng.integers(-999, 1000, 1)
            score = Dense(weight, 8, bias, _to(code, np.array([9]), 1))
            graph.add(f"score{number}", score, tensor)
            context = SeparableContext(
                table, 0, 5, code.zero_point, _to(code, shift - 10, multiplier)
            )
            vector = graph.add(f"context{number}", context, f"score{number}", tensor).name
            zeros = (code.zero_point, code.zero_point)
            product = Multiply(zeros, _to(code, np.array([8]), 1))
            tensor = graph.add(f"product{number}", product, tensor, vector).name
    return graph


def pools() -> Graph:
    """Return average poolings, and token mixers, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((16, 16, 32), code))
    tensor = graph.input_name
    factor = np.rint(2.0**15 / np.arange(1, 10)).astype(np.int64)
    for number, (stride, channels) in enumerate(((1, 1), (1, 32), (2, 1), (1, 32))):
        multiplier = np.array([1 if number % 2 else 40001])
        shift = rng.integers(13, 16, channels) + 15 * (number % 2 == 0)
        operation = AveragePool(
            *((3, 3), (stride, stride), (1, 1)),
            code.zero_point,
            factor,
            1 << 15 if stride == 1 else 0,
            Requantize(code, shift, multiplier),
        )
        tensor = graph.add(f"pool{number}", operation, tensor).name
    return graph


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
    graphs = networks()
    found = [
        candidate
        for network, graph in graphs.items()
        for candidate in candidates(graph, network, options.seeds, folder)
    ]
    attention = {"separable attention": separable_attention()}
    found += [
        candidate
        for network, graph in (table_softmaxes(graphs) | attention).items()
        for candidate in candidates(graph, network, options.seeds, folder)
        if isinstance(candidate.instance.circuit, OperationStage)
        and isinstance(
            candidate.instance.circuit.node.operation, GroupNorm | SeparableContext | TableSoftmax
        )
    ]
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
    data = {
        "tool": f"pyosys {yosys_version()}, synth_xilinx -family xc7 -flatten, out of context",
        "date": date.today().isoformat(),
        "templates": {module: template_hash(module) for module in sorted(modules)},
        "script": "benchmarks/characterize.py",
        "points": [asdict(point) for point in points],
    }
    text = json.dumps(data, indent=None, separators=(",", ":")).replace('{"module"', '\n{"module"')
    options.output.write_text(text + "\n", encoding="utf-8")
    print(f"{len(points)} circuits in {options.output}")


if __name__ == "__main__":
    main()
