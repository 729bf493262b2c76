"""Slowest paths of the operations of the default network.

    python -m benchmarks.timing                 all kinds of operations
    python -m benchmarks.timing stem.conv       one node

Periods contain an estimate of wires; docs/timing.md says how good it is.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from hyq_hls import quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.stream.choose import balance
from hyq_hls.stream.circuits import node_circuits
from hyq_hls.stream.flow import OperationStage, build_dataflow
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.instances import Instance, instances
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.stream.synthesis import template_job
from hyq_hls.support import aligned
from hyq_hls.tools.yosys import slowest_paths

FOLDER = Path("build/benchmarks/timing")
#: One node of every kind of operation, those that were placed and routed (docs/timing.md).
NODES = (
    "stages.1.1.transformer.0.attn.softmax",
    "stages.1.1.conv_fusion.conv",
    "stages.1.1.transformer.0.norm1",
    "stem.conv",
    "stages.1.0.conv2_kxk.conv",
    "stages.1.1.transformer.0.mlp.fc1",
    "head.fc",
    "stages.1.1.transformer.0.attn.scores",
    "stages.1.1.fold",
    "stages.1.1.transformer.0.attn.values",
    "head.pool",
    "stages.1.1.concat",
    "stages.1.1.transformer.0.add",
    "stem.act",
)


def operations() -> dict[str, Instance]:
    """The circuits of the default network by node."""
    model, images = mobilevit_digits(pretrained=True), digits.calibration(256)
    graph = quantize(model, images, presets.lean()).graph
    flow = build_dataflow(graph, balance(node_circuits(graph)))
    shutil.rmtree(FOLDER / "rtl", ignore_errors=True)
    write_rtl(flow, FOLDER / "rtl", "net")
    return {
        instance.circuit.node.name: instance
        for instance in instances(flow)
        if isinstance(instance.circuit, OperationStage)
    }


def main() -> None:
    """Map, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("nodes", nargs="*", default=NODES)
    wanted = parser.parse_args().nodes
    circuits = operations()
    if unknown := sorted(set(wanted) - set(circuits)):
        parser.error(f"no operation has the names {unknown}; there are {sorted(circuits)}")
    rows = [("node", "to", "levels", "cells ns", "wires ns", "period ns", "MHz")]
    for node in wanted:
        circuit = circuits[node]
        parameters = circuit.parameters_alone((FOLDER / "rtl" / MEMORY_DIR).resolve())
        for path in slowest_paths(template_job(circuit.module, parameters), FOLDER):
            times = (path.delay, path.wires, path.period)
            shown = (*(f"{time:.2f}" for time in times), f"{1000 / path.period:.0f}")
            rows.append((node, path.kind, str(path.levels), *shown))
    print(*aligned(rows), sep="\n")


if __name__ == "__main__":
    main()
