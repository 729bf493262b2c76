"""Types that hls4ml decides, and checks where it is silent; the layers share both.

A value of fixed point with ``f`` fraction bits is a code times ``2**-f``. So a layer takes the
codes of its input, whatever their type, and its operation defines the codes of its output.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

from hls4ml.model.layers import Layer
from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType, PrecisionType

from hyq_hls.errors import ConversionError
from hyq_hls.stream.arguments import TemplateArguments

#: Names in lower case of the backends that have templates of these layers.
REGISTERED: set[str] = set()


class FixedPoint(NamedTuple):
    """A type of fixed point, without its modes of rounding and overflow.

    Attributes:
        bits: width of a code.
        fraction: a value is a code times ``2**-fraction``; it may be negative.
        signed: two's complement when true.
    """

    bits: int
    fraction: int
    signed: bool

    def __str__(self) -> str:
        return f"ap_{'' if self.signed else 'u'}fixed<{self.bits},{self.bits - self.fraction}>"


class HyqLayer(Layer):
    """A layer with one input, whose operation is known as soon as the types are."""

    #: Attributes that a user may set.
    options: ClassVar[tuple[str, ...]] = ()

    def initialize(self) -> None:
        """Declare the output, of the shape of the input.

        Raises:
            ConversionError: the backend has no template of this layer, so that hls4ml would drop
                it; or the configuration of the layer cannot be met.
        """
        backend = self.model.config.backend.name
        if backend.lower() not in REGISTERED:
            raise ConversionError(
                f"{self.name}: backend {backend} has no template of {self.class_name}, and hls4ml "
                f'would drop the layer; call hyq_hls.hls4ml_extension.register("{backend}") first'
            )
        if self.outputs[0] in self.options:
            raise ConversionError(
                f"{self.name}: hls4ml keeps outputs among the attributes, and this name is an "
                f"attribute of {self.class_name}; give the layer another name"
            )
        shape = list(self.get_input_variable().shape)
        if self.needs_channels_last and len(shape) > 1 and self._moves_axes:
            raise ConversionError(
                f"{self.name}: hls4ml would exchange the axes of an input of shape {shape}, and "
                f"{self.class_name} works along the last one; use channels_last_conversion='off'"
            )
        result = self.declared_result()
        integer_bits = result.bits - result.fraction
        precision = FixedPrecisionType(result.bits, integer_bits, result.signed)
        self.add_output_variable(shape, precision=precision)

    @property
    def needs_channels_last(self) -> bool:
        """Whether the layer treats the last axis unlike the others."""
        return True

    @property
    def _moves_axes(self) -> bool:
        settings = self.model.config.config["HLSConfig"]["Model"]
        return bool(settings.get("ChannelsLastConversion", "off") != "off")

    @property
    def configured_precision(self) -> str | None:
        """Type of the result in HLSConfig; None when only the default of the model stands."""
        config = self.model.config
        name, kind = self.name.lower(), self.class_name.lower()
        found = (
            config.layer_name_precision.get(f"{name}_result"),
            config.layer_name_precision.get(f"{name}_default"),
            config.layer_type_precision.get(f"{kind}_result"),
            config.layer_type_precision.get(f"{kind}_default"),
        )
        return next((p for p in found if p not in (None, "auto")), None)

    @abstractmethod
    def declared_result(self) -> FixedPoint:
        """Return the type of the result; raises :class:`ConversionError` when it is unknown."""

    @abstractmethod
    def arguments(self) -> TemplateArguments:
        """Return the parameters of the C++, when hls4ml has decided about all types.

        Raises:
            GraphError: the operation does not support the types.
            ConversionError: hls4ml did what the layer cannot follow.
        """

    def source(self) -> FixedPoint:
        """Return the type of the input.

        Raises:
            ConversionError: it is not of fixed point, or hls4ml changed the type of the result.
        """
        found = self.fixed_point(self.get_output_variable().type.precision)
        wanted = self.declared_result()
        if found != wanted:
            raise ConversionError(
                f"{self.name}: a pass of hls4ml changed the type of the result from {wanted} to "
                f"{found}, which the C++ of the layer would not have; leave that pass out"
            )
        return self.fixed_point(self.get_input_variable().type.precision)

    def parsed(self, text: str) -> FixedPoint:
        """Return a type of HLSConfig."""
        return self.fixed_point(self.model.config.backend.convert_precision_string(text))

    def fixed_point(self, precision: PrecisionType) -> FixedPoint:
        """Return a type of hls4ml.

        Raises:
            ConversionError: it is of another kind.
        """
        if not isinstance(precision, FixedPrecisionType | IntegerPrecisionType):
            raise ConversionError(
                f"{self.name}: a type ap_fixed, ap_ufixed, ap_int or ap_uint is wanted, found "
                f"{precision}; give the layer and its input such a Precision in HLSConfig"
            )
        return FixedPoint(precision.width, precision.fractional, precision.signed)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of input and output."""
        return tuple(self.get_input_variable().shape)
