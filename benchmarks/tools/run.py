"""Accuracy of other tools' post-training quantization on the benchmark's networks.

    python -m venv .venv-tools
    .venv-tools/bin/pip install -r benchmarks/tools/requirements.txt
    .venv-tools/bin/python -m benchmarks.tools.run       writes build/benchmarks/tools.json

``make bench`` does not run it: the tools are no dependencies of hyq_hls and need an environment of
their own. Records have the meaning of those of benchmarks/accuracy.py. Each is saved when it is
made, and those that are there already are not made again: the same command goes on where it was
stopped.

Presets: ``torchao-minmax`` and ``torchao-histogram`` put every tensor on a grid;
``brevitas-layerwise`` only inputs and weights of convolutions and linear layers, much less than the
others. ``brevitas-graph``, made only when asked for, records why brevitas' graph modes fail, or
null where they work. All of them compute in float between the grids.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from benchmarks import networks
from hyq_hls.errors import HyqError, InputError
from hyq_hls.evaluate import KEYS, Records, logit_metrics
from hyq_hls.quant.calibrate import batches

CALIBRATION_IMAGES = 256
#: Bits of weights and activations.
SETTINGS = {"W8A8": (8, 8), "W6A6": (6, 6), "W4A8": (4, 8)}
GRAPH = "brevitas-graph"
#: Preset to module and further arguments of its ``quantized``.
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "torchao-minmax": ("torchao_pt2e", {"observer": "minmax"}),
    "torchao-histogram": ("torchao_pt2e", {"observer": "histogram"}),
    "brevitas-layerwise": ("brevitas_layerwise", {}),
    GRAPH: ("brevitas_layerwise", {}),
}
_GRAPH_MODES = ("fx", "flexml")


def tool(name: str) -> Any:
    """Import the module beside this one that uses a tool.

    Raises:
        InputError: the tool, or something that it needs, is not installed.
    """
    try:
        return importlib.import_module(f"benchmarks.tools.{name}")
    except ModuleNotFoundError as error:
        raise InputError(
            f"benchmarks/tools/{name}.py needs the package {error.name}, which {sys.executable} "
            "does not have; to do, in the repository's root:\n"
            "    python -m venv .venv-tools\n"
            "    .venv-tools/bin/pip install -r benchmarks/tools/requirements.txt\n"
            "    .venv-tools/bin/python -m benchmarks.tools.run"
        ) from error


def logits(
    function: Callable[[torch.Tensor], torch.Tensor], images: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the logits (B, classes) of image bytes (B, H, W, 3)."""
    with torch.no_grad():
        return torch.cat([function(batch) for batch in batches(images)]).double().numpy()


def quantized(
    key: dict[str, Any], model: nn.Module, calibration: NDArray[np.uint8]
) -> tuple[Callable[[torch.Tensor], torch.Tensor] | None, dict[str, Any]]:
    """Quantize a network as a preset says; return it and what the record says of that."""
    module, further = PRESETS[key["preset"]]
    start = time.perf_counter()
    if key["preset"] == GRAPH:
        reason = tool(module).graph_mode_error
        errors = {mode: reason(model, calibration, mode) for mode in _GRAPH_MODES}
        return None, {"errors": errors, "seconds": round(time.perf_counter() - start, 2)}
    function = tool(module).quantized(model, calibration, *SETTINGS[key["setting"]], **further)
    return function, {"seconds": round(time.perf_counter() - start, 2)}


def measure(options: argparse.Namespace, records: Records) -> None:
    """Make the records that are missing.

    Raises:
        InputError: a tool is not installed, or the networks do not know an option.
        FileFormatError: a network is not trained yet.
    """
    for preset in options.presets:
        tool(PRESETS[preset][0])
    for name in options.networks:
        for variant in options.variants:
            networks.load(name, variant)  # what is missing is said before hours of work
    work = [
        {
            "model": name,
            "variant": variant,
            "preset": preset,
            "setting": setting,
            "seed": seed,
            "images": options.images,
        }
        for name in options.networks
        for variant in options.variants
        for seed in options.seeds
        for setting in options.settings
        for preset in options.presets
    ]
    work = [key for key in work if not records.has(key)]
    current = None
    for key in tqdm(work, unit="network"):
        if current != (key["model"], key["variant"], key["seed"]):
            current = (key["model"], key["variant"], key["seed"])
            model = networks.load(*current)
            images, labels = networks.test_images(key["model"], options.images)
            calibration = networks.calibration_images(key["model"], CALIBRATION_IMAGES, key["seed"])
            wanted = logits(model, images)
        function, further = quantized(key, model, calibration)
        found = {} if function is None else logit_metrics(logits(function, images), wanted, labels)
        records.add({**key, **found, **further})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 on success."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(networks.NETWORKS)
    variants = ["plain", "outliers 64", "natural"]
    several: dict[str, Any] = {"nargs": "+"}
    presets = [preset for preset in PRESETS if preset != GRAPH]
    parser.add_argument("--networks", **several, choices=names, default=names)
    parser.add_argument("--variants", **several, choices=networks.VARIANTS, default=variants)
    parser.add_argument("--settings", **several, choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--presets", **several, choices=PRESETS, default=presets)
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], help="calibration sets and outlier channels"
    )
    parser.add_argument("--images", type=int, default=networks.TEST_IMAGES, help="test images")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks/tools.json"))
    options = parser.parse_args(arguments)
    if options.threads < 1:
        parser.error(f"--threads must be at least 1, found {options.threads}")
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        records = Records(options.output, (*KEYS, "images"))
        with warnings.catch_warnings():
            # The tools use older torch; brevitas counts no zero point of sums, which none asks for.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", category=UserWarning, module="brevitas")
            measure(options, records)
    except HyqError as error:
        parser.error(str(error))
    finally:
        torch.set_num_threads(threads)
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
