"""Misuses of the interface: a row has a call, values for it, and text of the message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.situations.situation import Place, Situation
from hyq_hls import Accelerator, QuantConfig, QuantizedModel, convert, load, quantize
from hyq_hls.emulate import Emulator
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d, Dense, Table
from hyq_hls.parts import part
from hyq_hls.quant.presets import preset
from hyq_hls.stream.folding import Folding

Call = Callable[[Place, Any], object]
_BYTE = Quantization(8, False)
_NAN = float("nan")


def _quantize(p: Place, images: Any) -> object:
    return quantize(p.module, images, progress=False)


def _module(p: Place, module: Any) -> object:
    return quantize(module, p.images, progress=False)


def _config(p: Place, options: dict[str, Any]) -> object:
    return quantize(p.module, p.images, QuantConfig(**options), progress=False)


def _convert(p: Place, options: dict[str, Any]) -> object:
    return convert(p.qmodel, **{"output_dir": p.fresh(), **options})


def _requantize(shift: Any, multiplier: Any) -> Requantize:
    return Requantize(_BYTE, np.array(shift), np.array(multiplier))


def _dense(p: Place, arguments: tuple[Any, ...]) -> object:
    graph = Graph("x", TensorType((4,), _BYTE))
    return graph.add("fc", Dense(*arguments), "x")


def _conv(p: Place, geometry: tuple[Any, Any]) -> object:
    graph = Graph("x", TensorType((4, 4, 1), _BYTE))
    weight = np.ones((1, 3, 3, 1), int)
    return graph.add("c", Conv2d(weight, 8, np.zeros(1, int), *geometry, (0,), _ONE), "x")


_ONE = _requantize([4], [1])
_WEIGHT, _BIAS = np.ones((2, 4), int), np.zeros(2, int)

ROWS: tuple[tuple[str, Call, tuple[Any, ...], str], ...] = (
    ("quantize, no module", _module, ("resnet", 3, None, [], nn.Linear), "a torch.nn.Module is wanted"),
    ("quantize, nothing to calibrate", _quantize, (np.zeros((0, 8, 8, 3), np.uint8),), "no images"),
    ("quantize, no images", _quantize, (None, "images", np.array(3), np.array(["a"]), {}), ""),
    ("quantize, wrong shape", _quantize, (np.zeros((8, 8), np.uint8), np.zeros((2, 5, 8, 8, 3))), ""),
    ("quantize, wrong values", _quantize, (np.full((2, 8, 8, 3), _NAN), np.full((2, 8, 8, 3), np.inf)), "NaN"),
    ("quantize, complex images", _quantize, (np.zeros((2, 8, 8, 3), complex),), "dtype"),
    ("quantize, unlike images", _quantize, ([np.zeros((8, 8, 3)), np.zeros((9, 9, 3))],), ""),
    ("quantize, config", lambda p, c: quantize(p.module, p.images, c, progress=False), (3, ["best"]), ""),
    ("config, bits", _config, tuple({"weight_bits": b} for b in (0, 1, 17, 2.5, "8", None)), "weight_bits"),
    ("config, bits", _config, tuple({"activation_bits": b} for b in (0, 99, "x")), "activation_bits"),
    ("config, softmax", _config, ({"softmax_bits": 99}, {"softmax_bits": -1}), "softmax_bits"),
    ("config, choices", _config, ({"scale": "octal"}, {"scale": 3}), ""),
    ("config, methods", _config, ({"methods": (int,)}, {"methods": ("qads",)}), "Method"),
    ("config, overrides", _config, ({"overrides": {"nothing": 3}}, {"overrides": [1]}), ""),
    ("preset", lambda p, n: preset(n), ("bestest", "", "W8A8"), ""),
    ("load", lambda p, f: load(f), ("none.hyq", "", None, 3, b"\xff", "a\0b", "\ud800", [], "x" * 5000), ""),
    ("load, wrong files", lambda p, f: load(f), (".", "images.npy", "model.py", "/dev/null", "half.hyq"), ""),
    ("save", lambda p, f: p.qmodel.save(f), ("no/n.hyq", "", None, ".", "a\0b", 5, "/proc/n.hyq"), ""),
    ("open", lambda p, f: Accelerator.open(f), ("none", "", None, "notes", "net.hyq", 3), ""),
    ("convert, part", _convert, tuple({"part": x} for x in ("xc7z", "", "?", "a" * 999)), "unknown part"),
    ("convert, clock", _convert, tuple({"clock_mhz": x} for x in (0, -1, _NAN, float("inf"), 1e9)), "clock"),
    ("convert, project", _convert, tuple({"project": x} for x in ("", "a b", "int", 3, None, "x" * 99)), "project"),
    ("convert, share", _convert, ({"share": 0}, {"share": 1.5}, {"share": _NAN}), "share"),
    ("convert, fps", _convert, ({"target_fps": 0}, {"target_fps": -5}, {"target_fps": 1e15}), ""),
    ("convert, folding", _convert, ({"folding": {"none": Folding()}}, {"folding": {"0": Folding(3, 3)}}), ""),
    ("convert, circuits", _convert, ({"circuits": {"none": "x"}}, {"circuits": {"0": "magic"}}), ""),
    ("convert, folder", _convert, tuple({"output_dir": x} for x in ("notes", "model.py", "", None, "a\0b")), ""),
    ("parts", lambda p, n: part(n), ("", "zynq", "?"), "unknown part"),
    ("codes, images", lambda p, x: p.qmodel.codes(x), (np.zeros((1, 9, 9, 3), np.uint8), None, "x", [[1]]), ""),
    ("evaluate", lambda p, y: p.qmodel.evaluate(p.images, y), (np.arange(3), np.zeros((12, 5)), 3), "labels"),
    ("predict, not compiled", lambda p, x: Accelerator.open("net").predict(x), (np.zeros((1, 8, 8, 3), np.uint8),), "compile()"),
    ("cosimulate", lambda p, n: Accelerator.open("net").simulator(n), ("no such node",), "no node"),
    ("emulator, codes", lambda p, x: Emulator(p.qmodel.graph)(x), (np.full((1, 8, 8, 3), 256), np.zeros((1, 8, 8, 3)), np.zeros((1, 2), int)), ""),
    ("types", lambda p, a: TensorType(*a), (((), _BYTE), ((0,), _BYTE), ((-1,), _BYTE), ((1.5,), _BYTE)), "a shape needs"),
    ("quantization", lambda p, a: Quantization(*a), ((1, False), (17, True), (8, False, ()), (8, False, (_NAN,)), (8, False, (1.0,), (256,))), ""),
    ("requantization", lambda p, a: _requantize(*a), (([99], [1]), ([0], [0]), ([0], [1 << 16]), ([0.5], [1]), ([0, 0], [1, 1, 1])), "requantization"),
    ("dense", _dense, ((_WEIGHT, 0, _BIAS, _ONE), (_WEIGHT * 999, 8, _BIAS, _ONE), (_WEIGHT, 8, np.zeros(3, int), _ONE), (_WEIGHT * 1.5, 8, _BIAS, _ONE)), ""),
    ("convolution", _conv, (((0, 1), (1, 1)), ((1 << 70, 1), (1, 1)), ((1, 1), (-1, 0)), ((1, 1), (99, 0)), (3, (1, 1)), ((1.5, 1), (0, 0))), ""),
    ("table", lambda p, v: Table(np.array(v), _BYTE), ([], [1, 2, 3], [300] * 4, [0.5] * 4), "table"),
    ("graph", lambda p, n: Graph("x", TensorType((4,), _BYTE)).add("x", Table(np.arange(256), _BYTE), n), ("x",), "exists"),
    ("graph", lambda p, n: Graph("x", TensorType((4,), _BYTE)).add("t", Table(np.arange(256), _BYTE), n), ("y",), "unknown tensor"),
    ("model, metadata", lambda p, v: _with_metadata(p, v).save("m.hyq"), (np.arange(3), object()), "JSON"),
)  # fmt: skip


def _with_metadata(place: Place, value: object) -> QuantizedModel:
    loaded = load("net.hyq")
    loaded.graph.metadata["value"] = value
    return loaded


def situations() -> list[Situation]:
    """Return all of them; none may be accepted."""
    return [
        Situation(f"{name}: {_short(value)}", partial(_act, call, value), text or " ")
        for name, call, values, text in ROWS
        for value in values
    ]


def _act(call: Call, value: Any, place: Place) -> None:
    torch.manual_seed(0)
    call(place, value)


def _short(value: object) -> str:
    return " ".join(repr(value).encode("ascii", "backslashreplace").decode().split())[:60]
