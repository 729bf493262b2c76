"""The engine on MobileViT-xxs, xs and s at 256 x 256: is every node equal, and how many cycles?

Random weights; the integers and the work are those of trained ones. Records go to
``build/benchmarks/engine.json``. Usage::

    python -m benchmarks.engine [xxs] [xs] [s] [--size 256] [--pixels 2] [--rtl]

With ``--rtl`` the frame runs in the RTL too, and every instruction is compared with the simulator.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hyq_hls import quantize
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cosim import build_engine, cosimulate, cycle_lines
from hyq_hls.engine.forms import execute, form_of
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.engine.program import Program
from hyq_hls.engine.simulate import Simulator
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes
from hyq_hls.models import mobilevit_s, mobilevit_xs, mobilevit_xxs

MODELS = {"xxs": mobilevit_xxs, "xs": mobilevit_xs, "s": mobilevit_s}
RECORDS = Path("build/benchmarks/engine.json")
LIBRARIES = Path("build/benchmarks")
MHZ = 150


def measure(name: str, size: int, pixels: int, rtl: bool) -> dict[str, Any]:
    """Return the record of one network."""
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    graph = quantize(MODELS[name]().eval(), images, progress=False).graph
    codes = images[0].astype(np.int64)
    start = time.perf_counter()
    program = compile_graph(graph, Sizes(pixels=pixels))
    compiled = time.perf_counter()
    simulator = Simulator(program, graph)
    simulator.run(codes)
    simulated = time.perf_counter()
    expected = dict(graph.reference(codes[None]))
    in_program = in_form = 0
    for node in graph.nodes.values():
        want = expected[node.name]
        in_program += np.array_equal(simulator.trace[node.name], want[0])
        inputs = [expected[i] for i in node.inputs]
        in_form += np.array_equal(execute(graph, node, form_of(graph, node), *inputs), want)
    prediction = predict(program)
    record = {
        "model": name,
        "size": size,
        "pixels": pixels,
        "nodes": len(graph.nodes),
        "nodes_equal": in_program,
        "forms_equal": in_form,
        "instructions": len(program.instructions),
        "constants": len(program.constants),
        "scratch": program.scratch,
        "cycles_predicted": prediction.cycles,
        "cycles_by_kind": prediction.by_kind,
        f"fps_{MHZ}": round(MHZ * 1e6 / prediction.cycles, 2),
        "read": prediction.read,
        "written": prediction.written,
        "compile_seconds": round(compiled - start, 2),
        "simulate_seconds": round(simulated - compiled, 2),
    }
    return record | (_in_rtl(graph, program, codes, expected[graph.output_name]) if rtl else {})


def _in_rtl(graph: Graph, program: Program, codes: Codes, expected: Codes) -> dict[str, Any]:
    """Return what a record says of the RTL; every instruction is compared on the way."""
    library = build_engine(program.sizes, LIBRARIES / f"engine-{program.sizes.pixels}")
    start = time.perf_counter()
    run = cosimulate(library, program, graph, codes)
    compared = time.perf_counter()
    cosimulate(library, program, graph, codes, compare=False)
    alone = time.perf_counter() - compared
    print("\n".join(cycle_lines(program, run, predict(program))), flush=True)
    return {
        "rtl_equal": np.array_equal(run.outputs, expected[0]),
        "cycles_measured": run.cycles,
        "cosimulate_seconds": round(compared - start, 2),
        "rtl_cycles_per_second": round(run.cycles / alone),
    }


def main() -> None:
    """Measure the networks that are named, and keep the records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pixels", type=int, default=2, choices=(2, 4, 8))
    parser.add_argument("--rtl", action="store_true", help="run the frame in the RTL too")
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - MODELS.keys():
        parser.error(f"unknown models {sorted(unknown)}; {', '.join(MODELS)} are known")
    records = []
    for name in arguments.models:
        record = measure(name, arguments.size, arguments.pixels, arguments.rtl)
        records.append(record)
        print(json.dumps(record), flush=True)
        RECORDS.parent.mkdir(parents=True, exist_ok=True)
        RECORDS.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    if any(r["nodes_equal"] != r["nodes"] or r["forms_equal"] != r["nodes"] for r in records):
        raise SystemExit("a node differs from its reference")
    if not all(r.get("rtl_equal", True) for r in records):
        raise SystemExit("the RTL differs from the reference")


if __name__ == "__main__":
    main()
