"""Measure top-1 of published and own recipes on a folder of images, such as ImageNet.

Float first, then every preset at every setting, in integers. Results are saved after every batch:
the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from hyq_hls.cli import sources
from hyq_hls.errors import InputError

_PUBLIC = ("mobilevit_xxs", "mobilevit_xs", "mobilevit_s")
_MODEL_HELP = (
    f"{', '.join(_PUBLIC)} (with timm's public weights); mobile_former_26m to mobile_former_508m "
    f"(with --weights); or {sources.MODEL_HELP}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", default=_PUBLIC[0], help=_MODEL_HELP)
    parser.add_argument(
        "--weights",
        type=sources.path,
        help=".safetensors, .npz or .pth file (default: timm fetches those of mobilevit_*)",
    )
    parser.add_argument(
        "--data",
        type=sources.path,
        required=True,
        help="folder with val/<class>/<image>, or with <class>/<image>",
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
    parser.add_argument(
        "--images", type=int, help="evaluate so many, drawn by --seed (default: all)"
    )
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


def run(options: argparse.Namespace) -> int:
    """Measure what is missing, print and write the table; returns 1 when a recipe failed."""
    for name in ("calibration", "batch", "images"):
        if (value := getattr(options, name)) is not None and value < 1:
            raise InputError(f"--{name} {value}: at least one image is wanted")
    if options.seed < 0:
        raise InputError(f"--seed {options.seed}: 0 or more is wanted")
    from hyq_hls.cli.evaluation_inputs import measurement  # noqa: PLC0415  (torch is slow)
    from hyq_hls.evaluate import recipes  # noqa: PLC0415

    chosen = recipes(options.model, _names(options.presets, "presets"), _settings(options.settings))
    work = measurement(options)
    print(work, flush=True)
    try:
        work.measure_float()
        for recipe in chosen:
            print(f"{recipe.name}: measuring ...", flush=True)
            print(work.measure(recipe), flush=True)
    except KeyboardInterrupt:
        print(
            f"hyq-hls: results so far are in {work.folder}; the same command, without "
            "--restart, goes on from there",
            file=sys.stderr,
        )
        raise
    print(f"\n{work.table()}")
    print(f"wrote {work.folder}/evaluate.json and evaluate.md")
    return 1 if work.failed else 0


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
