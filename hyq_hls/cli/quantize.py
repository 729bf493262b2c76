"""Quantize a trained PyTorch model to integers only and save one .hyq file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output
from hyq_hls.errors import InputError
from hyq_hls.quant.config import CHOICES, NodeBits, QuantConfig

EXAMPLES = (
    "hyq-hls quantize --model mobilevit_digits --images digits-train --output net.hyq",
    "hyq-hls quantize --model model.py:net --images photos/ --preset best --output net.hyq",
    "hyq-hls quantize --model model.py:net --images mine.npy --node-bits 'head.*=8/8'",
)
#: Options that are numbers, with what they take.
NUMBERS = {
    "weight_bits": "2 to 16",
    "activation_bits": "2 to 16",
    "preactivation_bits": "2 to 16, least width of what only SiLU reads",
    "output_bits": "2 to 16",
    "softmax_bits": "2 to 8",
    "layer_norm_factors": "largest power-of-two exponent per channel at LayerNorm inputs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    default = QuantConfig()  # Its fields are those of fast but for the methods.
    parser.add_argument("--model", default=sources.DEFAULT_MODEL, help=sources.MODEL_HELP)
    parser.add_argument(
        "--images", default="digits-train", help=f"a folder of image files; {sources.IMAGES_HELP}"
    )
    parser.add_argument("--calibration", type=int, default=256, help="number of images to use")
    parser.add_argument("--seed", type=int, default=0, help="seed by which they are drawn")
    parser.add_argument(
        "--mean", type=float, nargs="+", help="mean of the normalization outside of the model"
    )
    parser.add_argument(
        "--std", type=float, nargs="+", help="standard deviation of the same normalization"
    )
    parser.add_argument(
        "--input-max",
        type=float,
        choices=(1.0, 255.0),
        help="value of white for the model, before mean and std [found by running the model]",
    )
    parser.add_argument(
        "--output", type=sources.path, default=Path("net.hyq"), help="file to write"
    )
    parser.add_argument("--report", action="store_true", help="print what every node became")
    parser.add_argument(
        "--preset",
        default="fast",
        help="recipe to start from: fast, best, lean, hyq, outlier_pot, qhyvit, mixed_precision, "
        "fq_vit, minmax, ...; the options below change it, and values in brackets are those of "
        "fast",
    )
    for name, meaning in NUMBERS.items():
        parser.add_argument(
            _flag(name),
            type=int,
            default=argparse.SUPPRESS,
            help=f"{meaning} [{_shown(getattr(default, name))}]",
        )
    for name, choices in CHOICES.items():
        parser.add_argument(
            _flag(name),
            choices=choices,
            default=argparse.SUPPRESS,
            help=f"see the docs [{getattr(default, name)}]",
        )
    parser.add_argument(
        "--node-bits",
        action="append",
        default=[],
        metavar="PATTERN=W/A",
        help="bits of some nodes, for example 'head.*=4/8'; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Quantize, save, and print the graph."""
    output = Output(options)
    from hyq_hls import quantize  # noqa: PLC0415  (torch is slow to import)
    from hyq_hls.quant.presets import preset  # noqa: PLC0415

    if options.calibration < 1:
        raise InputError(f"--calibration {options.calibration}: at least one image is wanted")
    sources.check_output(options.output, "--output")
    names = [*NUMBERS, *CHOICES]
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    bits = {name: given[name] for name in ("weight_bits", "activation_bits") if name in given}
    start = preset(options.preset, **bits)
    config = replace(start, **given, overrides=dict(_node_bits(text) for text in options.node_bits))
    folder = Path(options.images).is_dir()
    images = options.images if folder else sources.images(options.images)[0]
    module = sources.model(options.model)
    qmodel = quantize(
        module,
        images,
        config,
        mean=options.mean,
        std=options.std,
        input_range=None if options.input_max is None else (0, options.input_max),
        count=options.calibration,
        seed=options.seed,
        progress=output.progress,
    )
    qmodel.graph.metadata["source"] = options.model
    qmodel.save(options.output)
    if options.report:
        output.result(qmodel.capture_report)
    output.result(qmodel)
    output.say(f"saved {options.output}; next: hyq-hls convert {options.output}")
    return 0


def _shown(value: int | None) -> str:
    return "chosen by the others" if value is None else str(value)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _node_bits(text: str) -> tuple[str, NodeBits]:
    pattern, _, bits = text.rpartition("=")
    weight, _, activation = bits.partition("/")
    if not (pattern and weight.isdecimal() and activation.isdecimal()):
        raise InputError(f"--node-bits {text!r}: PATTERN=W/A is wanted, as 'head.*=4/8'")
    return pattern, NodeBits(int(weight), int(activation))
