"""Accuracy of the integers on plain networks and on the same functions with outlier channels.

    python benchmarks/accuracy.py          writes build/benchmarks/accuracy.json

A variant `outliers 64` computes the same function to the bit (hyq_hls.models.outliers), but some of
its channels are 64 times as large inside. Presets: `minmax`, one real-valued scale per tensor from
its range, as plain post-training quantization has it; `tensor`, our default, powers of two by least
squared error; `absorbed`, the same per channel where the writer's requantization takes it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls import QuantConfig, quantize
from hyq_hls.models import MobileViT, digits, mobilevit_digits
from hyq_hls.models.outliers import with_outliers
from hyq_hls.quant.calibrate import batches
from hyq_hls.table import aligned

PRESETS: dict[str, dict[str, Any]] = {
    "minmax": {
        "observer": "minmax",
        "scale": "dyadic",
        "softmax": "uniform",
        "softmax_bits": 8,
        "layer_norm_factors": 0,
    },
    "tensor": {},
    "absorbed": {"activation_granularity": "absorbed"},
}
SETTINGS = {"W8A8": 8, "W6A6": 6}
FACTORS = (1, 16, 64)
CALIBRATION_IMAGES = 256


def variant_of(model: MobileViT, factor: int, seed: int) -> tuple[str, MobileViT]:
    """The network with outliers of a factor, and what it is called."""
    if factor == 1:
        return "plain", model
    return f"outliers {factor}", with_outliers(model, factor, seed=seed)


def float_logits(model: MobileViT, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logits (B, classes) of the float network."""
    with torch.inference_mode():
        return torch.cat([model(batch) for batch in batches(images)]).double().numpy()


def main() -> None:
    """Measure, print, write the records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=3600, help="distorted test digits")
    parser.add_argument(
        "--seeds", type=int, default=3, help="calibration sets and outlier channels"
    )
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    model = mobilevit_digits(pretrained=True)
    images, labels = digits.distorted()
    images, labels = images[: options.images], labels[: options.images]
    training = digits.train().images
    wanted = float_logits(model, images)
    top1 = 100 * float((wanted.argmax(axis=1) == labels).mean())

    work = [
        (factor, seed, setting, preset)
        for factor in FACTORS
        for seed in range(options.seeds)
        for setting in SETTINGS
        for preset in PRESETS
    ]
    records = []
    for factor, seed, setting, preset in tqdm(work, unit="network"):
        variant, network = variant_of(model, factor, seed)
        bits = SETTINGS[setting]
        config = QuantConfig(weight_bits=bits, activation_bits=bits, **PRESETS[preset])
        order = np.random.default_rng(seed).permutation(len(training))
        calibration = training[order[:CALIBRATION_IMAGES]]
        start = time.perf_counter()
        qmodel = quantize(network, calibration, config, progress=False)
        seconds = time.perf_counter() - start
        found = qmodel(images)
        answers = found.argmax(axis=1)
        mine = 100 * float((answers == labels).mean())
        noise = float(((found - wanted) ** 2).sum())
        records.append(
            {
                "model": "mobilevit_digits",
                "variant": variant,
                "preset": preset,
                "setting": setting,
                "seed": seed,
                "top1": round(mine, 3),
                "drop": round(top1 - mine, 3),
                "sqnr_db": round(10 * float(np.log10((wanted**2).sum() / noise)), 2),
                "agreement": round(100 * float((answers == wanted.argmax(axis=1)).mean()), 3),
                "seconds": round(seconds, 2),
            }
        )
    print(f"float top-1 {top1:.2f} % of {len(images)} images; mean and worst of the seeds:")
    print("\n".join(summary(records)))
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "accuracy.json"
    path.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    print(path)


def summary(records: list[dict[str, Any]]) -> list[str]:
    """A line per variant, setting and preset."""
    rows = [("variant", "setting", "preset", "top-1", "worst drop", "SQNR dB", "agreement")]
    names = dict.fromkeys((r["variant"], r["setting"], r["preset"]) for r in records)
    for name in names:
        some = [r for r in records if (r["variant"], r["setting"], r["preset"]) == name]

        def mean(key: str, some: list[dict[str, Any]] = some) -> str:
            return f"{np.mean([r[key] for r in some]):.2f}"

        worst = f"{max(r['drop'] for r in some):.2f}"
        rows.append((*name, mean("top1"), worst, mean("sqnr_db"), mean("agreement")))
    return aligned(rows)


if __name__ == "__main__":
    main()
