"""Integer operations and constants that replace float operations."""

from hyq_hls.quant.lowering.layer_norm import layer_norm
from hyq_hls.quant.lowering.lower import Lowering, lower
from hyq_hls.quant.lowering.nonlinear import softmax_operation, swish_values
from hyq_hls.quant.lowering.published import (
    exact_exponential,
    hyq_exponential,
    i_bert_swish,
    i_vit_swish,
    polynomial_exponential,
    released_shift_swish,
    shift_exponential,
)
from hyq_hls.quant.lowering.table import function_table, minimum, values_of

__all__ = [
    "Lowering",
    "exact_exponential",
    "function_table",
    "hyq_exponential",
    "i_bert_swish",
    "i_vit_swish",
    "layer_norm",
    "lower",
    "minimum",
    "polynomial_exponential",
    "released_shift_swish",
    "shift_exponential",
    "softmax_operation",
    "swish_values",
    "values_of",
]
