"""The engine on MobileViT and members of other families: is every node equal, how many cycles?

Random weights; the integers and the work are those of trained ones. Every node is compared with
its reference in the functional simulator, the tensors in DRAM and the output in the C++. Records go
to ``build/benchmarks/engine.json``; those of other networks, sizes and machines stay there. Usage::

    python -m benchmarks.engine [xxs] [xs] [s] [--size 256] [--pixels 2] [--part xc7z020] [--rtl]
    python -m benchmarks.engine efficientformer_l1 efficientformerv2_s0 mobile_former_52m

Without ``--pixels`` the engine is the fastest that fits the part. With ``--rtl`` the frame runs in
the RTL too, and every instruction is compared with the simulator.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks._families_networks import FAMILIES, network, woken
from hyq_hls import quantize
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cosim import build_engine, cosimulate, cycle_lines
from hyq_hls.engine.cost import engine_utilization, program_for
from hyq_hls.engine.csim import CSimulation, compile_csim, write_csim
from hyq_hls.engine.forms import execute, form_of
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.engine.program import Program
from hyq_hls.engine.simulate import Simulator
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes
from hyq_hls.machine.budget import fits
from hyq_hls.models import mobilevit_s, mobilevit_xs, mobilevit_xxs
from hyq_hls.parts import Part
from hyq_hls.parts import part as find_part
from hyq_hls.quant import QuantConfig
from hyq_hls.support import write_file

MODELS = {"xxs": mobilevit_xxs, "xs": mobilevit_xs, "s": mobilevit_s}
#: Members of other families. Every network of the matrix of levels may be named as well.
OTHERS = ("efficientformer_l1", "efficientformerv2_s0", "mobile_former_52m")
#: Sides of the images. Mobile-Former attends to every pixel of its first map, and the engine's
#: softmax takes 1,024 of them.
SIDES = {
    **{name: side for networks in FAMILIES.values() for name, side in networks},
    **dict.fromkeys(MODELS, 256),
    "mobile_former_52m": 128,
}
#: What is quantized otherwise: uniform probabilities of such long rows have too many bits.
CONFIGS = {"mobile_former_52m": QuantConfig(softmax="log2")}
RECORDS = Path("build/benchmarks/engine.json")
LIBRARIES = Path("build/benchmarks")
#: What tells records apart.
KEY = ("model", "size", "part", "pixels")
MHZ = 150


def module(name: str, size: int) -> nn.Module:
    """Return a network; layers that would do nothing with their first weights do something."""
    return MODELS[name]().eval() if name in MODELS else woken(network(name, size))


def measure(name: str, size: int, pixels: int | None, part: Part, rtl: bool) -> dict[str, Any]:
    """Return the record of one network."""
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    graph = quantize(module(name, size), images, CONFIGS.get(name), progress=False).graph
    codes = images[0].astype(np.int64)
    # It is compiled once more, because the benchmark takes the time of that.
    sizes = program_for(part, graph, MHZ).sizes if pixels is None else Sizes(pixels=pixels)
    start = time.perf_counter()
    program = compile_graph(graph, sizes)
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
    used = engine_utilization(sizes).total
    record = {
        "model": name,
        "size": size,
        "part": part.name,
        "pixels": sizes.pixels,
        "sizes": asdict(sizes),
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
        "lut": used.lut,
        "ff": used.ff,
        "dsp": used.dsp,
        "bram36": used.bram36,
        "fits": fits(used, part),
        "compile_seconds": round(compiled - start, 2),
        "simulate_seconds": round(simulated - compiled, 2),
    }
    record |= _in_cpp(graph, program, codes, expected)
    return record | (_in_rtl(graph, program, codes, expected[graph.output_name]) if rtl else {})


def _in_cpp(
    graph: Graph, program: Program, codes: Codes, expected: dict[str, Codes]
) -> dict[str, Any]:
    """Return what a record says of the C++: its output, and the tensors that lie in DRAM."""
    csim = _compiled(program.sizes)
    start = time.perf_counter()
    output = csim.output(program, codes).reshape(graph.output_type.shape)
    ran = time.perf_counter()
    observed = compile_graph(graph, program.sizes, observed=True)
    tensors = observed.tensors(csim.run(observed, codes), graph)
    equal = sum(np.array_equal(found, expected[name][0]) for name, found in tensors.items())
    return {
        "csim_equal": np.array_equal(output, expected[graph.output_name][0])
        and equal == len(tensors),
        "csim_nodes_equal": equal,
        "csim_seconds": round(ran - start, 2),
    }


def _compiled(sizes: Sizes) -> CSimulation:
    """Return the C++ of a machine, compiled anew."""
    folder = LIBRARIES / f"engine-cpp-{sizes.pixels}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_csim(sizes, folder)
    return compile_csim(folder)


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
    parser.add_argument("models", nargs="*", default=[*MODELS, *OTHERS], metavar="MODEL")
    parser.add_argument("--size", type=int, help="side of the images [that of the network]")
    parser.add_argument("--pixels", type=int, choices=(2, 4, 8), help="[the fastest that fits]")
    parser.add_argument("--part", default="xc7z020")
    parser.add_argument("--rtl", action="store_true", help="run the frame in the RTL too")
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - SIDES.keys():
        parser.error(f"unknown models {sorted(unknown)}; {', '.join(sorted(SIDES))} are known")
    part, records = find_part(arguments.part), []
    for name in arguments.models:
        size = arguments.size or SIDES[name]
        record = measure(name, size, arguments.pixels, part, arguments.rtl)
        records.append(record)
        print(json.dumps(record), flush=True)
        _keep(record)
    if any(r["nodes_equal"] != r["nodes"] or r["forms_equal"] != r["nodes"] for r in records):
        raise SystemExit("a node differs from its reference")
    for level in ("csim", "rtl"):
        if not all(r.get(f"{level}_equal", True) for r in records):
            raise SystemExit(f"the {level} differs from the reference")


def _keep(record: dict[str, Any]) -> None:
    """Put a record into the file, in the place of an older one of the same kind."""
    RECORDS.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else []
    others = [r for r in old if any(r.get(key) != record[key] for key in KEY)]
    write_file(RECORDS, json.dumps([*others, record], indent=1) + "\n")


if __name__ == "__main__":
    main()
