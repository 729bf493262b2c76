"""A second reader of ``.hyq`` files, written from docs/hyq-format.md with numpy and zipfile alone.

    python second_reader.py net.hyq images.npy

``images.npy`` holds bytes (images, height, width, channels); the program prints a line of output
codes for each image. Nothing here is imported from hyq_hls: a test compares both on every
operation, so that the specification is known to suffice.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

Array = Any  # int64, with the batch as its first axis
Parameters = dict[str, Any]


def read(path: str) -> Parameters:
    """Return the document of a file, with its arrays in the place of their names."""
    with zipfile.ZipFile(path) as archive:
        document: Parameters = json.loads(archive.read("graph.json"))
        if (document["format"], document["version"]) != ("hyq", 3):
            raise ValueError(f"{path}: version 3 of the format hyq is wanted")
        for name, digest in document["sha256"].items():
            if hashlib.sha256(archive.read(name)).hexdigest() != digest:
                raise ValueError(f"{path}: {name} does not match its checksum")

        def with_arrays(value: Any) -> Any:
            if isinstance(value, list):
                return [with_arrays(v) for v in value]
            if not isinstance(value, dict):
                return value
            if "array" in value:
                return np.load(io.BytesIO(archive.read(f"{value['array']}.npy")))
            return {key: with_arrays(v) for key, v in value.items()}

        document["nodes"] = with_arrays(document["nodes"])
        document["output_index"] = with_arrays(document.get("output_index"))
    return document


def run(document: Parameters, images: Array) -> Iterator[tuple[str, Array]]:
    """Yield the name and the codes of every node, in order."""
    values: dict[str, Array] = {document["input"]["name"]: np.asarray(images, np.int64)}
    for node in document["nodes"]:
        inputs = [values[name] for name in node["inputs"]] or [np.empty(len(images))]
        values[node["name"]] = OPERATIONS[node["operation"]](node["parameters"], *inputs)
        yield node["name"], values[node["name"]]


def output(document: Parameters, last: Array) -> Array:
    """Return the codes of the last node in the shape and order of the model's output."""
    index = document["output_index"]
    return last if index is None else last.reshape(len(last), -1)[:, index]


def requantize(r: Parameters, acc: Array) -> Array:
    q, right = r["quantization"], np.maximum(r["shift"], 0)
    scaled = (acc * r["multiplier"]) << np.maximum(-r["shift"], 0)
    codes = ((scaled + ((np.int64(1) << right) >> 1)) >> right) + np.array(q["zero_point"])
    low = -(1 << (q["bits"] - 1)) if q["signed"] else 0
    return codes.clip(low, low + (1 << q["bits"]) - 1)


def centred(x: Array, zero_point: Any) -> Array:
    return x - np.array(zero_point)


def windows(p: Parameters, x: Array, kernel: tuple[int, int], border: Any) -> Array:
    """Return (B, H', W', C, kernel height, kernel width)."""
    (ph, pw), (sy, sx), (dy, dx) = p["padding"], p["stride"], p.get("dilation", (1, 1))
    b, h, w, c = x.shape
    padded = np.empty((b, h + 2 * ph, w + 2 * pw, c), np.int64)
    padded[:] = np.array(border)
    padded[:, ph : ph + h, pw : pw + w] = x
    extent = ((kernel[0] - 1) * dy + 1, (kernel[1] - 1) * dx + 1)
    views = np.lib.stride_tricks.sliding_window_view(padded, extent, axis=(1, 2))
    return views[:, ::sy, ::sx, :, ::dy, ::dx]


def convolution(p: Parameters, x: Array) -> Array:
    """Compute every convolution as a grouped one: one group, or one for each channel."""
    weight = p["weight"] if p["weight"].ndim == 4 else p["weight"][..., None]
    groups = p.get("groups", 1 if p["weight"].ndim == 4 else len(weight))
    patches = windows(p, x, weight.shape[1:3], p["pad_value"])
    patches = patches.reshape(*patches.shape[:3], groups, -1, *patches.shape[4:])
    weight = weight.reshape(groups, -1, *weight.shape[1:])
    acc = np.einsum("bhwgcyx,goyxc->bhwgo", patches, weight, optimize=True)
    return requantize(p["requantize"], acc.reshape(*acc.shape[:3], -1) + p["bias"])


def dense(p: Parameters, x: Array) -> Array:
    return requantize(p["requantize"], x @ p["weight"].T + p["bias"])


def channel_affine(p: Parameters, x: Array) -> Array:
    acc = p["weight"] * x.reshape(len(x), -1, *p["bias"].shape) + p["bias"]
    return requantize(p["requantize"], acc).reshape(x.shape)


