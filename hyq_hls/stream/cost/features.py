"""The features of a circuit: numbers that are known before synthesis and determine its size.

The LUTs and flip-flops of a module are modelled as sums of features times coefficients that are
never negative. Every feature grows with parallelism, or is the same for every folding.
"""

from __future__ import annotations

from functools import lru_cache, singledispatch

from hyq_hls.stream.arguments import Memory, RequantizeRom
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.cost.memories import dissolves, memory_utilization
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.flow.dataflow import SHALLOW
from hyq_hls.stream.rtl.instances import module_of
from hyq_hls.stream.rtl.plumbing import AxisInput, Fifo, Fork, Plumbing, WidthConverter
from hyq_hls.tools.yosys import Utilization

Features = dict[str, float]


def _memories(circuit: OperationStage | Plumbing) -> list[Memory]:
    """Return the memories of a circuit."""
    if isinstance(circuit, OperationStage):
        return circuit.memories
    if isinstance(circuit, Fifo) and circuit.depth > SHALLOW:
        return [Memory(circuit.width, circuit.depth)]
    return []


def memory_total(circuit: OperationStage | Plumbing) -> Utilization:
    """Return the LUTs and block RAMs of the memories of a circuit."""
    return sum((memory_utilization(m) for m in _memories(circuit)), Utilization())


def dsps_of(circuit: OperationStage | Plumbing) -> int:
    """Return the DSP slices of a circuit: products of variables, and by constants from a memory."""
    if not isinstance(circuit, OperationStage):
        return 0
    by_constants = sum(product_dsps(*widths) for widths in circuit.arguments.constant_products)
    return circuit.circuit.dsps(circuit.folding) + circuit.folding.outputs * by_constants


def model_of(circuit: OperationStage | Plumbing) -> str:
    """Return the name of a circuit's cost model: its module, and its variant if it has one."""
    module = module_of(circuit)
    if isinstance(circuit, OperationStage) and circuit.circuit.variant:
        return f"{module}, {circuit.circuit.variant}"
    return module


@singledispatch
def features_of(circuit: OperationStage | Plumbing) -> Features:
    """Return the features of a circuit, by name.

    A kind of circuit without a rule raises ``TypeError``.
    """
    raise TypeError(f"{circuit!r}: there is no rule for the features of such a circuit")


@features_of.register(OperationStage)
@lru_cache(maxsize=1)  # The models of the RTL and of the C++ ask for them one after the other.
def _operation(stage: OperationStage) -> Features:
    circuit, folding = stage.circuit, stage.folding
    read = sum(
        lanes * tensor.quantization.bits
        for lanes, tensor in zip(circuit.input_lanes(folding), circuit.inputs, strict=True)
    )
    accumulator, output = circuit.accumulator.bits, circuit.output
    products = circuit.macs / max(stage.cycles, 1)
    bits = sum(tensor.quantization.bits for tensor in circuit.inputs)
    return {
        "one": 1.0,
        "size": float(output.size.bit_length()),
        "read_bits": float(read),
        "written_bits": float(folding.outputs * output.quantization.bits),
        "accumulator_bits": float(folding.outputs * accumulator),
        "shifted_bits": float(folding.outputs * accumulator * _column(stage, 1)),
        "product_bits": float(products * (bits + 8)),
        "multiplied_bits": float(folding.outputs * _column(stage, 2)),
        "small_rom_bits": float(sum(m.width for m in stage.memories if dissolves(m))),
        "memory_luts": float(sum(memory_utilization(m).lut for m in stage.memories)),
    }


def _column(stage: OperationStage, column: int) -> int:
    """Return the width of the shift (1) or the multiplier (2) of a requantization.

    It is 0 where the value is fixed.
    """
    roms = [rom for rom in stage.arguments.roms if isinstance(rom, RequantizeRom)]
    return max((rom.columns[column][1] for rom in roms), default=0)


@features_of.register
def _fifo(fifo: Fifo) -> Features:
    if fifo.depth <= SHALLOW:
        return {"slice": 1.0, "slice_bits": float(fifo.width)}
    address_bits = (fifo.depth - 1).bit_length()
    return {"one": 1.0, "bits": float(fifo.width), "address_bits": float(address_bits)}


@features_of.register
def _fork(fork: Fork) -> Features:
    return {"one": 1.0, "outputs": float(fork.outputs)}


@features_of.register
def _width_converter(converter: WidthConverter) -> Features:
    narrow, wide = sorted((converter.in_lanes, converter.out_lanes))
    kind = "split" if converter.in_lanes > converter.out_lanes else "join"
    return {
        kind: 1.0,
        f"{kind}_bits": float(converter.bits * wide),
        f"{kind}_ratio": wide / narrow,
    }


@features_of.register
def _port(port: AxisInput) -> Features:
    return {
        "one": 1.0,
        "bits": float(port.lanes * port.bits),
        "size": float(port.beats.bit_length()),
    }
