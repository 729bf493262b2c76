"""An operation's own circuit as the RTL back end writes it: sources, parameters, memory files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.circuits.point import CIRCUITS
from hyq_hls.graph import Node, Operation, TensorType
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.memories import memory_text
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.stream.rtl.parameters import memory_name, operation_parameters, placed
from hyq_hls.support import write_file
from hyq_hls.tools.systemverilog import Value

#: Memory files, one folder per content: a cached synthesis is never of other constants.
MEMORIES = CIRCUITS.parents[1] / "build" / "benchmarks" / "memories"


@dataclass(frozen=True)
class Circuit:
    """A module to synthesize.

    Attributes:
        sources: its SystemVerilog files.
        top: its name.
        parameters: its parameters by name.
    """

    sources: tuple[Path, ...]
    top: str
    parameters: Mapping[str, Value]


def operation_circuit(
    operation: Operation,
    types: Sequence[TensorType],
    folding: Folding,
    name: str | None = None,
) -> Circuit:
    """Return the module of ``operation`` on inputs of ``types``, and write its memories.

    Args:
        operation: what is computed.
        types: types of its inputs.
        folding: lanes.
        name: name of the circuit, where the operation has several.
    """
    circuit = circuit_of(operation, *types, name=name)
    circuit.check_folding(folding)
    inputs = circuit.ports
    node = Node(operation.name, operation, inputs, circuit.output, circuit.accumulator)
    stage = OperationStage(operation.name, inputs, (operation.name,), node, circuit, folding)
    memories = {memory_name(stage, m.name): memory_text(m) for m in stage.arguments.roms}
    top = f"hyq_{circuit.module}"
    parameters = placed(operation_parameters(stage), memory_folder(memories))
    return Circuit(template_sources(top), top, parameters)


def template_sources(*modules: str) -> tuple[Path, ...]:
    """Return the files of templates and of all that they instantiate."""
    return tuple(module_file(module) for module in needed_modules(set(modules)))


def memory_folder(files: Mapping[str, str]) -> Path:
    """Return the folder that holds ``files``, by name; it is written where it is not there yet."""
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    folder = MEMORIES / digest
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if not path.is_file():
            write_file(path, text)
    return folder
