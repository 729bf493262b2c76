"""The SystemVerilog of operations on any input codes, several operations in one Verilated bench.

As ``direct.py`` for C++: every operand has its own stream, so that two operands take chosen codes
and every input is always valid, which the formulas of cycles and latency suppose. Parameters and
memories are what the RTL back end generates; ``verif/stream_parts.cpp`` drives the streams. The
bench must be clean under ``-Wall``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Operation, TensorType
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.memories import memory_text
from hyq_hls.stream.rtl.parameters import memory_name, operation_parameters, printed
from tests.ops.direct import Case
from tests.stream.rtl.stream_bench import compile_bench

Codes = NDArray[np.int64]

#: Breaks of the handshake, as ``verif/stream_parts.cpp`` names them.
_BROKEN = {"unstable", "waits_for_ready"}


@dataclass
class Transfers:
    """What a run did at the ports of one case, since the last reset."""

    in_cycles: list[list[int]]  # of every input
    out_cycles: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)


class RtlBench:
    """The compiled bench of some cases.

    Args:
        cases: operations that stand side by side.
        folder: new folder to build in.
    """

    def __init__(self, cases: Sequence[Case[Operation]], folder: Path) -> None:
        self.cases, self.folder = list(cases), folder
        self.stages = [_stage(case, f"op{i}") for i, case in enumerate(cases)]
        lanes = [_lanes(case) for case in cases]
        self.first_input = [0, *accumulate(len(case.inputs) for case in cases)]
        widths = [t.quantization.bits * n for types in lanes for t, n in types]
        self.word_bits = max(96, -(-max(widths) // 32) * 32)
        folder.mkdir(parents=True)
        for stage in self.stages:
            for rom in stage.arguments.roms:
                (folder / memory_name(stage, rom.name)).write_text(memory_text(rom))
        (folder / "bench.sv").write_text(self._bench())
        compile_bench(
            folder, ("--assert", "-Wall"), self.word_bits, self.first_input[-1], len(self.cases)
        )

    def check(self, codes: Sequence[Sequence[Codes]]) -> None:
        r"""Every case equals its reference, with and without stalls; a reset leaves nothing behind.

        ``latency`` and ``cycles`` are exact, and no more than ``frames_inside`` enters before the
        first word leaves.

        Args:
            codes: for every case, of every input, (frames, \*shape); three frames or more.
        """
        for case, operands, found in zip(self.cases, codes, self.run(codes), strict=True):
            frames = len(operands[0])
            latency = case.circuit.latency(case.folding)
            cycles = case.circuit.cycles(case.folding)
            beats = case.output.size // case.folding.outputs
            last_beats = found.out_cycles[beats - 1 :: beats]
            assert last_beats[0] - min(c[0] for c in found.in_cycles) == latency, case
            assert set(np.diff(last_beats)) == {cycles}, case
            for in_cycles in found.in_cycles:
                words = sum(c < found.out_cycles[0] for c in in_cycles)
                inside = Fraction(words * frames, len(in_cycles))
                assert inside <= case.circuit.frames_inside, case
        self.run(codes, valid=40)
        self.run(codes, ready=40, seed=1)
        self.run(codes, valid=60, ready=60, seed=2, reset_cycle=len(codes[0][0]) * 7 + 1)

    def run(
        self,
        codes: Sequence[Sequence[Codes]],
        valid: int = 100,
        ready: int = 100,
        seed: int = 0,
        reset_cycle: int = -1,
    ) -> list[Transfers]:
        r"""Run and compare with the references.

        Args:
            codes: for every case, of every input, (frames, \*shape).
            valid: how often a source offers a word, in percent.
            ready: how often a sink takes a word, in percent.
            seed: of the stalls.
            reset_cycle: when a reset comes in between, after which everything starts anew.
        """
        stimulus = "".join(
            f"{' '.join(map(_hexadecimal, words))}\n"
            for case, operands in zip(self.cases, codes, strict=True)
            for words in _input_words(case, operands)
        )
        needed = [
            case.circuit.latency(case.folding)
            + len(operands[0]) * case.circuit.cycles(case.folding)
            for case, operands in zip(self.cases, codes, strict=True)
        ]
        cycles = max(needed) * 25_000 // (valid * ready) + max(0, reset_cycle) + 100
        words = sum(
            len(operands[0]) * case.output.size // case.folding.outputs
            for case, operands in zip(self.cases, codes, strict=True)
        )
        # Behind the last word that is wanted, another one would come within a frame.
        tail = max(c.circuit.latency(c.folding) + c.circuit.cycles(c.folding) for c in self.cases)
        arguments = (seed, valid, ready, cycles, reset_cycle, words, tail)
        output = _call([str(self.folder / "bench"), *map(str, arguments)], self.folder, stimulus)
        transfers = self._transfers(output)
        for case, operands, found in zip(self.cases, codes, transfers, strict=True):
            assert not found.broken, (found.broken, case)
            codes_found = _output_codes(case, found.words)
            assert np.array_equal(codes_found, case.operation.reference(*operands)), case
        return transfers

    def _transfers(self, log: str) -> list[Transfers]:
        ports = [(i, k) for i, case in enumerate(self.cases) for k in range(len(case.inputs))]
        transfers: list[Transfers] = []
        for line in log.splitlines():
            kind, *values = line.split()
            if kind == "reset":
                transfers = [Transfers([[] for _ in case.inputs]) for case in self.cases]
            elif kind == "i":
                index, port = ports[int(values[0])]
                transfers[index].in_cycles[port].append(int(values[1]))
            elif kind == "o":
                found = transfers[int(values[0])]
                found.out_cycles.append(int(values[1]))
                found.words.append(int(values[2], 16))
            elif kind in _BROKEN:
                transfers[int(values[0])].broken.add(kind)
        return transfers

    def _bench(self) -> str:
        """SystemVerilog of the bench: every case between slices of wide ports."""
        # Verilator gives ports of more than 64 bits one type, so that the driver needs only that.
        flags = 32 + max(64, self.first_input[-1])
        text = f"""\
