"""Accuracy of every preset in integers, on trained networks and on variants with outliers.

    python -m benchmarks.accuracy                    writes build/benchmarks/accuracy.json
    python -m benchmarks.accuracy --networks slim32 --presets minmax best --settings W6A6
    python -m benchmarks.accuracy --networks slim32 --presets best-dyadic best-per-tensor
    python -m benchmarks.figure_accuracy             table and plots of what is there

Networks and variants are those of benchmarks/networks.py. All presets of a row see the same
unlabelled calibration images; the answers, and the logits, are compared with those of the float
network on the same test images. Records are saved one by one: a run that was interrupted goes on.
benchmarks/tools/run.py measures the tools that people would use instead. Presets ``best-...`` are
``best`` with one part exchanged, see benchmarks/_ablations.py.

Settings: ``W6A6`` are 6-bit weights and 6-bit operands of multiplications; tensors that only SiLU
reads keep 8 bits, for every preset. ``avg7.9`` and ``avg6`` are averages of mixed precision.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import networks
from benchmarks._ablations import ABLATIONS
from hyq_hls import QuantConfig, quantize
from hyq_hls.errors import HyqError, InputError
from hyq_hls.evaluate import KEYS, Records, logit_metrics
from hyq_hls.quant.calibrate import batches
from hyq_hls.quant.presets import PRESETS, preset

SETTINGS: dict[str, tuple[int, int] | float] = {
    "W8A8": (8, 8),
    "W6A6": (6, 6),
    "W4A8": (4, 8),
    "avg7.9": 7.9,
    "avg6": 6.0,
}
VARIANTS = ("plain", "outliers 64", "natural")
CALIBRATION_IMAGES = 512  # of at most 1024
#: Presets that choose bits per layer.
_AVERAGED = ("mixed_precision", "best")


def configuration(name: str, setting: str) -> QuantConfig | None:
    """Configure a preset for a setting; None where it has no such setting."""
    bits = SETTINGS[setting]
    if name in ABLATIONS:
        return None if isinstance(bits, float) else ABLATIONS[name](*bits)
    if isinstance(bits, float):
        return PRESETS[name](average_bits=bits) if name in _AVERAGED else None
    return None if name == "mixed_precision" else preset(name, *bits)


def float_logits(model: torch.nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the logits (B, classes) of the float network."""
    with torch.inference_mode():
        return torch.cat([model(batch) for batch in batches(images)]).double().numpy()


def measure(options: argparse.Namespace, records: Records) -> None:
    """Measure what is not recorded yet."""
    work = [
        (network, variant, seed, setting, name)
        for network in options.networks
        for variant in options.variants
        if variant in networks.NETWORKS[network].variants
        for seed in range(options.seeds)
        for setting in options.settings
        for name in options.presets
        if configuration(name, setting) is not None
    ]
    shared: dict[tuple[str, str, int], Any] = {}  # of the row that is worked on
    for network, variant, seed, setting, name in tqdm(work, unit="preset"):
        key = dict(zip(KEYS, (network, variant, name, setting, seed), strict=True))
        if records.has(key):
            continue
        row = (network, variant, seed)
        if row not in shared:
            model = networks.load(network, variant, seed)
            test = networks.test_images(network)
            images, labels = test.images[: options.images], test.labels[: options.images]
            calibration = networks.calibration_images(network, options.calibration, seed)
            shared = {row: (model, images, labels, calibration, float_logits(model, images))}
        model, images, labels, calibration, wanted = shared[row]
        config = configuration(name, setting)
        start = time.perf_counter()
        try:
            qmodel = quantize(model, calibration, config, progress=False)
        except HyqError as error:
            # A preset that fails somewhere is a result, too.
            records.add({**key, "error": f"{type(error).__name__}: {error}"})
            continue
        seconds = round(time.perf_counter() - start, 2)
        measured = logit_metrics(qmodel(images), wanted, labels)
        counts = {"images": len(images), "calibration_images": len(calibration)}
        records.add({**key, **measured, "seconds": seconds, **counts})


def main() -> None:
    """Measure, and say where the records are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--networks", nargs="+", default=list(networks.NETWORKS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), help="also 'outliers 16'")
    parser.add_argument(
        "--presets",
        nargs="+",
        default=list(PRESETS),
        help=f"all that are public; also {', '.join(ABLATIONS)}",
    )
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument(
        "--seeds", type=int, default=1, help="calibration sets and outlier channels"
    )
    parser.add_argument("--images", type=int, default=networks.TEST_IMAGES, help="of the test set")
    parser.add_argument("--calibration", type=int, default=CALIBRATION_IMAGES, help="images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks/accuracy.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        known = (*PRESETS, *ABLATIONS)
        unknown = sorted(set(options.presets) - set(known))
        if unknown:
            raise InputError(f"unknown presets {unknown}; there are {', '.join(known)}")
        options.output.parent.mkdir(parents=True, exist_ok=True)
        measure(options, Records(options.output))
    except HyqError as error:
        parser.error(str(error))
    print(f"{options.output}; next: python -m benchmarks.figure_accuracy")


if __name__ == "__main__":
    main()
