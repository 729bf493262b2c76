"""The record of facts about every float operation that the quantizer must know.

No other place holds such facts. Ranges, scales, searches and simulations ask these records. An
operation without a record is refused by name, because a guess would silently cost accuracy or
hardware. Every function of single elements has a record through its class. It has a row of its own
only where integers compute it in a special way, such as SiLU, or where more is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, Flag, auto
from typing import Any, TypeVar

from hyq_hls.capture import float_ops as fo
from hyq_hls.capture.average_pool import AveragePool
from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.elementwise import Elementwise, InversePower, LeakyRelu, Relu, Silu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import Shape
from hyq_hls.capture.group_norm import GroupNorm
from hyq_hls.capture.max_pool import MaxPool
from hyq_hls.capture.maximum import Maximum
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.positions import (
    ConcatConstant,
    ConcatPositions,
    PermutePositions,
    SelectPositions,
)
from hyq_hls.capture.separable import SeparableContext
from hyq_hls.capture.transpose import Transpose
from hyq_hls.capture.upsample import Upsample
from hyq_hls.errors import QuantizationError
from hyq_hls.graph.types import MAX_BITS
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.image_codes import CentredImage, CentredInput
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.weighted import (
    ChannelAffineLayer,
    Convolution,
    LinearLayer,
    WeightedLayer,
)

_Declaration = TypeVar("_Declaration")

#: Exponents of a scale where nothing limits them further: values of float32 end at 2**127, and a
#: limit below would clip them without a word.
ANY_EXPONENT = (-100, 100)


class Codes(Enum):
    """The source of the codes of a result."""

    IMAGE = "the bytes of the image"
    MOVED = "codes of the only input, at other places"
    BETWEEN = "codes between those of the only input, with its scale"
    PROBABILITIES = "a softmax, whose codes the configuration fixes"
    CHOSEN = "a requantization, whose scale calibration chooses"


class PerChannel(Flag):
    """The ways in which the channels of one tensor may differ.

    Attributes:
        FACTORS: their scales differ by powers of two, and they share a zero point (FQ-ViT).
        SCALES: every channel has a scale and a zero point of its own.
    """

    NOTHING = 0
    FACTORS = auto()
    SCALES = auto()
    BOTH = FACTORS | SCALES


@dataclass(frozen=True)
class Arithmetic:
    """The demands of integer arithmetic on the input of an operation, and its exactness.

    Attributes:
        exponents: smallest and largest exponent of a step of the input.
        fraction_bits: whether it reads fraction bits, so that the steps of its input and of its
            result are powers of two.
        exact: whether its results are those of ``forward``, rounded. Other arithmetic has errors of
            its own, which a simulation takes from the integer operation.
    """

    exponents: tuple[int, int] = ANY_EXPONENT
    fraction_bits: bool = False
    exact: bool = True


Ratios = Callable[[FloatGraph, FloatNode], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Facts about a float operation that decide how it is quantized.

    Attributes:
        writes: how the channels of its result may differ at no more cost than a requantization.
        reads: how the channels of each input may differ; the last entry holds for all further
            inputs.
        linear: whether the result is linear in every input, so that the rounding of an input is
            judged by the result. Searches choose the scales of the inputs of such operations.
        ratios: scale of the result over that of an input, by name of the input. It has an entry
            only where no weights can take up a ratio that is no power of two.
        codes: where the codes of the result come from.
        weights: how a layer with trained weights is seen as a matrix.
        function: whether it computes each element from one element, so that a table can hold it.
        homogeneous: whether, besides, ``f(s * x) = s * f(x)`` for every ``s > 0``, so that factors
            of channels pass through it.
        pole: whether, besides, it grows without end where its element vanishes. So the largest
            results say nothing about the range that is needed: where such a result is a factor, it
            is judged by the products.
        adds: whether it adds its inputs channel by channel, as a residual stream does.
        block_output: whether blocks of networks end in it. Learned rounding compares such tensors.
        tokens: whether it makes tokens of a map.
        leading: number of leading axes, batch included, over which the operation is repeated; None
            means all but the channels.
        work: multiplications for one index of the leading axes, from the shapes of the inputs; None
            means as many as there are values, or weights.
        product_factor: factor of a product of two tensors with free scales; None where the
            operation is no such product.
        reads_probabilities: whether its first input weighs the others: the codes of a softmax, or
            numbers whose step is a power of two where requantizations are shifts.
        multiplies: whether it is the product of its inputs, whose scale follows from theirs.
        arithmetic: how integers compute it, as a function of the configuration.
    """

    writes: PerChannel
    reads: tuple[PerChannel, ...]
    linear: bool
    ratios: Ratios
    codes: Codes = Codes.CHOSEN
    weights: Callable[[Any], WeightedLayer] | None = None
    function: bool = False
    homogeneous: bool = False
    pole: bool = False
    adds: bool = False
    block_output: bool = False
    tokens: bool = False
    leading: int | None = None
    work: Callable[[Sequence[Shape]], int] | None = None
    product_factor: Callable[[Any], float] | None = None
    reads_probabilities: bool = False
    multiplies: bool = False
    arithmetic: Callable[[QuantConfig], Arithmetic] = lambda config: Arithmetic()

    @property
    def keeps_scale(self) -> bool:
        """Whether the result has the quantization of the only input."""
        return self.codes in (Codes.MOVED, Codes.BETWEEN)

    @property
    def keeps_channels(self) -> bool:
        """Whether, besides, every channel of the result comes from the same channel."""
        return self.keeps_scale and self.reads_of(0) != PerChannel.NOTHING

    def reads_of(self, index: int) -> PerChannel:
        """Return how the channels of the input with this index may differ."""
        return self.reads[min(index, len(self.reads) - 1)]


