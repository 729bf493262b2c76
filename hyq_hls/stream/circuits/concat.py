"""Concatenation. The words of one input come first, then those of the other, all requantized."""

from __future__ import annotations

from math import gcd

from hyq_hls.ops.checks import centred
from hyq_hls.ops.concat import Concat
from hyq_hls.stream.arguments import RequantizeRom, Rom, Signed, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.requantization import (
    REQUANTIZE_STAGES,
    requantize_product,
    requantize_rom,
)
from hyq_hls.stream.folding import Folding, equal_lanes

#: The stages are the subtraction of zero points and the requantization.
_STAGES = 1 + REQUANTIZE_STAGES


class ConcatCircuit(Circuit[Concat]):
    """One requantization that serves both inputs in turn, position by position."""

    ports = ("a", "b")

    @property
    def foldings(self) -> list[Folding]:
        """Foldings whose lanes divide the channels of both inputs."""
        a, b = self.inputs
        return equal_lanes(gcd(a.channels, b.channels))

    @property
    def sizes(self) -> dict[str, int]:
        """The number of turns of both inputs, and how many codes each gives in a turn."""
        a, b = self.inputs
        return {"words": a.words, "channels_a": a.channels, "channels_b": b.channels}

    def cycles(self, folding: Folding) -> int:
        a, b = self.inputs
        return (a.size + b.size) // folding.outputs

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + _STAGES

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), _STAGES),)

    def arguments(self, folding: Folding) -> TemplateArguments:
        q, lanes = self.output.quantization, folding.outputs
        roms: list[Rom | RequantizeRom] = []
        products: tuple[tuple[int, int], ...] = ()
        scaled_bits = 0
        for x, requantize, zero, letter in self.operation.parts(self.inputs):
            scaled_bits = max(scaled_bits, requantize.scaled_bits(centred(x)))
            roms.append(zero_point_rom(zero, lanes, f"zero_point_{letter}"))
            rom = requantize_rom(requantize, lanes, f"requantize_{letter}")
            roms.append(rom)
            products += requantize_product(rom, self.accumulator)
        return TemplateArguments(
            constants={
                **self.sizes,
                "in_lanes": lanes,
                "out_lanes": lanes,
                "code_min": Signed(q.qmin),
                "code_max": Signed(q.qmax),
            },
            integers={
                "accumulator_t": (self.accumulator.bits, True),
                "scaled_t": (scaled_bits, True),
            },
            roms=tuple(roms),
            constant_products=products,
        )
