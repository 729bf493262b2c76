"""Co-simulation: a program runs in the RTL, and after every instruction as in the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.cosim.image import BASES, Image
from hyq_hls.engine.cosim.library import STOPPED, DramModel, EngineModel
from hyq_hls.engine.cosim.memories import Comparison, written_memory
from hyq_hls.engine.cosim.where import tensor_index
from hyq_hls.engine.fields import QUEUES
from hyq_hls.engine.program import Program
from hyq_hls.engine.simulate import Simulator
from hyq_hls.errors import SimulationError
from hyq_hls.graph import Graph
from hyq_hls.graph.operation import Codes

#: Cycles within which an instruction must end.
PATIENCE = 2_000_000
CONTROL, STATUS, LENGTH, PROGRAM, BASE0, INTERRUPT = 0x00, 0x04, 0x0C, 0x10, 0x14, 0x24
CYCLES, BUSY0, READ, WRITTEN, ENDED = 0x40, 0x44, 0x5C, 0x60, 0x64
ERRORS = {1: "version", 2: "queue", 3: "AXI read response", 4: "AXI write response", 5: "target"}


@dataclass(frozen=True, eq=False)
class EngineRun:
    r"""A frame in the RTL.

    Attributes:
        outputs: output codes (\*shape of the last tensor).
        cycles: what the counter of the engine says.
        instructions: first and last cycle (2, n) of every instruction.
        busy: cycles of every unit by the name of its queue.
        read: beats of 8 bytes that were read from DRAM.
        written: beats that were written.
    """

    outputs: Codes
    cycles: int
    instructions: NDArray[np.int64]
    busy: dict[str, int]
    read: int
    written: int


def cosimulate(
    library: Path,
    program: Program,
    graph: Graph,
    codes: Codes,
    dram: DramModel | None = None,
    *,
    image: Image | None = None,
    compare: bool = True,
) -> EngineRun:
    """Run a program in the RTL and compare the destination of every instruction.

    Args:
        library: what :func:`~hyq_hls.engine.cosim.build_engine` built for the program's sizes.
        program: the program.
        graph: the graph that it was made from.
        codes: codes of one sample.
        dram: the memory; by default without stalls.
        image: what lies in DRAM; by default the image of ``program`` and ``codes``.
        compare: whether the simulator runs beside it; without, only the RTL runs.

    Raises:
        SimulationError: the first difference by instruction, node, index, expected and found; or a
            transfer that DRAM refuses, an error of the engine, an instruction that does not end.
    """
    dram = dram or DramModel()
    simulator = Simulator(program, graph)
    image = image or Image.of(program, codes, dram.seed)
    with EngineModel(library, image, dram) as engine:
        for address, value in register_writes(image):
            engine.write(address, value)
        try:
            if compare:
                _compare(engine, simulator, codes, graph)
            engine.advance(stops=False, patience=PATIENCE)
        except SimulationError as error:
            raise _located(error, simulator, engine.ended) from error
        _check_status(engine, simulator)
        found = program.output.unpack(image.bytes_of("output"))
        return EngineRun(
            outputs=found.reshape(graph.output_type.shape),
            cycles=engine.read(CYCLES),
            instructions=engine.cycles(),
            busy={name: engine.read(BUSY0 + 4 * q) for q, name in enumerate(QUEUES)},
            read=engine.read(READ),
            written=engine.read(WRITTEN),
        )


def register_writes(image: Image, origin: int | None = None) -> list[tuple[int, int]]:
    """Return the addresses of registers and what the host writes there; the last one starts.

    Args:
        image: what lies in DRAM.
        origin: address of the first byte of the image; by default its own.
    """
    moved = 0 if origin is None else origin - image.origin
    program = image.part("program")
    places = [image.part(name).address + moved for name in BASES]
    return [
        (INTERRUPT, 1),
        (LENGTH, program.size // isa.BYTES),
        (PROGRAM, program.address + moved),
        *((BASE0 + 4 * register, place) for register, place in enumerate(places)),
        (CONTROL, 1),
    ]


class _DifferenceError(SimulationError):
    """A difference, whose message is complete."""


def _compare(engine: EngineModel, simulator: Simulator, codes: Codes, graph: Graph) -> None:
    comparison = Comparison(engine, simulator.program.sizes)
    for index, instruction in simulator.steps(codes):
        if engine.advance(stops=True, patience=PATIENCE) != STOPPED:
            return  # too early: its status says why
        _check(comparison, simulator, graph, index, instruction)
    for name in comparison.names:
        found = comparison.first_difference(simulator.memories, name)
        if found is not None:
            at, expected, got = found
            raise _DifferenceError(
                f"at the end {comparison.place(name, at)} is {got}; {expected} was expected: an "
                "instruction changed it that writes another memory"
            )


def _check(
    comparison: Comparison,
    simulator: Simulator,
    graph: Graph,
    index: int,
    instruction: isa.Instruction,
) -> None:
    """Raise ``SimulationError`` where the memory that an instruction writes differs."""
    name = written_memory(instruction)
    found = comparison.first_difference(simulator.memories, name)
    if found is None:
        return
    at, expected, got = found
    node = simulator.node_of(index)
    tensor = tensor_index(simulator, graph, index, instruction, name, at)
    raise _DifferenceError(
        f"instruction {index} ({node}): {comparison.place(name, at)}"
        f"{f', {tensor},' if tensor else ''} is {got}; {expected} was expected\n"
        f"  {isa.show(instruction)}"
    )


def _located(error: SimulationError, simulator: Simulator, index: int) -> SimulationError:
    """Return an error of the driver with the instruction that ran."""
    if isinstance(error, _DifferenceError) or index >= len(simulator.program.instructions):
        return error
    shown = isa.show(simulator.program.instructions[index])
    return SimulationError(f"instruction {index} ({simulator.node_of(index)}): {error}\n  {shown}")


def _check_status(engine: EngineModel, simulator: Simulator) -> None:
    """Raise ``SimulationError`` where the engine stopped with an error, or too early."""
    status = engine.read(STATUS)
    code, index = status & 0xFF, status >> 8
    if code:
        raise SimulationError(
            f"instruction {index} ({simulator.node_of(index)}): the engine stopped with error "
            f"{code} ({ERRORS.get(code, 'unknown')})\n  "
            + isa.show(simulator.program.instructions[index])
        )
    ended, wanted = engine.read(ENDED), len(simulator.program.instructions)
    if ended != wanted:
        raise SimulationError(f"the engine is done after {ended} of {wanted} instructions")
