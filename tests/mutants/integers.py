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
]
