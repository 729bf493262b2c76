"""What the size of a circuit depends on, as numbers that are known before synthesis.

The LUTs and flip-flops of a module are modelled as sums of features times coefficients that are
never negative. Every feature grows with parallelism, or is the same for every folding.
"""

from __future__ import annotations

from hyq_hls.dataflow import OperationStage
from hyq_hls.estimate.memories import LUTS_PER_BLOCK, memory_utilization
from hyq_hls.graph.kernel import Memory, RequantizeRom
from hyq_hls.graph.operation import product_dsps
from hyq_hls.rtl.instances import Instance
from hyq_hls.synth import Utilization

Features = dict[str, float]

#: LUTs of memories count as they are; a coefficient is fitted to the rest.
MEMORY_LUTS = "memory_luts"


def memories_of(instance: Instance) -> list[Memory]:
    """Memories of a circuit."""
    stage = instance.owner
    if isinstance(stage, OperationStage):
        return stage.node.operation.memories(stage.folding, *stage.types)
    if instance.module == "hyq_fifo" and _number(instance, "Depth") > 2:
        return [Memory(_number(instance, "Width"), _number(instance, "Depth"))]
    return []


def memory_total(instance: Instance) -> Utilization:
    """LUTs and block RAMs of the memories of a circuit."""
    per_block = LUTS_PER_BLOCK
    if isinstance(instance.owner, OperationStage):
        per_block = instance.owner.kernel.constants.get("luts_per_block", per_block)
    return sum((memory_utilization(m, per_block) for m in memories_of(instance)), Utilization())


def dsps_of(instance: Instance) -> int:
    """DSP slices of a circuit: products of variables, and products by constants from a memory."""
    stage = instance.owner
    if not isinstance(stage, OperationStage):
        return 0
    lanes, accumulator = stage.folding.outputs, stage.node.accumulator.bits
    total = stage.node.operation.dsps(stage.folding, *stage.types)
    for rom in stage.kernel.roms:
        if isinstance(rom, RequantizeRom):
            bits = rom.columns[2][1]  # 0 where a shift does it
        else:
            bits = rom.bits if rom.name.startswith("multiplier") and rom.bits > 1 else 0
        total += lanes * product_dsps(accumulator, bits + 1) if bits else 0
    return total


def model_of(instance: Instance) -> str:
    """Name of the cost model of a circuit: its module, and which of two circuits of one module."""
    if isinstance(instance.owner, OperationStage) and "is_log2" in instance.owner.kernel.constants:
        encoding = "log2" if instance.owner.kernel.constants["is_log2"] else "uniform"
        return f"{instance.module}, {encoding}"
    return instance.module


def features_of(instance: Instance) -> Features:
    """Features of a circuit, by name."""
    stage = instance.owner
    if isinstance(stage, OperationStage):
        return _operation(stage)
    return _plumbing(instance)


def _operation(stage: OperationStage) -> Features:
    operation, folding = stage.node.operation, stage.folding
    read = sum(
        lanes * tensor.quantization.bits
        for lanes, tensor in zip(operation.input_lanes(folding), stage.types, strict=True)
    )
    accumulator = stage.node.accumulator.bits
    products = operation.macs(*stage.types) / max(stage.cycles, 1)
    bits = sum(tensor.quantization.bits for tensor in stage.types)
    return {
        "one": 1.0,
        "size": float(stage.node.type.size.bit_length()),
        "read_bits": float(read),
        "written_bits": float(folding.outputs * stage.node.type.quantization.bits),
        "accumulator_bits": float(folding.outputs * accumulator),
        "shifted_bits": float(folding.outputs * accumulator * _shift_bits(stage)),
        "product_bits": float(products * (bits + 8)),
    }


def _shift_bits(stage: OperationStage) -> int:
    """Stages of the shifter of a requantization; none where all channels shift alike."""
    roms = [rom for rom in stage.kernel.roms if isinstance(rom, RequantizeRom)]
    return max((rom.columns[1][1] for rom in roms), default=0)


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
