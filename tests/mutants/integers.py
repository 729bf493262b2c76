"""Faults of integer types and of the emulation."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "the largest logarithmic code is no zero",
        "hyq_hls/graph/types.py",
        "np.where(q == self.qmax, 0.0, np.exp2(-q.astype(np.float64)))",
        "np.exp2(-q.astype(np.float64))",
        "tests/graph/test_types.py",
    ),
    Mutant(
        "a tensor is freed after its first reader",
        "hyq_hls/emulate/emulator.py",
        "self._last_reader[name] = node.name",
        "self._last_reader.setdefault(name, node.name)",
        "tests/emulate",
    ),
    Mutant(
        "a float holds one bit more than it has",
        "hyq_hls/emulate/exact.py",
        "largest <= 1 << bits",
        "largest <= 2 << bits",
        "tests/emulate",
    ),
    Mutant(
        "a float is chosen by the final sum",
        "hyq_hls/emulate/kernels.py",
        "op.bias, op.partial_sums(*inputs), op.requantize\n",
        "op.bias, node.accumulator, op.requantize\n",
        "tests/emulate",
    ),
    Mutant(
        "ONNX: a float32 holds one bit more than it has",
        "hyq_hls/onnx_export/arithmetic.py",
        "largest <= 1 << 24",
        "largest <= 1 << 25",
        "tests/onnx_export",
    ),
    Mutant(
        "ONNX: long sums of int64 are added in float64",
        "hyq_hls/onnx_export/arithmetic.py",
        "if largest <= 1 << 53:\n        return value.sum",
        "if largest <= 1 << 62:\n        return value.sum",
        "tests/onnx_export",
    ),
    Mutant(
        "ONNX: a division rounds toward zero",
        "hyq_hls/onnx_export/arithmetic.py",
        '(value - value.apply("Mod", other)).apply("Div", other)',
        'value.apply("Div", other)',
        "tests/onnx_export",
    ),
    Mutant(
        "an interrupted step of a build counts as finished",
        "hyq_hls/cli/workflow/run.py",
        "    record.forget(name)\n",
        "",
        "tests/cli/workflow",
    ),
]