def aligned(combine: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def operation(p: Parameters, *inputs: Array) -> Array:
        a, b = (
            (m * centred(x, z)).reshape(inputs[0].shape)
            for x, m, z in zip(inputs, p["multipliers"], p["zero_points"], strict=True)
        )
        return requantize(p["requantize"], combine(a, b))

    return operation


def multiply(p: Parameters, *inputs: Array) -> Array:
    a, b = (
        centred(x, z).reshape(len(x), -1, x.shape[-1])
        for x, z in zip(inputs, p["zero_points"], strict=True)
    )
    factors = np.repeat(b, a.shape[1] // b.shape[1], axis=1)
    return requantize(p["requantize"], a * factors).reshape(inputs[0].shape)


def joined(p: Parameters, *inputs: Array) -> Array:
    """Compute concat, and concat_positions, which has an axis."""
    parts = zip(inputs, p["requantize"], p["zero_points"], strict=True)
    a, b = (requantize(r, centred(x, z)) for x, r, z in parts)
    if "axis" in p:
        return np.concatenate([a, b], axis=1 + p["axis"])
    return np.concatenate([a, b.reshape(*a.shape[:-1], -1)], axis=-1)


def concat_constant(p: Parameters, x: Array) -> Array:
    tensor = requantize(p["requantize"], centred(x, p["zero_point"]))
    constant = np.broadcast_to(p["constant"], (*x.shape[:-2], *p["constant"].shape))
    return np.concatenate([constant, tensor] if p["first"] else [tensor, constant], axis=-2)


def unfold(p: Parameters, x: Array) -> Array:
    (ph, pw), (b, h, w, c) = p["patch"], x.shape
    x = x.reshape(b, h // ph, ph, w // pw, pw, c).transpose(0, 2, 4, 1, 3, 5)
    return x.reshape(b, ph * pw, -1, c)


def fold(p: Parameters, x: Array) -> Array:
    (ph, pw), h, w = p["patch"], p["height"], p["width"]
    x = x.reshape(len(x), ph, pw, h // ph, w // pw, -1).transpose(0, 3, 1, 4, 2, 5)
    return x.reshape(len(x), h, w, -1)


def average_pool(p: Parameters, x: Array) -> Array:
    inside = windows(p, np.ones_like(x), p["kernel"], 0).sum(axis=(-1, -2))
    zero = np.array(p["pad_value"])
    sums = (windows(p, x, p["kernel"], zero) - zero[:, None, None]).sum(axis=(-1, -2))
    acc = p["factor"][inside - 1] * sums
    return requantize(p["requantize"], acc - p["centre"] * (x - zero) if p["centre"] else acc)


def upsample(p: Parameters, x: Array) -> Array:
    def near_and_far(size: int) -> tuple[Array, Array]:
        near = np.arange(2 * size) // 2
        return near, (near + np.tile([-1, 1], size)).clip(0, size - 1)

    (ny, fy), (nx, fx) = near_and_far(x.shape[1]), near_and_far(x.shape[2])
    a, b, c, d = (x[:, y][:, :, z] for y in (ny, fy) for z in (nx, fx))
    return a if p["mode"] == "nearest" else (9 * a + 3 * b + 3 * c + d + 8) >> 4


def shift_swish(p: Parameters, x: Array) -> Array:
    f, n = p["fraction"], p["precision"]

    def shift_exp(d: Array) -> Array:
        t = -(d + (d >> 1) - (d >> 4))
        return (((2 << f) - (t & ((1 << f) - 1))) << n) >> np.minimum(t >> f, 62)

    i = x - p["zero_point"]
    largest = np.maximum(i, 0)
    e1, e2 = shift_exp(i - largest), shift_exp(-largest)
    return requantize(p["requantize"], i * ((e1 << n) // (e1 + e2)))


def softmax(p: Parameters, x: Array) -> Array:
    """Compute linear_softmax, and table_softmax, which has a table."""
    distance = x.max(axis=-1, keepdims=True) - x
    if "table" in p:
        e = p["table"][distance]
    else:
        m, n = p["fraction"], p["shift_bits"]
        octave = Fraction("0.71580849") * Fraction("0.6931471805599453094172321214581765680755")
        offset = int(Fraction("0.96971728") / octave * (1 << m))
        e = ((offset - (distance & ((1 << m) - 1))) << n) >> np.minimum(distance >> m, 62)
    total, top = e.sum(axis=-1, keepdims=True), (1 << p["bits"]) - 1
    if p["output"] == "uniform":
        return np.minimum(((e << p["bits"]) + (total >> 1)) // total, top)
    if p["output"] == "log2":
        passed = [(2 * total) >> j >= 3 * e for j in range(min(top, 62))]
    else:
        passed = [2 * total >= 3 * e, 2 * total > 5 * e]
        passed += [(2 * total + e) >> j >= 3 * e for j in range(2, min(top, 62))]
    return np.where(e == 0, top, np.sum(passed, axis=0, dtype=np.int64))


def attention_scores(p: Parameters, *inputs: Array) -> Array:
    query, key = (
        centred(x, z).reshape(*x.shape[:-1], p["heads"], -1)
        for x, z in zip(inputs, p["zero_points"], strict=True)
    )
    return requantize(p["requantize"], np.einsum("bpihc,bpjhc->bpihj", query, key, optimize=True))


def attention_values(p: Parameters, probability: Array, value: Array) -> Array:
    if p["encoding"] == "log2":
        shift = (1 << p["bits"]) - 2 - probability
        weight = np.where(shift < 0, 0, np.int64(1) << np.maximum(shift, 0))
    else:
        weight = probability - p.get("probability_zero_point", 0)
    value = centred(value, p["zero_point"]).reshape(*value.shape[:-1], p["heads"], -1)
    acc = np.einsum("bpihj,bpjhc->bpihc", weight, value, optimize=True)
    return requantize(p["requantize"], acc.reshape(*acc.shape[:3], -1))


def normalized(p: Parameters, variance: Array) -> Array:
    """Return the reciprocal of the standard deviation."""
    std = np.vectorize(isqrt, otypes=[np.int64])(variance << (2 * p["root_bits"]))
    return np.int64(1 << p["reciprocal_bits"]) // std


def layer_norm(p: Parameters, q: Array) -> Array:
    x, c = centred(q, p["zero_point"]) << p["factor_shift"], q.shape[-1]
    total = x.sum(axis=-1, keepdims=True)
    variance = c * (x * x).sum(axis=-1, keepdims=True) - total * total + p["epsilon"]
    shift = p["reciprocal_bits"] - p["root_bits"] - p["normalized_bits"]
    n = ((c * x - total) * normalized(p, variance) + (1 << (shift - 1))) >> shift
    return requantize(p["requantize"], p["gamma"] * n + p["beta"])


def group_norm(p: Parameters, q: Array) -> Array:
    x, axes = centred(q, p["zero_point"]), tuple(range(1, q.ndim))
    total, count = x.sum(axis=axes, keepdims=True), x[0].size
    variance = count * (x * x).sum(axis=axes, keepdims=True) - total * total + p["epsilon"]
    k, s = p["mean_shift"], p["normalize_shift"]
    mean = (total * p["mean_multiplier"] + (1 << (k - 1))) >> k
    n = (((x << p["mean_bits"]) - mean) * normalized(p, variance) + (1 << (s - 1))) >> s
    return requantize(p["requantize"], p["gamma"] * n + p["beta"])


def separable_context(p: Parameters, scores: Array, keys: Array) -> Array:
    e = p["table"][scores - p["first"]]
    total = e.sum(axis=2, keepdims=True)
    weighted = (e * centred(keys, p["zero_point"])).sum(axis=2, keepdims=True)
    return requantize(p["requantize"], ((weighted << p["mean_bits"]) + (total >> 1)) // total)


OPERATIONS: dict[str, Callable[..., Array]] = {
    "add": aligned(np.add),
    "attention_scores": attention_scores,
    "attention_values": attention_values,
    "average_pool": average_pool,
    "channel_affine": channel_affine,
    "concat": joined,
    "concat_constant": concat_constant,
    "concat_positions": joined,
    "constant": lambda p, images: np.repeat(p["codes"][None], len(images), axis=0),
    "conv2d": convolution,
    "dense": dense,
    "depthwise_conv2d": convolution,
    "fold": fold,
    "global_average_pool": lambda p, x: requantize(
        p["requantize"], centred(x, p["zero_point"]).sum(axis=(1, 2))
    ),
    "group_norm": group_norm,
    "grouped_conv2d": convolution,
    "layer_norm": layer_norm,
    "linear_softmax": softmax,
    "maximum": aligned(np.maximum),
    "max_pool": lambda p, x: windows(p, x, p["kernel"], p["pad_value"]).max(axis=(-1, -2)),
    "multiply": multiply,
    "permute_positions": lambda p, x: x.reshape(len(x), -1, x.shape[-1])[:, p["order"]],
    "requantize": lambda p, x: requantize(p["requantize"], centred(x, p["zero_point"])),
    "select_positions": lambda p, x: x[:, p["rows"]][:, :, p["columns"]],
    "separable_context": separable_context,
    "shift_swish": shift_swish,
    "table": lambda p, x: p["values"][x - p["first"]],
    "table_softmax": softmax,
    "transpose": lambda p, x: x.swapaxes(-1, -2),
    "unfold": unfold,
    "upsample": upsample,
}


if __name__ == "__main__":
    network = read(sys.argv[1])
    every = dict(run(network, np.load(sys.argv[2])))
    codes = output(network, every[network["nodes"][-1]["name"]])
    for row in codes.reshape(len(codes), -1):
        print(*row)
