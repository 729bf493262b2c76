"""Measure top-1 of a .hyq file, or of published and own recipes on a folder such as ImageNet.

A .hyq file takes labelled images from a numpy file. Without one, the float network is measured
first, then every preset at every setting, in integers. Results of that are saved after every
batch: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json
from hyq_hls.errors import InputError

EXAMPLES = (
    "hyq-hls evaluate net.hyq --images mine.npz",
    "hyq-hls evaluate net.hyq --images digits-distorted --count 500 --json",
    "hyq-hls evaluate --model mobilevit_xxs --data imagenet --presets minmax,best --count 1000",
)
#: Options of both ways; the others belong to the measurement of recipes.
_COMMON = {"network", "images", "count", "seed", "json", "quiet", "command"}
_PUBLIC = ("mobilevit_xxs", "mobilevit_xs", "mobilevit_s")
_MODEL_HELP = (
    f"{', '.join(_PUBLIC)} (with timm's public weights); mobile_former_26m to mobile_former_508m "
    f"(with --weights); or {sources.MODEL_HELP}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "network", nargs="?", type=sources.path, help=".hyq file; without it, --data is wanted"
    )
    parser.add_argument("--images", help=f"labelled images of a .hyq file: {sources.LABELLED_HELP}")
    parser.add_argument("--model", default=_PUBLIC[0], help=_MODEL_HELP)
    parser.add_argument(
        "--weights",
        type=sources.path,
        help=".safetensors, .npz or .pth file (default: timm fetches those of mobilevit_*)",
    )
    parser.add_argument(
        "--data",
        type=sources.path,
        help="without a .hyq file: folder with val/<class>/<image>, or with <class>/<image>",
    )
    calibration = parser.add_mutually_exclusive_group()
    calibration.add_argument(
        "--calibration-data",
        type=sources.path,
        help="folder with images in any folder below it (default: train/ in --data)",
    )
    calibration.add_argument(
        "--calibrate-on-val",
        action="store_true",
        help="take the calibration images out of the evaluated ones, which then are fewer",
    )
    parser.add_argument("--calibration", type=int, default=100, help="calibration images")
    parser.add_argument(
        "--presets", default="minmax,percentile,omse,fq_vit,hyq,best", help="names with commas"
    )
    parser.add_argument(
        "--settings", default="W8A8", help="bits of weights and activations, as W8A8,W6A6"
    )
    parser.add_argument("--count", type=int, help="evaluate so many images, drawn by --seed [all]")
    parser.add_argument("--size", type=int, default=256, help="side of the centre crop in pixels")
    parser.add_argument(
        "--resize", type=int, help="shorter side before the crop (default: size / 0.9, as 284)"
    )
    parser.add_argument("--batch", type=int, default=32, help="images between two savings")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of images")
    parser.add_argument(
        "--output", type=sources.path, default=Path("build/evaluate"), help="folder"
    )
    parser.add_argument(
        "--restart", action="store_true", help="measure again what was saved before"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Measure what is missing, print and write the table; returns 1 when a recipe failed."""
    for name in ("calibration", "batch", "count"):
        if (value := getattr(options, name)) is not None and value < 1:
            raise InputError(f"--{name} {value}: at least one image is wanted")
    if options.seed < 0:
        raise InputError(f"--seed {options.seed}: 0 or more is wanted")
    output = Output(options)
    if options.network is not None:
        return _evaluate_file(options, output)
    if options.data is None:
        raise InputError("a .hyq file with --images, or --data, is required")
    if options.images is not None:
        raise InputError(
            f"--images {options.images} belongs to a .hyq file; name the file, or leave it out: "
            "--data has the images, and --count says how many"
        )
    sources.check_folder(options.output, "--output")
    from hyq_hls.cli.evaluation_inputs import measurement  # noqa: PLC0415  (torch is slow)
    from hyq_hls.evaluate import recipes  # noqa: PLC0415

    chosen = recipes(options.model, _names(options.presets, "presets"), _settings(options.settings))
    work = measurement(options)
    output.say(work)
    try:
        work.measure_float()
        for recipe in chosen:
            output.say(f"{recipe.name}: measuring ...")
            output.say(work.measure(recipe))
    except KeyboardInterrupt:
        print(
            f"hyq-hls: results so far are in {work.folder}; the same command, without "
            "--restart, goes on from there",
            file=sys.stderr,
        )
        raise
    output.result(f"\n{work.table()}")
    output.say(f"wrote {work.folder}/evaluate.json and evaluate.md")
    output.finish(work.to_json())
    return 1 if work.failed else 0


def _evaluate_file(options: argparse.Namespace, output: Output) -> int:
    """Print top-1 of a .hyq file."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = [
        f"--{name.replace('_', '-')}"
        for name, default in vars(parser.parse_args([])).items()
        if name not in _COMMON and getattr(options, name) != default
    ]
    if given:
        raise InputError(
            f"{', '.join(given)}: {options.network} is quantized already; leave them out, or "
            "leave out the file"
        )
    if options.images is None:
        raise InputError(f"--images is required: {sources.LABELLED_HELP}")
    from hyq_hls import load  # noqa: PLC0415

    qmodel = load(options.network)
    images, labels = sources.images(options.images)
    if labels is None:
        raise InputError(f"{options.images} has no labels; give {sources.LABELLED_HELP}")
    sources.check_images(qmodel, images)
    if len(labels) == len(images):
        chosen = sources.take(np.arange(len(images)), options.count or len(images), options.seed)
        images, labels = images[chosen], labels[chosen]
    top1 = qmodel.evaluate(images, labels, output.progress)
    right = round(top1 * len(images) / 100)
    output.result(f"top-1 {top1:.3f} %: {right:,} of {len(images):,} images, integers only")
    output.finish(
        {
            "network": options.network,
            "data": options.images,
            "images": len(images),
            "right": right,
            "top1": top1,
        }
    )
    return 0


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise InputError(f"--{option} {text!r}: different names with commas between are wanted")
    return names


def _settings(text: str) -> list[tuple[int, int]]:
    settings = []
    for name in _names(text, "settings"):
        match = re.fullmatch(r"[Ww](\d+)[Aa](\d+)", name)
        if match is None:
            raise InputError(f"--settings {name!r}: W<bits>A<bits> is wanted, as W8A8 or W4A8")
        settings.append((int(match[1]), int(match[2])))
    return settings