module bench (
  input  logic clk_i,
  input  logic rst_ni,
  /* verilator lint_off UNUSEDSIGNAL */  // narrow words and few cases leave bits
  input  logic [{self.first_input[-1] * self.word_bits - 1}:0] in_data_i,
  input  logic [{flags - 1}:0] in_valid_i,
  input  logic [{flags - 1}:0] out_ready_i,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic [{flags - 1}:0] in_ready_o,
  output logic [{len(self.cases) * self.word_bits - 1}:0] out_data_o,
  output logic [{flags - 1}:0] out_valid_o
);
  assign in_ready_o[{flags - 1}:{self.first_input[-1]}] = '0;
  assign out_valid_o[{flags - 1}:{len(self.cases)}] = '0;
"""
        if any(stage.arguments.roms for stage in self.stages):
            text += '  localparam MemoryDir = ".";\n'
        return text + "".join(map(self._instance, range(len(self.cases)))) + "endmodule\n"

    def _instance(self, index: int) -> str:
        case, stage = self.cases[index], self.stages[index]
        values = printed(operation_parameters(stage))
        parameters = ", ".join(f".{k}({v})" for k, v in values.items())
        ports = []
        *inputs, (out, out_lanes) = _lanes(case)
        for i, (port, (tensor, lanes)) in enumerate(zip(case.circuit.ports, inputs, strict=True)):
            channel, bits = self.first_input[index] + i, tensor.quantization.bits * lanes
            ports += [
                f".{port}_data_i(in_data_i[{channel * self.word_bits} +: {bits}])",
                f".{port}_valid_i(in_valid_i[{channel}])",
                f".{port}_ready_o(in_ready_o[{channel}])",
            ]
        bits = out.quantization.bits * out_lanes
        return f"""\
  logic [{bits - 1}:0] {stage.name}_data;
  assign out_data_o[{index * self.word_bits} +: {self.word_bits}] =
      {self.word_bits}'({stage.name}_data);
  hyq_{case.circuit.module} #({parameters}) u_{stage.name} (
    .clk_i, .rst_ni, {", ".join(ports)}, .out_data_o({stage.name}_data),
    .out_valid_o(out_valid_o[{index}]), .out_ready_i(out_ready_i[{index}])
  );
"""


def _stage(case: Case[Operation], name: str) -> OperationStage:
    return case.stage(name, tuple(f"{name}_{port}" for port in case.circuit.ports))


def _lanes(case: Case[Operation]) -> list[tuple[TensorType, int]]:
    """Types and lanes of the inputs, then of the output."""
    lanes = (*case.circuit.input_lanes(case.folding), case.folding.outputs)
    return list(zip((*case.inputs, case.output), lanes, strict=True))


def _input_words(case: Case[Operation], operands: Sequence[Codes]) -> list[list[int]]:
    """Words of every input, codes as two's complement, lane 0 in the lowest bits."""
    streams = []
    for codes, (tensor, lanes) in zip(operands, _lanes(case)[:-1], strict=True):
        tensor.check(codes, "test input")
        bits = tensor.quantization.bits
        unsigned = (codes & ((1 << bits) - 1)).reshape(-1, lanes).tolist()
        streams.append([sum(c << (i * bits) for i, c in enumerate(word)) for word in unsigned])
    return streams


def _output_codes(case: Case[Operation], words: Sequence[int]) -> Codes:
    tensor, lanes = _lanes(case)[-1]
    bits, first = tensor.quantization.bits, tensor.quantization.qmin
    mask, sign = (1 << bits) - 1, -first  # the sign bit of a signed code
    codes = [((w >> (i * bits) & mask) ^ sign) - sign for w in words for i in range(lanes)]
    assert len(codes) % tensor.size == 0, f"{len(words)} output words are no whole frames: {case}"
    return np.array(codes, dtype=np.int64).reshape(-1, *tensor.shape)


def _hexadecimal(word: int) -> str:
    return f"{word:x}"


def _call(command: list[str], folder: Path, stimulus: str) -> str:
    result = subprocess.run(
        command, cwd=folder, input=stimulus, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
