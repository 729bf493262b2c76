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
from types import SimpleNamespace
from typing import Any

import hls4ml
import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Folding, Node, Operation, TensorType
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.hls.layers import OperationCall, OperationConfig
from hyq_hls.stream.hls.text import weights_h
from hyq_hls.support import template_dir

Codes = NDArray[np.int64]

#: Unknown pragmas and unused labels are for the synthesizer; ap_types reads what it clears.
WARNINGS = (
    *("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"),
    "-Wno-uninitialized",
    "-Wno-maybe-uninitialized",
)
_FLAGS = ("-std=c++14", "-shared", "-fPIC", "-fno-gnu-unique", *WARNINGS)
_AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"

_RUN = """
extern "C" int run_{name}(const int *const *inputs, int *output) {{
    hyq::csim::monitor::instance().leftover.clear();
    try {{
        {streams}
        {call}
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


@dataclass
class Case:
    """An operation, the types of its inputs, and its lanes."""

    operation: Operation
    inputs: Sequence[TensorType]
    folding: Folding = field(default_factory=Folding)

    @property
    def output(self) -> TensorType:
        return self.operation.output_type(*self.inputs)


class _Layer:
    """As much of an hls4ml layer as the generators of text look at."""

    def __init__(self, case: Case, identifier: str) -> None:
        operation, types, folding = case.operation, tuple(case.inputs), case.folding
        operation.check_folding(folding, *types)
        self.inputs = [f"{identifier}_input{i}" for i in range(len(types))]
        accumulator = operation.accumulator(*types)
        node = Node(identifier, operation, tuple(self.inputs), case.output, accumulator)
        kernel = operation.kernel(folding, *types)
        self.stage = OperationStage(
            identifier, node.inputs, (identifier,), node, types, folding, kernel
        )

    def get_attr(self, key: str) -> Any:
        return {"stage": self.stage}[key]

    def get_input_variable(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, type=SimpleNamespace(name=f"{name}_t"))

    def get_output_variable(self) -> SimpleNamespace:
        return self.get_input_variable(self.stage.name)


def compile_cases(
    cases: Sequence[Case], folder: Path, flags: Sequence[str]
) -> list[Callable[..., Codes]]:
    """One function per case: codes (B, \\*shape) of every input to output codes."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({case.operation.module for case in cases})
    text = "".join(f'#include "hyq/{name}.h"\n' for name in names)
    text += "#include <exception>\n"
    text += "".join(_case_cpp(case, f"op{i}") for i, case in enumerate(cases))
    source, library = folder / "cases.cpp", folder / "cases.so"
    source.write_text(text)
    headers = template_dir()
    (folder / "hyq").symlink_to(headers)
    include = ["-I", str(folder), "-I", str(headers / "csim"), "-isystem", str(_AP_TYPES)]
    command = ["g++", *_FLAGS, *flags, *include, str(source), "-o", str(library)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[:4000]
    loaded = ctypes.CDLL(str(library))
    return [_runner(case, getattr(loaded, f"run_op{i}")) for i, case in enumerate(cases)]


def _runner(case: Case, function: Any) -> Callable[..., Codes]:
    def run(*codes: Codes) -> Codes:
        for x, tensor in zip(codes, case.inputs, strict=True):
            tensor.check(x, "test input")
        output = np.empty((len(codes[0]), *case.output.shape), dtype=np.int32)
        for i in range(len(output)):
            arrays = [np.ascontiguousarray(x[i], dtype=np.int32) for x in codes]
            pointers = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
            status = function(pointers, ctypes.c_void_p(output[i].ctypes.data))
            assert status == 0, "a stream was read while empty" if status == 1 else "words are left"
        return output.astype(np.int64)

    return run


def _case_cpp(case: Case, name: str) -> str:
    layer = _Layer(case, name)
    lanes = case.operation.input_lanes(case.folding)
    words = list(zip(layer.inputs, case.inputs, lanes, strict=True))
    lines = [
        f"typedef hyq::word<{_code_cpp(t)}, {k}> {n}_t;"
        for n, t, k in [*words, (name, case.output, case.folding.outputs)]
    ]
    lines += [OperationConfig().format(layer), weights_h(layer.stage, "")]
    streams = [f"hls::stream<{name}_t> {name};"]
    for i, (stream, tensor, k) in enumerate(words):
        streams.append(f"hls::stream<{stream}_t> {stream}; const int *in{i} = inputs[{i}];")
        streams.append(
            f"for (unsigned i = 0; i < {tensor.size // k}; i++) {{ {stream}_t word; "
            f"for (unsigned c = 0; c < {k}; c++) {{ word[c] = *in{i}++; }} "
            f"{stream}.write(word); }}"
        )
    call = OperationCall().format(layer)
    body = _RUN.format(
        name=name,
        streams="\n        ".join(streams),
        call=call,
        words=case.output.size // case.folding.outputs,
    )
    return "\n".join(lines) + body


def _code_cpp(tensor: TensorType) -> str:
    q = tensor.quantization
    return f"ap_{'int' if q.signed else 'uint'}<{q.bits}>"