def traits_of(node: FloatNode) -> Traits:
    """Return the record of a node's operation.

    Raises:
        QuantizationError: the operation has no record.
    """
    return declared(TRAITS, node, "has no traits", "a row in TRAITS of hyq_hls/quant/traits.py")


def declared(
    table: Mapping[type[Any], _Declaration], node: FloatNode, found: str, wanted: str
) -> _Declaration:
    """Return the entry of a table for a node's operation.

    The entry belongs to the class of the operation, or to all functions of elements.

    Other subclasses inherit no entry: a softmax in octaves is not a softmax to the quantizer.

    Args:
        table: entries by class of the operation.
        node: the node whose operation is looked up.
        found: what is wrong when there is no entry, for the message.
        wanted: where to declare an entry, for the message.

    Raises:
        QuantizationError: there is no entry.
    """
    kind: type[Any] = type(node.op)
    if kind not in table and issubclass(kind, Elementwise):
        kind = Elementwise
    if kind not in table:
        known = ", ".join(sorted(k.__name__ for k in table))
        raise QuantizationError(
            f"{node.name}: {node.op.kind} {found}; known are {known}; declare it by {wanted} (see "
            "CONTRIBUTING.md), or take it out of the model"
        )
    return table[kind]


def has_weights(node: FloatNode) -> bool:
    """Return whether a node multiplies by trained weights, which become codes."""
    return traits_of(node).weights is not None


def weighted(node: FloatNode) -> WeightedLayer:
    """Return the layer of a node; raise ``QuantizationError`` for one without weights."""
    layer = traits_of(node).weights
    if layer is None:
        raise QuantizationError(
            f"{node.name}: {node.op.kind} has no weights; a layer with weights is wanted here"
        )
    return layer(node.op)


def is_depthwise(node: FloatNode) -> bool:
    """Return whether a node is a layer that keeps channels apart."""
    return has_weights(node) and weighted(node).depthwise


def is_pointwise(node: FloatNode) -> bool:
    """Return whether a node is a 1x1 layer, which mixes the channels of a position."""
    return has_weights(node) and weighted(node).pointwise and not weighted(node).depthwise


def _free(graph: FloatGraph, node: FloatNode) -> dict[str, float]:
    """Return no ratios: weights, or a table, take up any ratio."""
    return {}


def _equal(graph: FloatGraph, node: FloatNode) -> dict[str, float]:
    """Return ratios of 1: all inputs have the scale of the result."""
    return dict.fromkeys(node.inputs, 1.0)


def _of_values(graph: FloatGraph, node: FloatNode) -> dict[str, float]:
    """Return the ratio of values or keys, the second input: they have the scale of the result."""
    return {node.inputs[1]: 1.0}


def _of_mean(graph: FloatGraph, node: FloatNode) -> dict[str, float]:
    """Return the ratio of a mean: a sum of codes is a mean when its step is divided."""
    height, width, _ = graph.shape(node.inputs[0])
    return {node.inputs[0]: 1 / (height * width)}


def _products(shapes: Sequence[Shape]) -> int:
    """Return the products per pixel of a patch: queries by keys, or probabilities by values."""
    return shapes[0][1] * shapes[1][1] * shapes[1][2]


def _weighted_keys(shapes: Sequence[Shape]) -> int:
    """Return the products per pixel of a patch: the scores of tokens by their keys."""
    return shapes[1][1] * shapes[1][2]


def _score_scale(op: fo.AttentionScores) -> float:
    return op.scale


#: Arithmetic by the configuration's ``swish``. Shift-Swish reads fraction bits.
SWISH: dict[str, Arithmetic] = {
    "shift": Arithmetic((-MAX_BITS, 0), fraction_bits=True, exact=False),
    "table": Arithmetic(),
    "i_vit": Arithmetic(exact=False),
    "i_bert": Arithmetic((-10, ANY_EXPONENT[1]), exact=False),
    "shift_released": Arithmetic(exact=False),
}
#: Arithmetic by the configuration's ``exponential``, for steps in octaves. Exponentials vanish for
#: steps of more than an octave, and I-BERT's polynomial exceeds 53 bits for steps that are too
#: fine.
EXPONENTIAL: dict[str, Arithmetic] = {
    "linear": Arithmetic((-MAX_BITS, 0), fraction_bits=True, exact=False),
    "linear_released": Arithmetic((-MAX_BITS, 0), exact=False),
    "polynomial": Arithmetic((-10, 0), exact=False),
    "shift": Arithmetic(exact=False),
    "table": Arithmetic(exact=False),
}

