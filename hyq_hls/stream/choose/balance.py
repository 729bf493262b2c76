"""Balance the nodes: each is just parallel enough for one frame in a number of cycles."""

from __future__ import annotations

from collections.abc import Mapping

from hyq_hls.errors import ConversionError
from hyq_hls.stream.circuits import AnyCircuit
from hyq_hls.stream.folding import Folding

#: Multiply-accumulates per cycle of a design that nobody asked to be larger or smaller.
DEFAULT_MACS_PER_CYCLE = 200


def balance(
    circuits: Mapping[str, AnyCircuit], max_cycles: int | None = None
) -> dict[str, Folding]:
    """Return the smallest folding of every node that takes at most ``max_cycles`` cycles per frame.

    Lanes are powers of two, or all channels, so that neighbours fit by one width converter that
    keeps their rate.

    Args:
        circuits: circuits of all nodes of a graph, by name of the node.
        max_cycles: cycles per frame; by default those of a machine that does about 200
            multiply-accumulates per cycle.

    Raises:
        ConversionError: a node cannot be that fast; the message names it and its fastest folding.
    """
    if max_cycles is None:
        macs = sum(circuit.macs for circuit in circuits.values())
        max_cycles = max(fastest(circuits), -(-macs // DEFAULT_MACS_PER_CYCLE))
    if max_cycles < 1:
        raise ConversionError(f"cycles per frame: at least 1 is wanted, found {max_cycles}")
    return {name: _smallest(name, circuit, max_cycles) for name, circuit in circuits.items()}


def fastest(circuits: Mapping[str, AnyCircuit]) -> int:
    """Return the fewest cycles per frame that any folding of all nodes reaches."""
    return max(min(regular_foldings(circuit).values()) for circuit in circuits.values())


def _smallest(name: str, circuit: AnyCircuit, max_cycles: int) -> Folding:
    cycles = regular_foldings(circuit)
    fitting = [folding for folding, count in cycles.items() if count <= max_cycles]
    if not fitting:
        best = min(cycles, key=lambda f: cycles[f])
        raise ConversionError(
            f"{name}: {circuit.operation.name} takes {cycles[best]:,} cycles per frame at its "
            f"fastest folding {best}, {max_cycles:,} are wanted; allow more cycles per frame"
        )

    def size(folding: Folding) -> tuple[int, int, int]:
        dsps = circuit.dsps(folding)
        return dsps, folding.outputs * max(1, folding.inputs // 4), folding.inputs

    return min(fitting, key=size)


def regular_foldings(circuit: AnyCircuit) -> dict[Folding, int]:
    """Return the cycles of every folding whose lanes are powers of two or all that there are."""
    legal = circuit.foldings
    widest = max(f.outputs for f in legal), max(f.inputs for f in legal)
    return {
        f: circuit.cycles(f)
        for f in legal
        if _is_regular(f.outputs, widest[0]) and _is_regular(f.inputs, widest[1])
    }


def _is_regular(lanes: int, widest: int) -> bool:
    return lanes == widest or lanes & (lanes - 1) == 0
