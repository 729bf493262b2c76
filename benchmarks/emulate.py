"""Speed of the integer emulation beside the float model and the numpy reference, in one run.

    python -m benchmarks.emulate                              writes build/benchmarks/emulate.json
    python -m benchmarks.emulate --models mobilevit_xxs       one network, at its published size

Seconds are those of one thread of a CPU, taken in turns, so that a busy machine changes no ratio.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks._families_networks import images as smooth_images
from benchmarks._families_networks import woken
from benchmarks._timing import alternated
from hyq_hls import quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.models.public import architecture
from hyq_hls.quant import QuantConfig, presets
from hyq_hls.quant.calibrate import batches
from hyq_hls.quantized_model import QuantizedModel

DIGITS = "mobilevit_digits"
#: Networks by side of their images.
SIZES = {
    "mobilevit_xxs": 256,
    "mobilevit_xs": 256,
    "mobilevit_s": 256,
    "mobilevitv2_050": 256,
    "efficientformer_l1": 224,
    "efficientformerv2_s0": 224,
    "mobile_former_26m": 224,
}
#: Images of the networks at published size, and those that the reference computes.
_IMAGES, _REFERENCE = 4, 1

Images = NDArray[np.uint8]


def main() -> None:
    """Measure and write the records."""
    parser = argparse.ArgumentParser(description="integer emulation against float and reference")
    parser.add_argument("--models", nargs="+", choices=(DIGITS, *SIZES), default=(DIGITS, *SIZES))
    parser.add_argument("--images", type=int, default=1024, help=f"images for {DIGITS}")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    records = []
    for name in options.models:
        records += measured(name, options.images, options.repeats)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "emulate.json").write_text(json.dumps(records, indent=1) + "\n")


def measured(name: str, count: int, repeats: int) -> list[dict[str, Any]]:
    """Return and print the records of a network."""
    model, calibration, images, config = _network(name, count)
    qmodel = quantize(model, calibration, config, progress=False)
    few = images[:32] if name == DIGITS else images[:_REFERENCE]

    def run_float() -> None:
        with torch.inference_mode():
            for batch in batches(images, 64):
                model(batch)

    seconds = alternated(
        {"float model": run_float, "emulation": lambda: qmodel.codes(images)}, repeats
    )
    per_image = {level: value / len(images) for level, value in seconds.items()}
    per_image["reference"] = _reference_seconds(qmodel, few) / len(few)
    records = [
        {
            "model": name,
            "size": images.shape[1],
            "level": level,
            "ms_per_image": round(1000 * value, 4),
            "speed_relative_to_float": round(per_image["float model"] / value, 3),
        }
        for level, value in per_image.items()
    ]
    for r in records:
        print(
            f"{name:<20} {r['level']:<12} {r['ms_per_image']:10.3f} ms/image   "
            f"{r['speed_relative_to_float']:6.3f} x float"
        )
    return records


def _network(name: str, count: int) -> tuple[nn.Module, Images, Images, QuantConfig]:
    """Return a model, calibration images, images to measure with, and the recipe."""
    if name == DIGITS:
        images = digits.distorted().images[:count]
        return mobilevit_digits(pretrained=True), digits.calibration(256), images, presets.lean()
    torch.manual_seed(0)
    side = SIZES[name]
    model = woken(architecture(name, (side, side))).eval()
    return model, smooth_images(8, side, 0), smooth_images(_IMAGES, side, 100), presets.fast()


def _reference_seconds(qmodel: QuantizedModel, images: Images) -> float:
    """Return the CPU seconds of the reference; end the program where the emulation differs."""
    found: dict[str, NDArray[np.int64]] = {}
    output = qmodel.graph.output_name

    def run() -> None:
        for name, codes in qmodel.graph.reference(images.astype(np.int64)):
            if name == output:
                found[name] = codes

    seconds = alternated({"reference": run}, 1)["reference"]
    if not np.array_equal(found[output], qmodel.stream_codes(images)):
        raise SystemExit("emulation and reference differ: their speeds mean nothing")
    return seconds


if __name__ == "__main__":
    main()
