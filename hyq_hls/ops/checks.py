"""Checks and bounds that several operations share."""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Operation
from hyq_hls.graph.types import TensorType


def plain_integers(operation: Operation, *fields: str) -> None:
    """Turn integer fields, NumPy's too, into Python's, which never overflow and can be saved.

    Raises:
        GraphError: a field is not an integer.
    """
    for field in fields:
        value = getattr(operation, field)
        try:
            object.__setattr__(operation, field, index(value))
        except TypeError as error:
            raise GraphError(
                f"{operation.name} {field}: an integer is wanted, found {value!r}"
            ) from error


def plain_pair(operation: Operation, field: str) -> None:
    """Turn a field into two plain integers, or raise ``GraphError``."""
    value = getattr(operation, field)
    try:
        first, second = value
        object.__setattr__(operation, field, (index(first), index(second)))
    except (TypeError, ValueError) as error:
        raise GraphError(
            f"{operation.name} {field}: two integers are wanted, found {value!r:.40}"
        ) from error


def freeze(operation: Operation, field: str, ndim: int) -> None:
    """Turn a field into a read-only int64 array of ``ndim`` axes, or raise ``GraphError``."""
    array = np.asarray(getattr(operation, field))
    if array.ndim != ndim or not np.issubdtype(array.dtype, np.integer):
        raise GraphError(
            f"{operation.name} {field}: integers with {ndim} axes are wanted, "
            f"found {array.dtype} with shape {array.shape}"
        )
    array = array.astype(np.int64)
    array.setflags(write=False)
    object.__setattr__(operation, field, array)


def check_fits(values: NDArray[np.int64], bits: int, what: str) -> None:
    """Raise ``GraphError`` unless all values fit ``bits`` bits (1 to 64) in two's complement."""
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 64:
        raise GraphError(f"{what}: a width of 1 to 64 bits is wanted, found {bits!r:.40}")
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if values.size and (values.min() < low or values.max() > high):
        raise GraphError(
            f"{what} in [{values.min()}, {values.max()}] do not fit {bits} bits [{low}, {high}]"
        )


def width_of(values: NDArray[np.int64]) -> int:
    """Return the two's complement width that holds all values."""
    return Bounds(int(values.min()), int(values.max())).bits


def check_zero_points(expected: tuple[int, ...], tensor: TensorType, what: str = "input") -> None:
    """Raise ``GraphError`` unless an operation was built for this input's zero points."""
    found = tensor.quantization.zero_point
    channels = tensor.channels
    if len(expected) not in (1, channels) or not np.array_equal(
        np.broadcast_to(expected, channels), np.broadcast_to(found, channels)
    ):
        raise GraphError(f"{what} has zero points {found}, the operation was built for {expected}")


def check_affine(tensor: TensorType, what: str = "input") -> None:
    """Raise ``GraphError`` on codes that are exponents."""
    if tensor.quantization.encoding != "affine":
        raise GraphError(f"{what} has {tensor.quantization.encoding} codes; affine is wanted")


def centred(tensor: TensorType) -> Bounds:
    """Return the bounds of ``code - zero_point``."""
    q = tensor.quantization
    return Bounds(q.qmin - max(q.zero_point), q.qmax - min(q.zero_point))


def product_bounds(a: Bounds, b: Bounds) -> Bounds:
    """Bound the product of two values."""
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Bounds(min(ends), max(ends))


def dot_bounds(weight: NDArray[np.int64], bias: NDArray[np.int64], low: int, high: int) -> Bounds:
    """Bound ``bias + weight . x`` for rows of ``weight`` (O, n) and every x in [low, high].

    Codes of both signs and zero are legal (low <= 0 <= high), so every partial sum that starts with
    the bias stays inside these bounds too, in any order of its terms.
    """
    largest = max(abs(int(weight.max(initial=0))), abs(int(weight.min(initial=0))))
    if largest * weight.shape[1] >= 1 << 63:
        weight = weight.astype(object)  # Python's integers, because the sums would wrap
    positive = np.maximum(weight, 0).sum(axis=1).astype(object)
    negative = np.minimum(weight, 0).sum(axis=1).astype(object)
    lows = bias + positive * low + negative * high
    highs = bias + positive * high + negative * low
    return Bounds(min(0, int(lows.min())), max(0, int(highs.max())))


def partial_sum_bounds(
    weight: NDArray[np.int64], bias: NDArray[np.int64], low: int, high: int
) -> Bounds:
    """Return the bounds of every partial sum of ``bias + weight . x``, wherever the bias is added.

    A bias that undoes a zero point is as large as the products and of the other sign, so sums
    without it reach further than those of :func:`dot_bounds`.
    """
    return dot_bounds(weight, np.minimum(bias, 0), low, high) | dot_bounds(
        weight, np.maximum(bias, 0), low, high
    )
