"""One rule that turns the arguments of a circuit into parameters of its SystemVerilog module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.memories import memory_shape
from hyq_hls.stream.rtl.modules import declared_parameters
from hyq_hls.tools.systemverilog import Value, literal


def camel(name: str) -> str:
    """Turn ``in_lanes`` into ``InLanes``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def memory_name(stage: OperationStage, rom: str) -> str:
    """Return the name of the file of a constant memory."""
    return f"{stage.name}_{rom}.mem"


@dataclass(frozen=True)
class MemoryFile:
    """A parameter that names a memory file.

    Attributes:
        name: name of the file in the folder of the memories.
    """

    name: str


Parameter = Value | MemoryFile


def operation_parameters(stage: OperationStage) -> dict[str, Parameter]:
    """Return the parameters that the module of ``stage`` declares, with their values.

    Raises:
        ConversionError: the module declares a parameter that its circuit does not give.
    """
    known = _known_parameters(stage)
    module = f"hyq_{stage.circuit.module}"
    declared = declared_parameters(module)
    missing = [name for name, default in declared.items() if not default and name not in known]
    if missing:
        raise ConversionError(
            f"{stage.node.name}: module {module} declares {', '.join(missing)}, which its circuit "
            f"does not give; it gives {', '.join(sorted(known))}"
        )
    return {name: known[name] for name in declared if name in known}


def printed(parameters: Mapping[str, Parameter], package: str | None = None) -> dict[str, str]:
    """Return parameters as SystemVerilog, in a module that knows ``MemoryDir``.

    Args:
        parameters: the parameters by name.
        package: the package that holds the memories, where they are no files.
    """

    def text(value: Parameter) -> str:
        if not isinstance(value, MemoryFile):
            return literal(value)
        if package is not None:
            return f"{package}::{Path(value.name).stem}"
        return f'{{MemoryDir, "/{value.name}"}}'

    return {name: text(value) for name, value in parameters.items()}


def placed(parameters: Mapping[str, Parameter], memory_dir: Path) -> dict[str, Value]:
    """Return parameters of a module that stands alone; its memory files lie in ``memory_dir``."""
    return {
        name: str(memory_dir / value.name) if isinstance(value, MemoryFile) else value
        for name, value in parameters.items()
    }


def _known_parameters(stage: OperationStage) -> dict[str, Parameter]:
    arguments, circuit = stage.arguments, stage.circuit
    known: dict[str, Parameter] = {}
    for name, constant in arguments.constants.items():
        known[camel(name)] = constant
    for name, (bits, signed) in arguments.integers.items():
        known |= _integer(camel(name.removesuffix("_t")), bits, signed)
    tensors = [*zip(circuit.ports, circuit.inputs, strict=True), ("out", circuit.output)]
    for port, tensor in tensors:
        known |= _integer(camel(port), tensor.quantization.bits, tensor.quantization.signed)
    for rom in arguments.roms:
        known[camel(rom.name)] = memory_shape(rom)
        known[f"{camel(rom.name)}File"] = MemoryFile(memory_name(stage, rom.name))
    return known


def _integer(prefix: str, bits: int, signed: bool) -> dict[str, Parameter]:
    return {f"{prefix}Bits": bits, f"{prefix}Signed": signed}
