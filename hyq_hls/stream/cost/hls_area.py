"""LUTs and flip-flops of the HLS C++: pipelines by models, memories by rules.

The models are fitted to pipelines that Yosys mapped (``benchmarks/characterize_hls.py``). The start
and the end of a process are not in them: only the HLS compiler knows these. See docs/hls.md.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.cost.costs import CostModel, estimate, fitted, read_points
from hyq_hls.stream.cost.features import features_of, model_of
from hyq_hls.stream.cost.hls_memories import (
    array_bram18,
    fifo_bram18,
    inner_fifo_bram18,
    is_registers,
    is_shifted,
)
from hyq_hls.stream.cost.memories import memory_luts, memory_utilization
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.plumbing import Fifo, Fork, WidthConverter
from hyq_hls.support import template_dir
from hyq_hls.tools.yosys import Utilization

#: ``benchmarks/characterize_hls.py`` writes this file.
HLS_POINTS_FILE = Path(__file__).with_name("hls_points.json")
#: Circuits that are functions of the C++.
Counted = OperationStage | Fork | WidthConverter


@cache
def hls_models() -> dict[str, CostModel]:
    """Return the models of all templates, by the names that those of the SystemVerilog have.

    Raises:
        ConversionError: the file is damaged.
    """
    return fitted(read_points(HLS_POINTS_FILE, "benchmarks/characterize_hls.py"))


def hls_hash(module: str) -> str:
    """Hash the C++ of a SystemVerilog module and all that it includes, without comments."""
    known, waiting, seen = hashlib.sha256(), [f"{module.removeprefix('hyq_')}.h"], set[str]()
    while waiting:
        name = waiting.pop()
        path = template_dir() / name
        if name in seen or not path.is_file():  # The compiler has its own headers.
            continue
        seen.add(name)
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        known.update(" ".join(code.split()).encode())
        waiting += sorted(re.findall(r'#include "(\w+\.h)"', code))
    return known.hexdigest()[:16]


def operation_area(stage: OperationStage) -> Utilization:
    """Return LUTs and flip-flops of the function of one node.

    Raises:
        ConversionError: its template was not counted.
    """
    circuit, folding = stage.circuit, stage.folding
    constants = (m for m in stage.memories if m.constant)
    parts = [
        circuit_area(stage),
        *map(_constant_area, constants),
        *map(_array_area, circuit.arrays(folding)),
        *(fifo_area(f, inner_fifo_bram18(f)) for f in circuit.inner_streams(folding)),
    ]
    return sum(parts, Utilization())


def circuit_area(circuit: Counted) -> Utilization:
    """Return LUTs and flip-flops of the pipelines of a function.

    Raises:
        ConversionError: its template was not counted.
    """
    models, name = hls_models(), model_of(circuit)
    if name not in models:
        node = f"{circuit.node.name}: " if isinstance(circuit, OperationStage) else ""
        raise ConversionError(
            f"{node}the C++ of {name} was not counted; add points of it with "
            "python -m benchmarks.characterize_hls"
        )
    found = models[name].utilization(features_of(circuit), Utilization(), 0)
    return Utilization(lut=found.lut, ff=found.ff)


def stream_utilization(fifo: Memory) -> Utilization:
    """Return the sites of a FIFO between two stages."""
    blocks = fifo_bram18(fifo)
    return fifo_area(fifo, blocks) + Utilization(bram18=blocks)


def fifo_area(fifo: Memory, bram18: int) -> Utilization:
    """Return LUTs and flip-flops of a FIFO that takes so many block RAMs.

    Shift registers have a counter; a memory has what the FIFO of the SystemVerilog has.
    """
    if is_shifted(fifo):
        counter = max(1, (fifo.depth - 1).bit_length()) + 1
        return Utilization(lut=fifo.width * -(-fifo.depth // 32) + 2 * counter, ff=counter + 2)
    whole = estimate(Fifo(fifo.width, fifo.depth))
    control = whole.lut - memory_utilization(fifo).lut
    return Utilization(lut=control + (0 if bram18 else memory_luts(fifo)), ff=whole.ff)


def _constant_area(memory: Memory) -> Utilization:
    """Return the LUTs of a constant memory; one of a single word is constants."""
    if memory.depth == 1 or memory_utilization(memory).bram18:
        return Utilization()
    return Utilization(lut=memory_luts(memory))


def _array_area(array: Memory) -> Utilization:
    """Return the sites of an array that is written and read."""
    if is_registers(array):
        return Utilization(lut=array.width * (array.depth - 1), ff=array.width * array.depth)
    return Utilization(lut=0 if array_bram18(array) else memory_luts(array))
