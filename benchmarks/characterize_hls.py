"""The logic of the HLS C++, counted circuit by circuit, for the cost models of its plan.

    python -m benchmarks.characterize_hls      writes hyq_hls/stream/cost/hls_points.json

The circuits are chosen as those of the SystemVerilog are (benchmarks/characterize.py). clang makes
LLVM IR of them, whose loops become pipelines in Verilog (verif/area), and Yosys maps these. Results
are kept in build/benchmarks/characterize_hls, so that only new circuits are mapped again.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from datetime import date
from pathlib import Path

from tqdm import tqdm

from benchmarks.characterize import Candidate, all_candidates, chosen, flow_of, write_points
from hyq_hls.errors import HyqError
from hyq_hls.graph import Graph
from hyq_hls.stream.cost.costs import Point
from hyq_hls.stream.cost.features import features_of, model_of
from hyq_hls.stream.cost.hls_area import HLS_POINTS_FILE, Counted, hls_hash
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.hls.text import code_type, configuration, memory, operation_call
from hyq_hls.stream.rtl.instances import instances
from hyq_hls.stream.rtl.plumbing import Fork, WidthConverter
from hyq_hls.support import template_dir, write_file
from hyq_hls.tools.yosys import Job, Utilization, synthesize_modules, yosys_version
from verif.area.verilog import verilog
from verif.intervals.ir import parse
from verif.intervals.source import project_ir

#: The clock that pipelines are made for.
MHZ = 150.0
#: Circuits in one file of C++.
_BATCH = 12
#: Words that pass a fork or a width converter.
_WORDS = 1024


def candidates(graph: Graph, network: str, seeds: int) -> Iterator[Candidate]:
    """Return the functions of all seeds' designs; their memories need no files."""
    for seed in range(seeds):
        for instance in instances(flow_of(network, graph, seed)):
            if isinstance(instance.circuit, Counted):
                yield Candidate(network, seed, instance, Path())


def source_of(circuit: Counted, name: str) -> tuple[str, str]:
    """Return the header and the C++ of a function ``name`` that is a circuit alone."""
    if not isinstance(circuit, OperationStage):
        template, arguments, words = _plumbing(circuit)
        streams = [(f"hyq::word<{word}>", f"w{i}") for i, word in enumerate(words)]
        body = f"hyq::{template}<{arguments}>({', '.join(n for _, n in streams)});"
        header = "width_converter" if isinstance(circuit, WidthConverter) else template
        return header, _function(name, streams, body)
    inputs = tuple(f"in{i}" for i in range(len(circuit.types)))
    stage = replace(circuit, name=name, inputs=inputs, outputs=("res",))
    lanes = (*stage.circuit.input_lanes(stage.folding), stage.folding.outputs)
    streams = [
        (f"hyq::word<{code_type(tensor)}, {count}>", stream)
        for tensor, count, stream in zip(
            (*stage.types, stage.circuit.output), lanes, (*inputs, "res"), strict=True
        )
    ]
    memories = [memory(name, rom) for rom in stage.arguments.roms]
    body = f"{operation_call(stage)};"
    return stage.circuit.module, "\n".join(
        [*memories, configuration(stage), _function(name, streams, body)]
    )


def _plumbing(circuit: Fork | WidthConverter) -> tuple[str, str, list[str]]:
    if isinstance(circuit, Fork):
        words = [f"hyq::exact<{circuit.width}, false>, 1"] * (circuit.outputs + 1)
        return "fork", f"{_WORDS}", words
    code = f"hyq::exact<{circuit.bits}, false>"
    words = [f"{code}, {lanes}" for lanes in (circuit.in_lanes, circuit.out_lanes)]
    return "convert_width", f"{_WORDS}", words


def _function(name: str, streams: Sequence[tuple[str, str]], body: str) -> str:
    parameters = ", ".join(f"hyq::stream<{word}> &{stream}" for word, stream in streams)
    return f"void {name}({parameters}) {{ {body} }}\n"


