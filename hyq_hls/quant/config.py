"""The choices of a user about quantization, with defaults that suit an FPGA."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from operator import index
from typing import Any, Literal, Protocol, get_args

from hyq_hls.errors import QuantizationError
from hyq_hls.graph.types import MAX_BITS, MIN_BITS, Encoding
from hyq_hls.ops.table import MAX_TABLE_BITS

Observer = Literal["mse", "minmax", "moving_average", "percentile"]
Granularity = Literal["tensor", "channel"]
ActivationGranularity = Literal["tensor", "depthwise", "absorbed", "channel"]
Scheme = Literal["asymmetric", "symmetric"]
Scale = Literal["power_of_two", "shift", "dyadic"]
SoftmaxOutput = Literal["log2", "log2_rounded", "uniform"]
Swish = Literal["shift", "table", "i_vit", "i_bert", "shift_released"]
Exponential = Literal["linear", "linear_released", "polynomial", "shift", "table"]


class Recorded(Protocol):
    """The part of a method that a configuration needs.

    Every :class:`~hyq_hls.quant.methods.base.Method` has it.
    """

    def to_json(self) -> dict[str, Any]:
        """Return name and parameters as plain values."""


@dataclass(frozen=True)
class NodeBits:
    """Bit widths of one node where they differ from the rest.

    Attributes:
        weight_bits: width of its weights; None keeps the default.
        activation_bits: width of its output; None keeps the default.
    """

    weight_bits: int | None = None
    activation_bits: int | None = None


@dataclass(frozen=True)
class QuantConfig:
    """The choices by which a float graph becomes integers.

    The defaults are those of the recipe :func:`~hyq_hls.quant.presets.fast`, without its method.

    Attributes:
        weight_bits: width of weights, 2 to 16; weights are symmetric (a weight zero point would
            cost a second sum in hardware).
        activation_bits: width of activations, 2 to 16.
        output_bits: width of the network's output codes.
        preactivation_bits: least width of a tensor that only functions of elements read, such as
            SiLU. No multiplication sees such a tensor. It gets ``activation_bits`` where they are
            more. None: two bits more than the narrower of weights and operands, but
            8 to 12.
        weight_granularity: one scale per output channel, or per tensor.
        activation_granularity: ``tensor``: one scale per tensor; ``depthwise``: per channel where
            only depthwise convolutions read; ``absorbed``: per channel where the writer requantizes
            sums, which it does per channel anyway, and no reader mixes channels of different scale.
            With power-of-two scales that undoes outlier channels without an additional operation
            (HyQ, QADS; Kim & Kim, outlier scaling); ``channel``: the same also behind functions of
            elements, which cost a requantization then: Shift-Swish becomes arithmetic instead of a
            table, and other functions stay tables with one more operation.
        activation_scheme: unsigned codes with a zero point, or signed codes without.
        scale: ``power_of_two``: scales are powers of two, and requantization is a shift; ``shift``:
            scales are real, but the ratios that a requantization sees are powers of two, so that it
            is a shift too; ``dyadic``: scales are any real numbers, and requantization multiplies
            by 16 bits and shifts.
        observer: rule that finds a range: ``mse`` (least squared error over candidates),
            ``minmax``, ``moving_average``, ``percentile``.
        percentile: for ``percentile``, share of values inside the range, in percent.
        momentum: for ``moving_average``, weight of a new batch.
        softmax: form of the probabilities: uniform codes, or powers of two (attention times values
            is shift and add), or the same rounded as in the released code of FQ-ViT and HyQ. Powers
            of two are multiplied by a gain that depends on the keys N of a row: near-uniform rows
            have the gain ``N * 2**-L``, 1.0 at 16, 64 and 256 keys, 0.77 at 49 and 196.
        softmax_bits: width of a probability code; None: 4 for powers of two, and for uniform codes
            8, or so many that the code of the mean probability ``1 / N`` is 16 at least, and off
            by 1/128 at most, because its rounding is a gain too.
        exponential: exponential of the softmax: HyQ's line in its power-of-two form, or a table. A
            table holds HyQ's line as released, the polynomial of I-BERT and FQ-ViT, I-ViT's shifts,
            or the true function (see :mod:`hyq_hls.quant.lowering.published`).
        swish: Shift-Swish, or a table. A table holds the true function, I-ViT's, I-BERT's, or
            Shift-Swish as released.
        layer_norm_factors: largest exponent of the power-of-two factors per channel at LayerNorm
            inputs (FQ-ViT's PTF); 0 turns them off.
        methods: methods that are applied in this order after calibration, such as
            :class:`~hyq_hls.quant.methods.qads.Qads`; see :mod:`hyq_hls.quant.presets`.
        overrides: :class:`NodeBits` by pattern of node names (``fnmatch``); the last match wins.

    Raises:
        QuantizationError: a value is out of range or unknown.
    """

    weight_bits: int = 8
    activation_bits: int = 8
    output_bits: int = 16
    preactivation_bits: int | None = None
    weight_granularity: Granularity = "channel"
    activation_granularity: ActivationGranularity = "absorbed"
    activation_scheme: Scheme = "asymmetric"
    scale: Scale = "shift"
    observer: Observer = "mse"
    percentile: float = 99.99
    momentum: float = 0.1
    softmax: SoftmaxOutput = "uniform"
    softmax_bits: int | None = None
    exponential: Exponential = "linear"
    swish: Swish = "table"
    layer_norm_factors: int = 3
    overrides: Mapping[str, NodeBits] = field(default_factory=dict)
    methods: tuple[Recorded, ...] = ()

    def __post_init__(self) -> None:
        for name, low, high in (
            ("weight_bits", MIN_BITS, MAX_BITS),
            ("activation_bits", MIN_BITS, MAX_BITS),
            ("output_bits", MIN_BITS, MAX_BITS),
            ("layer_norm_factors", 0, 7),
        ):
            _check_range(name, getattr(self, name), low, high)
            object.__setattr__(self, name, index(getattr(self, name)))  # numpy's integers too
        if self.preactivation_bits is not None:
            _check_range("preactivation_bits", self.preactivation_bits, MIN_BITS, MAX_BITS)
        if self.softmax_bits is not None:
            most = _UNIFORM_BITS if self.softmax == "uniform" else _LOG2_BITS
            _check_range(f"softmax_bits ({self.softmax})", self.softmax_bits, MIN_BITS, most)
        self._check_types()
        for pattern, bits in self.overrides.items():
            for name in ("weight_bits", "activation_bits"):
                if getattr(bits, name) is not None:
                    _check_range(f"{name} of {pattern}", getattr(bits, name), MIN_BITS, MAX_BITS)
        for name, choices in CHOICES.items():
            if not isinstance(getattr(self, name), str) or getattr(self, name) not in choices:
                raise QuantizationError(
                    f"{name}={getattr(self, name)!r} is unknown; choose one of {', '.join(choices)}"
                )
        if self.exponential == "linear" and self.softmax == "log2_rounded":
            raise QuantizationError(
                "softmax='log2_rounded' belongs to a table: exponential='linear_released' (HyQ) or "
                "'polynomial' (FQ-ViT); exponential='linear' gives 'log2' or 'uniform'"
            )
        if not 50 < self.percentile <= 100:
            raise QuantizationError(
                f"percentile={self.percentile}: above 50, at most 100 is wanted"
            )
        if not 0 < self.momentum <= 1:
            raise QuantizationError(f"momentum={self.momentum}: above 0, at most 1 is wanted")

    @property
    def function_input_bits(self) -> int:
        """Width of a tensor that only functions of elements read."""
        least = self.preactivation_bits
        if least is None:
            least = min(max(min(self.weight_bits, self.activation_bits) + 2, 8), MAX_TABLE_BITS)
        return max(self.activation_bits, least)

    def softmax_output(self, encoding: Encoding) -> SoftmaxOutput:
        """Form of probabilities with codes of this encoding.

        A layer that mixes the heads of an attention reads uniform codes everywhere.
        """
        return self.softmax if encoding == "log2" else "uniform"

    def probability_bits(self, keys: int) -> int:
        """Width of the probabilities of rows of this number of keys."""
        if self.softmax_bits is not None:
            return self.softmax_bits
        if self.softmax != "uniform":
            return _LOG2_BITS
        for bits in range(_UNIFORM_BITS, MAX_BITS):
            mean = (1 << bits) / keys
            if mean >= _MEAN_CODE and abs(round(mean) / mean - 1) <= _MEAN_ERROR:
                return bits
        return MAX_BITS

    def _check_types(self) -> None:
        if not isinstance(self.overrides, Mapping) or not all(
            isinstance(pattern, str) and isinstance(bits, NodeBits)
            for pattern, bits in self.overrides.items()
        ):
            raise QuantizationError(
                f"overrides={self.overrides!r}: a dict from patterns of node names to NodeBits is "
                "wanted, as {'head.*': NodeBits(4, 8)}"
            )
        if not isinstance(self.methods, tuple | list):
            raise QuantizationError(
                f"methods={self.methods!r}: a tuple of methods is wanted, as methods=(Qads(),)"
            )
        for name in ("percentile", "momentum"):
            if not isinstance(getattr(self, name), int | float):
                raise QuantizationError(f"{name}={getattr(self, name)!r}: a number is wanted")

    def for_node(self, name: str) -> QuantConfig:
        """Return this configuration with the overrides of one node applied."""
        config = self
        for pattern, bits in self.overrides.items():
            if fnmatchcase(name, pattern):
                given = {k: v for k, v in asdict(bits).items() if v is not None}
                if bits.activation_bits is not None:  # The override names this very node.
                    given["preactivation_bits"] = bits.activation_bits
                config = replace(config, **given)
        return config

    def check_names(self, names: Iterable[str]) -> None:
        """Raise :class:`QuantizationError` for an override that names no node."""
        known = list(names)
        for pattern in self.overrides:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise QuantizationError(
                    f"override {pattern!r} matches no node; nodes are {', '.join(known)}"
                )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for the metadata of a saved graph."""
        plain = asdict(replace(self, methods=()))
        return {**plain, "methods": [method.to_json() for method in self.methods]}


CHOICES = {
    "weight_granularity": get_args(Granularity),
    "activation_granularity": get_args(ActivationGranularity),
    "activation_scheme": get_args(Scheme),
    "scale": get_args(Scale),
    "observer": get_args(Observer),
    "softmax": get_args(SoftmaxOutput),
    "exponential": get_args(Exponential),
    "swish": get_args(Swish),
}

#: Most bits that one may ask of a probability, and those of short rows.
_UNIFORM_BITS, _LOG2_BITS = 8, 4
#: Least uniform code of the mean probability of a row, and its largest relative error.
_MEAN_CODE, _MEAN_ERROR = 16, 1 / 128


def _check_range(name: str, value: Any, low: int, high: int) -> None:
    try:
        inside = low <= index(value) <= high and not isinstance(value, bool)
    except TypeError:
        inside = False
    if not inside:
        raise QuantizationError(f"{name}={value!r}: an integer from {low} to {high} is wanted")
