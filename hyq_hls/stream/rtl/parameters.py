"""One rule that turns a kernel into the parameters of its SystemVerilog module."""

from __future__ import annotations

from hyq_hls.errors import ConversionError
from hyq_hls.graph import TensorType
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.memories import memory_parameters
from hyq_hls.stream.rtl.modules import declared_parameters


def camel(name: str) -> str:
    """``in_lanes`` to ``InLanes``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def memory_name(stage: OperationStage, rom: str) -> str:
    """File of a constant memory."""
    return f"{stage.name}_{rom}.mem"


def module_parameters(stage: OperationStage) -> dict[str, str]:
    """Parameters that the module of ``stage`` declares, with their values as SystemVerilog.

    Raises:
        ConversionError: the module declares a parameter that its kernel does not give.
    """
    known = _known_parameters(stage)
    module = f"hyq_{stage.node.operation.module}"
    declared = declared_parameters(module)
    missing = [name for name, default in declared.items() if not default and name not in known]
    if missing:
        raise ConversionError(
            f"{stage.node.name}: module {module} declares {', '.join(missing)}, which its kernel "
            f"does not give; it gives {', '.join(sorted(known))}"
        )
    return {name: known[name] for name in declared if name in known}


def parameter_values(stage: OperationStage, memory_dir: str) -> dict[str, int | str]:
    """The same as plain values, for a simulation of the module alone."""
    plain: dict[str, int | str] = {}
    for name, text in module_parameters(stage).items():
        if text.startswith("{MemoryDir"):
            plain[name] = memory_dir + text.removeprefix('{MemoryDir, "').removesuffix('"}')
        else:
            plain[name] = int(text.removeprefix("1'b"))
    return plain


def _known_parameters(stage: OperationStage) -> dict[str, str]:
    kernel, operation = stage.kernel, stage.node.operation
    known = {camel(name): str(value) for name, value in kernel.constants.items()}
    for name, (bits, signed) in kernel.integers.items():
        known |= _integer(camel(name.removesuffix("_t")), bits, signed)
    tensors = [*zip(operation.ports, stage.types, strict=True), ("out", stage.node.type)]
    for port, tensor in tensors:
        known |= _code(camel(port), tensor)
    for rom in kernel.roms:
        prefix = camel(rom.name)
        known[f"{prefix}File"] = f'{{MemoryDir, "/{memory_name(stage, rom.name)}"}}'
        known |= {f"{prefix}{suffix}": value for suffix, value in memory_parameters(rom)}
    return known


def _integer(prefix: str, bits: int, signed: bool) -> dict[str, str]:
    return {f"{prefix}Bits": str(bits), f"{prefix}Signed": f"1'b{int(signed)}"}


def _code(prefix: str, tensor: TensorType) -> dict[str, str]:
    return _integer(prefix, tensor.quantization.bits, tensor.quantization.signed)