def counted(circuits: Sequence[Counted], folder: Path) -> list[Utilization]:
    """Return the LUTs and flip-flops of circuits.

    Args:
        circuits: functions of the C++.
        folder: it gets the Verilog and the results; those of the same Verilog are used again.

    Raises:
        SystemExit: Yosys refuses a circuit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs: list[Job] = []
    for first in tqdm(range(0, len(circuits), _BATCH), unit="file"):
        texts = verilog_of(circuits[first : first + _BATCH])
        jobs += [_job(text, folder) for text in texts]
    with tqdm(unit="circuit") as bar:
        results = synthesize_modules(jobs, folder, bar)
    found = [result for result in results if isinstance(result, Utilization)]
    if len(found) < len(results):
        raise SystemExit("\n".join(str(r) for r in results if isinstance(r, HyqError)))
    return found


def verilog_of(circuits: Sequence[Counted]) -> list[str]:
    """Return a module ``MODULE`` for each of some circuits, which are compiled together."""
    texts = [source_of(circuit, f"s{i}") for i, circuit in enumerate(circuits)]
    headers = "".join(f'#include "hyq/{name}.h"\n' for name in sorted({h for h, _ in texts}))
    with tempfile.TemporaryDirectory() as name:
        firmware = Path(name)
        shutil.copytree(template_dir(), firmware / "hyq")
        text = "\n".join([headers, *(body for _, body in texts)])
        (firmware / "top.cpp").write_text(text, encoding="utf-8")
        module = parse(project_ir(firmware, "top.cpp", with_constants=True))
    found = (re.match(r"_Z\d+s(\d+)R", function.symbol) for function in module.functions)
    symbols = {int(match[1]): match.string for match in found if match}
    return [verilog(module, symbols[i], "MODULE", MHZ) for i in range(len(circuits))]


def _job(text: str, folder: Path) -> Job:
    """Return a circuit to be mapped; its module is named after what it is."""
    name = f"hls_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    source = folder / f"{name}.sv"
    write_file(source, text.replace("MODULE", name).encode())
    return Job([source], name, {}, dsp=False)


def point_of(candidate: Candidate, found: Utilization) -> Point:
    """Return a result with all that is needed to fit, and to make it again."""
    circuit = candidate.instance.circuit
    origin = {
        "network": candidate.network,
        "instance": candidate.instance.name,
        "usual": candidate.usual,
    }
    if isinstance(circuit, OperationStage):
        origin["folding"] = astuple(circuit.folding)
    used = Utilization(lut=found.lut, ff=found.ff)
    return Point(model_of(circuit), features_of(circuit), 0, 0, 0, used, origin)


def main() -> None:
    """Count and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=3, help="designs that circuits are taken from")
    parser.add_argument("--per-model", type=int, default=3, help="circuits of a model, about")
    parser.add_argument("--output", type=Path, default=HLS_POINTS_FILE)
    options = parser.parse_args()
    found = all_candidates(lambda name, graph: candidates(graph, name, options.seeds))
    work = chosen(found, options.per_model)
    circuits = [c.instance.circuit for c in work]
    results = counted(
        [c for c in circuits if isinstance(c, Counted)], Path("build/benchmarks/characterize_hls")
    )
    points = [point_of(c, area) for c, area in zip(work, results, strict=True)]
    modules = {point.model.split(",")[0] for point in points}
    write_points(
        options.output,
        {
            "method": f"pipelines of LLVM IR at {MHZ:g} MHz (verif/area), without DSP slices",
            "tool": f"pyosys {yosys_version()}, synth_xilinx -family xc7, out of context",
            "date": date.today().isoformat(),
            "templates": {module: hls_hash(module) for module in sorted(modules)},
            "script": "benchmarks/characterize_hls.py",
        },
        points,
    )


if __name__ == "__main__":
    main()