_NOTHING, _BOTH = PerChannel.NOTHING, PerChannel.BOTH
_IMAGE = Traits(writes=_NOTHING, reads=(_NOTHING,), linear=False, ratios=_free, codes=Codes.IMAGE)
_LAYER = Traits(writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_free)
_FUNCTION = Traits(
    writes=PerChannel.SCALES, reads=(_NOTHING,), linear=False, ratios=_free, function=True
)
_MOVE = Traits(
    writes=_NOTHING, reads=(_BOTH,), linear=True, ratios=_equal, codes=Codes.MOVED, leading=1
)

#: One row per float operation, in the order of a network.
TRAITS: dict[type[Any], Traits] = {
    fo.Input: _IMAGE,
    CentredInput: _IMAGE,
    CentredImage: _IMAGE,
    Constant: Traits(writes=_BOTH, reads=(_NOTHING,), linear=False, ratios=_free),
    fo.Conv2d: replace(_LAYER, weights=Convolution),
    fo.Linear: replace(_LAYER, weights=LinearLayer),
    ChannelAffine: replace(_LAYER, weights=ChannelAffineLayer),
    # The factor of the codes is a power of two, so that no multiplier is built.
    PositionConstant: Traits(
        writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_equal, adds=True, leading=1
    ),
    Elementwise: _FUNCTION,
    Relu: replace(_FUNCTION, homogeneous=True),
    LeakyRelu: replace(_FUNCTION, homogeneous=True),
    InversePower: replace(_FUNCTION, pole=True),
    Silu: replace(_FUNCTION, arithmetic=lambda config: SWISH[config.swish]),
    fo.Add: Traits(
        writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_equal, adds=True, block_output=True
    ),
    # Its result is judged as that of a sum is: one of the operands passes.
    Maximum: Traits(writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_equal),
    Multiply: Traits(
        writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_free, leading=1, multiplies=True
    ),
    fo.Concat: Traits(
        writes=PerChannel.SCALES, reads=(_BOTH,), linear=True, ratios=_equal, block_output=True
    ),
    ConcatConstant: Traits(
        writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_equal, block_output=True, leading=1
    ),
    # One requantization serves all positions of an input.
    ConcatPositions: Traits(
        writes=_NOTHING,
        reads=(_NOTHING,),
        linear=True,
        ratios=_equal,
        block_output=True,
        leading=1,
    ),
    PermutePositions: _MOVE,
    SelectPositions: _MOVE,
    fo.Unfold: replace(_MOVE, tokens=True),
    fo.Fold: _MOVE,
    Transpose: replace(_MOVE, reads=(_NOTHING,)),
    Upsample: replace(_MOVE, codes=Codes.BETWEEN),
    fo.LayerNorm: Traits(writes=_BOTH, reads=(PerChannel.FACTORS,), linear=False, ratios=_free),
    GroupNorm: Traits(writes=_BOTH, reads=(_NOTHING,), linear=False, ratios=_free, leading=1),
    fo.AttentionScores: Traits(
        writes=_NOTHING,
        reads=(_NOTHING,),
        linear=True,
        ratios=_free,
        leading=2,
        work=_products,
        product_factor=_score_scale,
    ),
    OctaveSoftmax: Traits(
        writes=_NOTHING,
        reads=(_NOTHING,),
        linear=False,
        ratios=_free,
        codes=Codes.PROBABILITIES,
        arithmetic=lambda config: EXPONENTIAL[config.exponential],
    ),
    fo.AttentionValues: Traits(
        writes=_BOTH,
        # The channels of the values, which come second, stay apart.
        reads=(_NOTHING, PerChannel.SCALES),
        linear=True,
        ratios=_of_values,
        leading=2,
        work=_products,
        reads_probabilities=True,
    ),
    SeparableContext: Traits(
        writes=_BOTH,
        # The channels of the keys, which come second, stay apart.
        reads=(_NOTHING, PerChannel.SCALES),
        linear=False,
        ratios=_of_values,
        leading=2,
        work=_weighted_keys,
    ),
    MaxPool: replace(_MOVE, linear=False),
    AveragePool: Traits(writes=_BOTH, reads=(_BOTH,), linear=True, ratios=_equal, leading=1),
    fo.GlobalAveragePool: Traits(
        writes=_BOTH,
        reads=(_BOTH,),
        linear=True,
        ratios=_of_mean,
        block_output=True,
        leading=1,
    ),
}
