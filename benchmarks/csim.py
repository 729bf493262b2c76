"""C simulation speed: our integer convolutions beside hls4ml's stock Conv2D, in one run.

    python -m benchmarks.csim            writes build/benchmarks/csim.json

Five 3x3 convolutions on a 32 x 32 x 3 image, 8-bit weights and activations, power-of-two scales.
Stock layers get the same weights and rounding, so both must give the same codes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.model.graph import ModelGraph
from hls4ml.utils.config import create_config

from benchmarks._timing import shortest
from hyq_hls import QuantizedModel, convert
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d

#: Output channels and stride of each convolution.
LAYERS = ((8, 1), (16, 2), (16, 1), (32, 2), (32, 1))
WEIGHT_FRACTION, CODE_FRACTION = 7, 4
CODES = Quantization(8, True, (2.0**-CODE_FRACTION,))


def network(seed: int = 0) -> Graph:
    """Build the convolutions as an integer graph, with random weights."""
    rng = np.random.default_rng(seed)
    graph = Graph("image", TensorType((32, 32, 3), CODES))
    name, channels = "image", 3
    for i, (out, stride) in enumerate(LAYERS):
        weight = rng.integers(-40, 41, (out, 3, 3, channels))
        bias = rng.integers(-500, 501, out)
        requantize = Requantize(CODES, np.array([WEIGHT_FRACTION]), np.array([1]))
        operation = Conv2d(weight, 8, bias, (stride, stride), (1, 1), (0,), requantize)
        graph.add(f"conv{i}", operation, name)
        name, channels = f"conv{i}", out
    return graph


def stock_model(graph: Graph, folder: Path) -> Any:
    """Build the same network of hls4ml's own Conv2D layers (io_stream, backend Vitis)."""
    code = "ap_fixed<8,4,AP_RND,AP_SAT>"
    layers: list[dict[str, Any]] = [
        {"class_name": "Input", "name": "image", "input_shape": [32, 32, 3]}
    ]
    names: dict[str, Any] = {"image": {"Precision": {"result": code}}}
    for node in graph.nodes.values():
        operation = node.operation
        assert isinstance(operation, Conv2d)
        height, width, channels = graph.type(node.inputs[0]).shape
        out_height, out_width, out = node.type.shape
        layers.append(
            {
                "class_name": "Conv2D",
                "name": node.name,
                "data_format": "channels_last",
                "in_height": height,
                "in_width": width,
                "n_chan": channels,
                "out_height": out_height,
                "out_width": out_width,
                "n_filt": out,
                "filt_height": 3,
                "filt_width": 3,
                "stride_height": operation.stride[0],
                "stride_width": operation.stride[1],
                "pad_top": 1,
                "pad_bottom": 1,
                "pad_left": 1,
                "pad_right": 1,
                "padding": "same",
                "weight_data": operation.weight.transpose(1, 2, 3, 0) / 2.0**WEIGHT_FRACTION,
                "bias_data": operation.bias / 2.0 ** (WEIGHT_FRACTION + CODE_FRACTION),
                "use_bias": True,
            }
        )
        names[node.name] = {
            "Precision": {
                "weight": "ap_fixed<8,1>",
                "bias": "ap_fixed<32,21>",
                "accum": "ap_fixed<32,21>",
                "result": code,
            }
        }
    config = create_config(
        output_dir=str(folder), project_name="stock", backend="Vitis", io_type="io_stream"
    )
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_fixed<32,21>", "ReuseFactor": 1},
        "LayerName": names,
    }
    return ModelGraph.from_layer_list(config, layers)


def main() -> None:
    """Measure both and write the records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    graph = network()
    macs = graph.macs()
    codes = np.random.default_rng(1).integers(-128, 128, (options.images, 32, 32, 3))
    work = options.output / "csim"

    start = time.perf_counter()
    ours = convert(QuantizedModel(graph), output_dir=work / "ours", overwrite=True).compile()
    ours_build = time.perf_counter() - start
    threads = os.cpu_count()
    one_by_one = shortest(lambda: [ours.csim.predict(c[None]) for c in codes], options.repeats)
    parallel = shortest(lambda: ours.csim.predict(codes), options.repeats)

    start = time.perf_counter()
    stock = stock_model(graph, work / "stock")
    stock.compile()
    stock_build = time.perf_counter() - start
    real = (codes / 2.0**CODE_FRACTION).astype(np.float32)
    stock_time = shortest(lambda: stock.predict(real), options.repeats)
    found = np.rint(stock.predict(real) * 2.0**CODE_FRACTION).astype(np.int64)
    if not np.array_equal(
        found.reshape(options.images, -1), ours.csim.predict(codes).reshape(options.images, -1)
    ):
        raise SystemExit("stock layers and ours give different codes: the comparison is not fair")

    work_done = macs * options.images
    records = [
        {
            "tool": tool,
            "macs": macs,
            "images": options.images,
            "threads": count,
            "ns_per_mac": round(1e9 * seconds / work_done, 3),
            "build_seconds": round(build, 1),
        }
        for tool, count, seconds, build in (
            ("hyq_hls", 1, one_by_one, ours_build),
            ("hyq_hls", threads, parallel, ours_build),
            ("hls4ml stock", 1, stock_time, stock_build),
        )
    ]
    for r in records:
        print(
            f"{r['tool']:<14} {r['threads']} thread(s)  {r['ns_per_mac']:7.3f} ns/MAC  "
            f"build {r['build_seconds']} s"
        )
    print(
        f"same codes on {options.images} images; "
        f"stock / ours (1 thread) = {stock_time / one_by_one:.1f}"
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "csim.json").write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
