"""Which code of which node a byte is that an instruction wrote."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.cosim.image import BASES
from hyq_hls.engine.machine_sizes import WORD
from hyq_hls.engine.simulate import Simulator
from hyq_hls.graph import Graph


def tensor_index(
    simulator: Simulator,
    graph: Graph,
    index: int,
    instruction: isa.Instruction,
    memory: str,
    at: int,
) -> str:
    """Return the node and the index of a code in its tensor as text; empty where none is known.

    Args:
        simulator: the simulator of the program.
        graph: its graph.
        index: index of the instruction.
        instruction: the instruction.
        memory: name of the memory that it wrote.
        at: flat index of the byte in the memory.
    """
    if isinstance(instruction, isa.Store) and memory == BASES[instruction.base]:
        return _stored(simulator, index, instruction, at)
    if isinstance(instruction, isa.Array | isa.Softmax | isa.Norm) and memory == "features":
        return _computed(simulator, graph, index, instruction, at)
    return ""


def _stored(simulator: Simulator, index: int, store: isa.Store, at: int) -> str:
    """Return the code of a tensor in DRAM."""
    program = simulator.program
    tag = program.tags.get(index)
    place = program.places.get(tag.node) if tag is not None else None
    if tag is None or place is None or place.base != store.base:
        return ""
    layout = place.layout
    if not 0 <= at - place.offset < layout.size:
        return ""
    plane, rest = divmod(at - place.offset, layout.plane_bytes)
    row, rest = divmod(rest, layout.pitch)
    pixel, channel = divmod(rest, WORD * layout.words)
    part = f", byte {layout.planes - 1 - plane}" if layout.planes > 1 else ""
    return f"{tag.node} at row {row}, pixel {pixel}, channel {channel}{part}"


def _computed(
    simulator: Simulator,
    graph: Graph,
    index: int,
    instruction: isa.Array | isa.Softmax | isa.Norm,
    at: int,
) -> str:
    """Return the code that an instruction computed."""
    tag = simulator.program.tags.get(index)
    if tag is None or not (tag.behind_table or tag.node):
        return ""  # what lies between two sums of a node
    start = instruction.first if isinstance(instruction, isa.Array) else 0
    lanes = start + np.arange(*tag.lanes)
    bytes_ = simulator.memories.view_bytes(
        instruction.dst, instruction.rows, instruction.pixels, lanes
    )
    position = np.flatnonzero(bytes_.ravel() == at)
    if not position.size:
        return ""
    name = tag.behind_table or tag.node
    shape = graph.type(name).shape
    whole = shape if len(shape) > 1 else (1, 1, *shape)
    codes = np.arange(int(np.prod(shape))).reshape(whole)[tag.index]
    found = np.unravel_index(codes.ravel()[position[0]], shape)
    where = ", ".join(str(int(k)) for k in found)
    return f"{name}[{where}]"
