"""The size of a circuit depends on features, numbers that are known before synthesis.

The LUTs and flip-flops of a module are modelled as sums of features times coefficients that are
never negative. Every feature grows with parallelism, or is the same for every folding.
"""

from __future__ import annotations

from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.cost.memories import LUTS_PER_BLOCK, SMALL_ROM, memory_utilization
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.kernel import Memory, RequantizeRom
from hyq_hls.stream.rtl.instances import Instance
from hyq_hls.tools.yosys import Utilization

Features = dict[str, float]


def _memories(instance: Instance) -> list[Memory]:
    """Return the memories of a circuit."""
    stage = instance.owner
    if isinstance(stage, OperationStage):
        return stage.circuit.memories(stage.folding)
    if instance.module == "hyq_fifo" and _number(instance, "Depth") > 2:
        return [Memory(_number(instance, "Width"), _number(instance, "Depth"))]
    return []


def memory_total(instance: Instance) -> Utilization:
    """Return the LUTs and block RAMs of the memories of a circuit."""
    per_block = LUTS_PER_BLOCK
    if isinstance(instance.owner, OperationStage):
        per_block = instance.owner.kernel.constants.get("luts_per_block", per_block)
    return sum((memory_utilization(m, per_block) for m in _memories(instance)), Utilization())


def dsps_of(instance: Instance) -> int:
    """Count the DSP slices of a circuit: products of variables, and by constants from a memory."""
    stage = instance.owner
    if not isinstance(stage, OperationStage):
        return 0
    total = stage.circuit.dsps(stage.folding)
    integers = stage.kernel.integers
    for rom in stage.kernel.roms:
        if isinstance(rom, RequantizeRom):
            factor, bits = "accumulator_t", rom.columns[2][1]  # 0 bits where a shift does it
        elif rom.name.startswith("multiplier"):  # of an input, which it is named after
            factor, bits = rom.name.replace("multiplier", "centred") + "_t", rom.bits
            bits = 0 if bits == 1 else bits
        else:
            continue
        if bits:
            total += stage.folding.outputs * product_dsps(integers[factor][0], bits + 1)
    return total


def model_of(instance: Instance) -> str:
    """Name of the cost model of a circuit: its module, and which of the circuits of one module."""
    if isinstance(instance.owner, OperationStage) and instance.owner.circuit.variant:
        return f"{instance.module}, {instance.owner.circuit.variant}"
    return instance.module


def features_of(instance: Instance) -> Features:
    """Return the features of a circuit, by name."""
    stage = instance.owner
    if isinstance(stage, OperationStage):
        return _operation(stage)
    return _plumbing(instance)


def _operation(stage: OperationStage) -> Features:
    circuit, folding = stage.circuit, stage.folding
    read = sum(
        lanes * tensor.quantization.bits
        for lanes, tensor in zip(circuit.input_lanes(folding), circuit.inputs, strict=True)
    )
    accumulator, output = circuit.accumulator.bits, circuit.output
    products = circuit.macs / max(stage.cycles, 1)
    memories = circuit.memories(folding)
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
        "small_rom_bits": float(sum(_small_rom_bits(m) for m in memories)),
        "memory_luts": float(sum(memory_utilization(m).lut for m in memories)),
    }


def _small_rom_bits(memory: Memory) -> int:
    """Return the bits of a word of a constant memory that dissolves in logic."""
    return memory.width if memory.constant and 1 < memory.depth <= SMALL_ROM else 0


def _column(stage: OperationStage, column: int) -> int:
    """Return the width of the shift (1) or the multiplier (2) of a requantization.

    It is 0 where the value is fixed.
    """
    roms = [rom for rom in stage.kernel.roms if isinstance(rom, RequantizeRom)]
    return max((rom.columns[column][1] for rom in roms), default=0)


def _plumbing(instance: Instance) -> Features:
    numbers = {name: float(v) for name, v in instance.parameters.items() if isinstance(v, int)}
    if instance.module == "hyq_fifo":
        width, depth = numbers["Width"], int(numbers["Depth"])
        if depth <= 2:
            return {"slice": 1.0, "slice_bits": width}
        return {"one": 1.0, "bits": width, "address_bits": float((depth - 1).bit_length())}
    if instance.module == "hyq_fork":
        return {"one": 1.0, "outputs": numbers["Outputs"]}
    if instance.module == "hyq_width_converter":
        narrow, wide = sorted((numbers["InLanes"], numbers["OutLanes"]))
        kind = "split" if numbers["InLanes"] > numbers["OutLanes"] else "join"
        bits, ratio = numbers["Bits"], wide / narrow
        return {kind: 1.0, f"{kind}_bits": bits * wide, f"{kind}_ratio": ratio}
    return {
        "one": 1.0,
        "bits": numbers["Lanes"] * numbers["Bits"],
        "size": float(int(numbers["Beats"]).bit_length()),
    }


def _number(instance: Instance, name: str) -> int:
    return int(instance.parameters[name])
