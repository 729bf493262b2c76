"""The C++ of operations on any input codes, several operations in one compilation.

A graph has one input, so it cannot feed two operands with chosen codes. Here every operand has its
own stream. Configuration, memories and calls are the text that the HLS back end generates.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Node, Operation, TensorType
from hyq_hls.stream.circuits import AnyCircuit, circuit_of
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.text import code_type, configuration, operation_call, weights_h
from hyq_hls.support import template_dir
from tests.ahead import AP_TYPES, types_ahead
from verif import clang

Codes = NDArray[np.int64]
Op_co = TypeVar("Op_co", bound=Operation, covariant=True)

#: Unknown pragmas and unused labels are for the synthesizer; ap_types reads what it clears.
WARNINGS = (
    *("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"),
    "-Wno-uninitialized",
    "-Wno-maybe-uninitialized",
)
#: Flags of clang for integers of exact width, in constant memories too.
EXACT = ("-O0", "-D__SYNTHESIS__", "-w")
_FLAGS = ("-std=c++14", "-shared", "-fPIC", "-fwrapv", "-fno-gnu-unique", *WARNINGS)

_RUN = """
extern "C" int run_{name}(const int *const *inputs, int *output) {{
    (void)inputs; // A constant has none.
    hyq::csim::monitor::instance().leftover.clear();
    try {{
        {streams}
        {call};
        for (unsigned i = 0; i < {words}; i++) {{
            const {name}_t word = {name}.read();
            for (unsigned c = 0; c < {name}_t::size; c++) {{
                *output++ = word[c].to_int();
            }}
        }}
    }} catch (const std::exception &) {{
        return 1;
    }}
    return hyq::csim::monitor::instance().leftover.empty() ? 0 : 2;
}}
"""


@dataclass(frozen=True)
class Case(Generic[Op_co]):
    """An operation, the types of its inputs, its lanes, and which of its circuits is meant."""

    operation: Op_co
    inputs: Sequence[TensorType]
    folding: Folding = field(default_factory=Folding)
    circuit_name: str | None = None

    @property
    def output(self) -> TensorType:
        return self.operation.output_type(*self.inputs)

    @property
    def circuit(self) -> AnyCircuit:
        return circuit_of(self.operation, *self.inputs, name=self.circuit_name)

    def graph(self, name: str) -> Graph:
        """The graph whose only node, ``name``, is the operation; it has one input, ``x``."""
        (x,) = self.inputs
        graph = Graph("x", x)
        graph.add(name, self.operation, "x")
        return graph

    def stage(self, name: str, inputs: tuple[str, ...]) -> OperationStage:
        """The stage ``name`` that reads the streams ``inputs``."""
        accumulator = self.operation.accumulator(*self.inputs)
        node = Node(name, self.operation, inputs, self.output, accumulator)
        self.circuit.check_folding(self.folding)
        return OperationStage(name, inputs, (name,), node, self.circuit, self.folding)


def random_folding(rng: np.random.Generator, circuit: AnyCircuit) -> Folding:
    """One of the legal foldings of ``circuit``."""
    legal = circuit.foldings
    return legal[rng.integers(len(legal))]


def compile_with_gxx(
    source: Path, library: Path, include: Sequence[Path], flags: Sequence[str]
) -> None:
    """Compile ``source`` to a shared library with g++ and the ``ap_int.h`` of hls4ml."""
    folders = [f"-I{folder}" for folder in include]
    every = [*_FLAGS, *flags, *types_ahead([*_FLAGS, *flags])]
    command = ["g++", *every, "-isystem", str(AP_TYPES), *folders, str(source)]
    result = subprocess.run(
        [*command, "-o", str(library)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[:4000]


def compile_fast(
    source: Path, library: Path, include: Sequence[Path], flags: Sequence[str]
) -> None:
    """Compile as :func:`compile_with_gxx` does, and integers of exact width with clang.

    The ``_BitInt`` of clang compiles in a fraction of the time of the ``ap_int.h`` of hls4ml, with
    which ``tests/stream/hls/test_two_ap_ints.py`` compiles some cases of every operation.
    """
    if "-DHYQ_BIT_ACCURATE" in flags:
        clang.compile_library(source, library, include, EXACT)
    else:
        compile_with_gxx(source, library, include, flags)


def compile_cases(
    cases: Sequence[Case[Operation]],
    folder: Path,
    flags: Sequence[str],
    compile_library: Callable[..., None] = compile_fast,
) -> list[Callable[..., Codes]]:
    r"""One function per case: codes (B, \*shape) of every input to output codes.

    Args:
        cases: operations; all are compiled at once.
        folder: where source and library are written.
        flags: arguments of the compiler.
        compile_library: the compiler, called as :func:`compile_with_gxx` is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({case.circuit.module for case in cases})
    text = "".join(f'#include "hyq/{name}.h"\n' for name in names)
    text += "#include <exception>\n"
    text += "".join(_case_cpp(case, f"op{i}") for i, case in enumerate(cases))
    source, library = folder / "cases.cpp", folder / "cases.so"
    source.write_text(text)
    headers = template_dir()
    (folder / "hyq").symlink_to(headers)
    compile_library(source, library, [folder, headers / "csim"], flags)
    loaded = ctypes.CDLL(str(library))
    return [_runner(case, getattr(loaded, f"run_op{i}")) for i, case in enumerate(cases)]


def _runner(case: Case[Operation], function: Any) -> Callable[..., Codes]:
    def run(*codes: Codes) -> Codes:
        for x, tensor in zip(codes, case.inputs, strict=True):
            tensor.check(x, "test input")
        frames = len(codes[0]) if codes else 1
        output = np.empty((frames, *case.output.shape), dtype=np.int32)
        for i in range(len(output)):
            arrays = [np.ascontiguousarray(x[i], dtype=np.int32) for x in codes]
            pointers = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
            status = function(pointers, ctypes.c_void_p(output[i].ctypes.data))
            assert status == 0, "a stream was read while empty" if status == 1 else "words are left"
        return output.astype(np.int64)

    return run


def _case_cpp(case: Case[Operation], name: str) -> str:
    inputs = tuple(f"{name}_input{i}" for i in range(len(case.inputs)))
    stage = case.stage(name, inputs)
    lanes = case.circuit.input_lanes(case.folding)
    words = list(zip(stage.inputs, case.inputs, lanes, strict=True))
    lines = [
        f"typedef hyq::word<{code_type(t)}, {k}> {n}_t;"
        for n, t, k in [*words, (name, case.output, case.folding.outputs)]
    ]
    lines += [configuration(stage), weights_h(stage, "")]
    streams = [f"hyq::stream<{name}_t> {name};"]
    for i, (stream, tensor, k) in enumerate(words):
        streams.append(f"hyq::stream<{stream}_t> {stream}; const int *in{i} = inputs[{i}];")
        streams.append(
            f"for (unsigned i = 0; i < {tensor.size // k}; i++) {{ {stream}_t word; "
            f"for (unsigned c = 0; c < {k}; c++) {{ word[c] = *in{i}++; }} "
            f"{stream}.write(word); }}"
        )
    body = _RUN.format(
        name=name,
        streams="\n        ".join(streams),
        call=operation_call(stage),
        words=case.output.size // case.folding.outputs,
    )
    return "\n".join(lines) + body
