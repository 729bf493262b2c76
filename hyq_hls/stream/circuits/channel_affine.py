"""A factor and a summand per channel: one multiplier and one adder per lane."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.channel_affine import ChannelAffine
from hyq_hls.ops.checks import width_of
from hyq_hls.stream.arguments import Rom, TemplateArguments, channel_rom
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding

#: A parameter of a SystemVerilog module has 32 bits.
_LARGEST_FACTOR = 1 << 32


class ChannelAffineCircuit(ElementwiseCircuit[ChannelAffine]):
    """Products with the weights of the channels, which meet the biases in the order of words."""

    @property
    def variant(self) -> str:
        """``shift`` where a shift takes the place of the products."""
        return "shift" if self._factor else ""

    @property
    def stages(self) -> int:
        """Number of stages: codes and weights, products (4), biases, requantization."""
        return 1 + (0 if self._factor else 4) + 1 + REQUANTIZE_STAGES

    @property
    def frames_inside(self) -> Fraction:
        """Share of a frame in the pipeline, every stage of which may hold a position."""
        return Fraction(self.stages, self.inputs[0].words)

    def products(self, folding: Folding) -> int:
        """Return the number of products; a shift is none."""
        return 0 if self._factor else folding.outputs

    def dsps(self, folding: Folding) -> int:
        q = self.inputs[0].quantization
        operand_bits = q.bits + (not q.signed)
        return self.products(folding) * product_dsps(operand_bits, self.operation.weight_bits)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), affine, lanes = self.inputs, self.operation, folding.outputs
        return requantized_arguments(
            {**self.sizes(folding), "factor": self._factor},
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                channel_rom("weight", affine.weight, affine.weight_bits, lanes),
                Rom("bias", affine.bias, width_of(affine.bias), lanes=lanes),
            ),
            self.accumulator,
            affine.requantize,
            lanes,
        )

    @property
    def _factor(self) -> int:
        """The weight of all channels where it is one power of two, else 0."""
        weight, *others = self.operation.weight.tolist()
        alone = not others and 0 < weight < _LARGEST_FACTOR and weight & (weight - 1) == 0
        return weight if alone else 0
