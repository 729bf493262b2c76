"""The README's figure: accuracy of every level, and signal-to-noise of every node.

python -m benchmarks.figure_road         writes docs/images/road.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyq_hls import convert, quantize
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.quant.calibrate import batches
from hyq_hls.verify import VerifyReport, verify

FLOAT, QUANTIZED, INTEGER, CPP = "#5b6470", "#d98a00", "#0067a8", "#00835d"
STYLE: Any = {  # matplotlib names every key in a type
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
}
VERIFIED_IMAGES = 64


def draw_accuracy(axis: Axes, top1: dict[str, tuple[float, float]], equal: int, total: int) -> None:
    """Draw top-1 of float, integers and C++, clean and distorted, and what equals what."""
    for row, (values, colour) in enumerate(zip(top1.values(), (FLOAT, INTEGER, CPP), strict=True)):
        clean, distorted = values
        axis.plot([distorted, clean], [row, row], color=colour, lw=1.5, zorder=2)
        axis.plot(clean, row, "o", color=colour, ms=8, mfc="white", mew=1.8)
        axis.plot(distorted, row, "o", color=colour, ms=8)
        axis.text(clean, row - 0.2, f"{clean:.2f}", ha="center", va="bottom", color=colour)
        axis.text(distorted, row - 0.2, f"{distorted:.2f}", ha="center", va="bottom", color=colour)
        if row == 0:
            for value, word in ((clean, "clean"), (distorted, "distorted")):
                axis.text(value, -0.5, word, ha="center", va="bottom", color="black")
    middle = (sum(top1["integer"]) + sum(top1["C++"])) / 4
    equality = f"= every code, {equal:,} of {total:,} images"
    axis.text(middle, 1.45, equality, ha="center", va="center", fontsize=8.5)
    axis.set(
        yticks=range(len(top1)),
        yticklabels=list(top1),
        ylim=(2.4, -0.95),
        xlim=(98.75, 100.25),
        xticks=[99, 99.5, 100],
        xlabel="top-1 on held-out digits [%]",
    )
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")


def draw_nodes(axis: Axes, report: VerifyReport) -> None:
    """Draw the signal-to-noise ratio against float along the network."""
    names = [n.node for n in report.nodes]
    x = np.arange(len(names))
    quantized = np.array([n.quantized_db for n in report.nodes], dtype=np.float64)
    integer = np.array([n.integer_db for n in report.nodes], dtype=np.float64)
    axis.plot(x, quantized, color=QUANTIZED, lw=1.3, label="quantized float")
    axis.plot(x, integer, color=INTEGER, lw=1.3, label="integer = C++")
    for i in (i for i, name in enumerate(names) if name.endswith("softmax")):
        axis.plot(i, integer[i], "o", color=INTEGER, ms=4.5, mfc="white")
        axis.text(i, integer[i] - 1.2, "softmax", ha="center", va="top", fontsize=8)
    for part in ("stages.0", "stages.1", "stages.2", "final"):
        start = next(i for i, name in enumerate(names) if name.startswith(part))
        axis.axvline(start - 0.5, color="#b9c4cf", lw=0.8, zorder=1)
        axis.text(start, 40, part.replace("final", "head"), fontsize=8, color=FLOAT, va="top")
    axis.set(
        xlim=(-1, len(names) + 1),
        ylim=(5, 41),
        xlabel="node, from image to logits",
        ylabel="SQNR against float [dB]",
    )
    axis.legend(loc=(0.17, 0.7), handlelength=1.4)
    axis.grid(axis="y")


def main() -> None:
    """Run the road on every held-out image and draw it."""
    parser = argparse.ArgumentParser(description="the figure of the README")
    parser.add_argument("--output", type=Path, default=Path("docs/images/road.png"))
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/road"))
    options = parser.parse_args()
    model = mobilevit_digits(pretrained=True)
    qmodel = quantize(model, digits.calibration(256), presets.lean())
    accelerator = convert(qmodel, output_dir=options.work, overwrite=True).compile()

    clean, distorted = digits.test(), digits.distorted()
    images = np.concatenate([clean.images, distorted.images])
    right_answers = np.concatenate([clean.labels, distorted.labels])
    with torch.inference_mode():
        real = np.concatenate([model(batch).numpy() for batch in batches(images, 64)])
    codes, found = qmodel.codes(images, progress=True), accelerator.codes(images, progress=True)
    split = len(clean.images)
    top1 = {}
    for level, answers in (("float", real), ("integer", codes), ("C++", found)):
        right = 100 * (answers.argmax(axis=1) == right_answers)
        top1[level] = (float(right[:split].mean()), float(right[split:].mean()))
    equal = int((codes == found).all(axis=1).sum())
    report = verify(qmodel, clean.images[:VERIFIED_IMAGES], trace_images=VERIFIED_IMAGES)
    traced = verify(qmodel, clean.images[:2], accelerator, trace_images=2)
    if not (report.ok and traced.ok and equal == len(images)):
        raise SystemExit(f"levels disagree, so the figure would not be true:\n{traced}")

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.1))
        left, right_axis = figure.subplots(1, 2, width_ratios=(1, 1.7))
        draw_accuracy(left, top1, equal, len(images))
        draw_nodes(right_axis, report)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(options.output, dpi=200, facecolor="white")
    for level, (first, second) in top1.items():
        print(f"{level:<8} {first:6.2f} % clean {second:6.2f} % distorted")
    print(f"C++ equal on {equal} of {len(images)} images; wrote {options.output}")


if __name__ == "__main__":
    main()
