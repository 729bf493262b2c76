"""Speed of the integer emulation beside the float model and the numpy reference, in one run.

python -m benchmarks.emulate         writes build/benchmarks/emulate.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from benchmarks._timing import shortest
from hyq_hls import quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.quant.calibrate import batches


def main() -> None:
    """Measure and write the records."""
    parser = argparse.ArgumentParser(description="integer emulation against float and reference")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    model = mobilevit_digits(pretrained=True)
    qmodel = quantize(model, digits.calibration(256), presets.lean())
    images = digits.distorted().images[: options.images]
    codes = images.astype(np.int64)

    def run_float() -> None:
        with torch.inference_mode():
            for batch in batches(images, 64):
                model(batch)

    few = codes[:32]
    reference = dict(qmodel.graph.reference(few))[qmodel.graph.output_name]
    if not np.array_equal(reference, qmodel.codes(images[:32])):
        raise SystemExit("emulation and reference differ: their speeds mean nothing")
    seconds = {
        "float model": shortest(run_float, options.repeats) / len(images),
        "emulation": shortest(lambda: qmodel.codes(images), options.repeats) / len(images),
        "reference": shortest(lambda: dict(qmodel.graph.reference(few)), 1) / len(few),
    }
    records = [
        {
            "level": level,
            "ms_per_image": round(1000 * value, 4),
            "speed_relative_to_float": round(seconds["float model"] / value, 3),
            "threads": torch.get_num_threads(),
        }
        for level, value in seconds.items()
    ]
    for r in records:
        print(
            f"{r['level']:<12} {r['ms_per_image']:9.3f} ms/image   "
            f"{r['speed_relative_to_float']:6.2f} x float"
        )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "emulate.json").write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
