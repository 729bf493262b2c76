"""The three layers as hls4ml's graph holds them, each with the operation that it computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Bounds, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization
from hyq_hls.hls4ml_extension.base import FixedPoint, HyqLayer
from hyq_hls.ops import LinearSoftmax, RequantizeTensor, ShiftSwish
from hyq_hls.ops.linear_softmax import softmax_shift_bits
from hyq_hls.stream.arguments import TemplateArguments
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding

#: log2(e) as a dyadic factor of 16 bits.
LOG2_E, LOG2_E_SHIFT = 47274, 15
#: Powers of two of more bits would not fit 32 bits.
_MAX_LOG2_BITS = 5
_ONE = np.array([1])


def quantization(codes: FixedPoint) -> Quantization:
    """Return the same codes for our operations, which take 2 to 16 bits."""
    return Quantization(codes.bits, codes.signed, (2.0**-codes.fraction,))


def with_codes(found: TemplateArguments, source: FixedPoint, **more: int) -> TemplateArguments:
    """Return arguments that also name the type of the input, and more constants."""
    return replace(
        found,
        constants=found.constants | {"is_signed": int(source.signed)} | more,
        integers={"code_t": (source.bits, source.signed)} | found.integers,
    )


class _ConfiguredResult(HyqLayer):
    """A layer that gives codes of the type that HLSConfig says."""

    def declared_result(self) -> FixedPoint:
        """Return the type of the result that is configured.

        Raises:
            ConversionError: HLSConfig names none for this layer.
        """
        text = self.configured_precision
        if text is None:
            raise ConversionError(
                f"{self.name}: {self.class_name} rounds and saturates to the type of its result, "
                f"and HLSConfig has none: set ['LayerName']['{self.name}']['Precision']"
                "['result'], for example to 'ap_fixed<8,3>'"
            )
        return self.parsed(text)


class HyqRequantize(_ConfiguredResult):
    """``y = x * 2**exponent`` on the grid of the result: rounded half up, and saturated.

    Attribute ``exponent`` is an integer, or one for every channel; 0 by default. The input may be
    an accumulator of up to 62 bits.
    """

    options = ("exponent",)

    @property
    def exponents(self) -> tuple[int, ...]:
        """One exponent, or one for every channel.

        Raises:
            ConversionError: they are not integers.
        """
        given = self.get_attr("exponent", 0)
        values = given if isinstance(given, Sequence | np.ndarray) else (given,)
        if any(int(v) != v for v in values):
            raise ConversionError(f"{self.name}: exponents are integers, found {given}")
        return tuple(int(v) for v in values)

    @property
    def needs_channels_last(self) -> bool:
        """Whether channels differ; hls4ml converts a map (C, H, W) rightly."""
        return len(self.exponents) > 1 and len(self.shape) == 2

    def arguments(self) -> TemplateArguments:
        """Return the parameters of the C++; the widest code of the input is its accumulator."""
        source, result = self.source(), self.declared_result()
        shift = source.fraction - result.fraction - np.array(self.exponents, np.int64)
        requantize = Requantize(quantization(result), shift, _ONE)
        low, high = (-1 << (source.bits - 1), 1 << (source.bits - 1))
        bounds = Bounds(low, high - 1) if source.signed else Bounds(0, 2 * high - 1)
        channels = self.shape[-1]
        requantize.check(bounds, channels)
        sizes = {"words": int(np.prod(self.shape[:-1])), "channels": channels}
        found = requantized_arguments(sizes, {}, (), bounds, requantize, channels)
        return with_codes(found, source)


class HyqShiftSwish(_ConfiguredResult):
    """Shift-Swish, ``x * sigmoid(x)``, on the grid of the result.

    Attribute ``sigmoid_bits`` is the number of fraction bits of the sigmoid, 8 to 20; by default
    four more than the input has bits.
    """

    options = ("sigmoid_bits",)

    @property
    def needs_channels_last(self) -> bool:
        """Say that all elements are treated alike."""
        return False

    def arguments(self) -> TemplateArguments:
        """Return the parameters of the C++ of :class:`hyq_hls.ops.ShiftSwish`."""
        source, result = self.source(), self.declared_result()
        x = TensorType(self.shape, quantization(source))
        precision = self.get_attr("sigmoid_bits") or int(np.clip(source.bits + 4, 8, 20))
        shift = np.array([source.fraction + precision - result.fraction])
        requantize = Requantize(quantization(result), shift, _ONE)
        operation = ShiftSwish(source.fraction, 0, precision, requantize)
        operation.output_type(x)  # It checks all widths.
        circuit = circuit_of(operation, x)
        return with_codes(circuit.arguments(Folding(x.channels, x.channels)), source)


class HyqLinearSoftmax(HyqLayer):
    """Linear softmax over the last axis.

    Attribute ``output`` is ``log2`` (probabilities are powers of two, without a divider) or
    ``uniform``; ``bits`` is the width of a code of probability, 4 by default; ``base`` is ``e``, or
    ``2`` where the weights before the layer already hold the factor log2(e).
    """

    options = ("output", "bits", "base")

    @property
    def needs_channels_last(self) -> bool:
        """Say that a row is the last axis."""
        return True

    def declared_result(self) -> FixedPoint:
        """Return the type of the probabilities.

        For ``log2`` it holds 1 and its halves; the smallest probability of all is zero.

        Raises:
            ConversionError: an attribute is out of range, or HLSConfig asks for another type.
        """
        output, bits = self.get_attr("output", "log2"), self.get_attr("bits", 4)
        if output not in ("log2", "uniform"):
            raise ConversionError(f"{self.name}: output {output!r}; 'log2' or 'uniform' is wanted")
        if output == "log2" and not 2 <= bits <= _MAX_LOG2_BITS:
            raise ConversionError(
                f"{self.name}: log2 probabilities of {bits} bits; 2 to {_MAX_LOG2_BITS} are "
                "supported"
            )
        width = (1 << bits) - 1
        log2 = FixedPoint(width, width - 1, False)
        result = log2 if output == "log2" else FixedPoint(bits, bits, False)
        text = self.configured_precision
        if text is not None and self.parsed(text) != result:
            raise ConversionError(
                f"{self.name}: HLSConfig wants {text} and the probabilities are {result}; change "
                "bits and output of the layer, or leave the precision of its result out"
            )
        return result

    def arguments(self) -> TemplateArguments:
        """Return the parameters of the C++ of :meth:`octaves` and of the softmax behind them."""
        source, octaves = self.source(), self.octaves()
        scores = TensorType(self.shape, quantization(source))
        x = octaves.output_type(scores)
        output, bits = self.get_attr("output", "log2"), self.get_attr("bits", 4)
        softmax = LinearSoftmax(source.fraction, softmax_shift_bits(bits, output), bits, output)
        found = circuit_of(softmax, x).arguments(Folding(x.channels, x.channels))
        factor = octaves.requantize
        multiplier, shift = int(factor.multiplier[0]), int(factor.shift[0])
        found.integers["octave_t"] = (factor.scaled_bits(octaves.accumulator(scores)), True)
        return with_codes(found, source, octave_multiplier=multiplier, octave_shift=shift)

    def octaves(self) -> RequantizeTensor:
        """Return the operation whose codes count octaves: times log2(e) for base e.

        Raises:
            ConversionError: the base is unknown.
        """
        base, source = self.get_attr("base", "e"), self.source()
        if base not in ("e", "2"):
            raise ConversionError(f"{self.name}: base {base!r}; 'e' or '2' is wanted")
        if base == "2":
            return RequantizeTensor((0,), Requantize(quantization(source), np.array([0]), _ONE))
        wider = quantization(source._replace(bits=source.bits + 1))
        factor = Requantize(wider, np.array([LOG2_E_SHIFT]), np.array([LOG2_E]))
        return RequantizeTensor((0,), factor)


LAYERS: tuple[type[HyqLayer], ...] = (HyqRequantize, HyqShiftSwish, HyqLinearSoftmax)
