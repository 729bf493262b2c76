"""Show the whole road on the trained default network and real images, every code compared.

Quantizes the network, runs it in integers on held-out handwritten digits, converts it to HLS C++
and RTL, and compares every code. Writes ``summary.json`` with what it printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hyq_hls.cli import sources
from hyq_hls.cli.output import Output, add_json
from hyq_hls.errors import HyqError
from hyq_hls.support import counted, needs

if TYPE_CHECKING:
    import torch

EXAMPLES = (
    "hyq-hls demo",
    "hyq-hls demo --output demo --quiet",
    "hyq-hls demo --json > summary.json",
)
CALIBRATION_IMAGES = 256
RTL_IMAGES = 32
STALLED_IMAGES = 8


def top1_float(
    model: torch.nn.Module, images: np.ndarray, labels: np.ndarray, progress: bool = True
) -> float:
    """Return the top-1 accuracy of the float model in percent."""
    import torch  # noqa: PLC0415  (torch is slow to import)

    from hyq_hls.quant.calibrate import batches  # noqa: PLC0415

    right = 0
    with torch.inference_mode():
        parts = list(batches(images, 64))
        for i, batch in enumerate(counted(parts, progress, "float", len(parts))):
            truth = torch.from_numpy(labels[64 * i : 64 * i + len(batch)])
            right += int((model(batch).argmax(1) == truth).sum())
    return 100 * right / len(images)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--output", type=sources.path, default=Path("build/demo"), help="folder to write"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Do it all; returns 1 when a level disagrees."""
    from hyq_hls.tools.verilator.compiler import compiler  # noqa: PLC0415
    from hyq_hls.tools.verilator.tool import find_verilator  # noqa: PLC0415

    # What is missing is said at once, not after a minute.
    needs("torch", "PIL", "scipy", "hls4ml", "sklearn")
    compiler()
    find_verilator()
    sources.check_folder(options.output, "--output")
    return 0 if demonstrate(options.output, Output(options)) else 1


def demonstrate(folder: Path, output: Output) -> bool:
    """Do it all in ``folder``; True when every level agrees."""
    from hyq_hls import convert, quantize  # noqa: PLC0415
    from hyq_hls.models import digits, mobilevit_digits  # noqa: PLC0415
    from hyq_hls.verify import verify  # noqa: PLC0415

    say, progress = output.say, output.progress
    start = time.perf_counter()
    model = mobilevit_digits(pretrained=True)
    clean, distorted = digits.test(), digits.distorted()
    images = np.concatenate([clean.images, distorted.images])
    labels = np.concatenate([clean.labels, distorted.labels])

    say("1. quantize the trained MobileViT: 8-bit weights and activations, shifts only")
    qmodel = quantize(model, digits.calibration(CALIBRATION_IMAGES), progress=progress)
    folder.mkdir(parents=True, exist_ok=True)
    saved = qmodel.save(folder / "mobilevit_digits.hyq")

    say(f"2. {len(images)} held-out images in float and in integers")
    fp32 = [top1_float(model, d.images, d.labels, progress) for d in (clean, distorted)]
    codes = qmodel.codes(images, progress=progress)
    right = codes.argmax(axis=1) == labels
    split = len(clean.images)
    integer = [100 * right[:split].mean(), 100 * right[split:].mean()]

    say("3. convert to HLS C++ and RTL, compile the C simulation")
    accelerator = convert(qmodel, "xc7z020", output_dir=folder / "net", overwrite=True)
    accelerator.compile()

    say("4. the C++ on the same images, every code compared")
    found = accelerator.codes(images, progress=progress)
    equal = int((found == codes).all(axis=1).sum())

    say("5. the RTL on Verilator: shrink its FIFOs, then real images with and without stalls")
    shown = images[:: len(images) // RTL_IMAGES][:RTL_IMAGES]
    sizing = accelerator.size_fifos(shown)
    rtl = accelerator.cosimulate(shown, progress=progress)
    stalled = accelerator.cosimulate(
        shown[:STALLED_IMAGES], idle=0.3, backpressure=0.3, progress=progress
    )
    rtl.save(folder / "cosim.json")
    report = verify(qmodel, images[:2], accelerator, trace_images=2, rtl=True, progress=progress)
    (folder / "verify.txt").write_text(f"{report}\n")
    (folder / "nodes.txt").write_text(f"{accelerator}\n")
    resources = accelerator.estimate()
    (folder / "resources.txt").write_text(f"{resources}\n")
    used = resources.total

    agree = "equal" if report.ok else "DIFFERENT, see verify.txt"
    summary = {
        "model": "mobilevit_digits",
        "images": len(images),
        "fp32_top1": _weighted(fp32, split, len(images)),
        "int_top1": round(float(100 * right.mean()), 3),
        "fp32_top1_clean": round(fp32[0], 3),
        "int_top1_clean": round(float(integer[0]), 3),
        "fp32_top1_distorted": round(fp32[1], 3),
        "int_top1_distorted": round(float(integer[1]), 3),
        "csim_equal_images": equal,
        "every_node_equal": report.ok,
        "macs": qmodel.graph.macs(),
        "rom_kib": round(sum(n.rom_bits for n in accelerator.nodes) / 8192, 1),
        "rtl_images": rtl.images + stalled.images,
        "rtl_equal_images": rtl.rtl_equal_images + stalled.rtl_equal_images,
        "latency_cycles": rtl.latency_cycles,
        "cycles_per_frame": rtl.cycles_per_frame,
        "predicted_cycles_per_frame": rtl.predicted_cycles,
        "fps": round(rtl.fps or 0.0, 1),
        "clock_mhz": rtl.clock_mhz,
        "fifo_kib": round(sizing.bits_after / 8192, 1),
        "fifo_kib_by_analysis": round(sizing.bits_before / 8192, 1),
        "part": accelerator.part.name,
        "lut": used.lut,
        "ff": used.ff,
        "dsp": used.dsp,
        "bram36": used.bram36,
        "fits": resources.fits,
        "resources_by": resources.method,
        "seconds": round(time.perf_counter() - start, 1),
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    output.result(
        f"""
float top-1      {fp32[0]:.2f} % clean, {fp32[1]:.2f} % distorted
integer top-1    {integer[0]:.2f} % clean, {integer[1]:.2f} % distorted
C++ == integers  {equal} of {len(images)} images
RTL == integers  {summary["rtl_equal_images"]} of {summary["rtl_images"]} images, of which
                 {stalled.images} with random stalls; every node of 2 images, C++ and RTL: {agree}
work             {summary["macs"]:,} MAC, {summary["rom_kib"]} KiB of constant memory
speed            {rtl.cycles_per_frame:,} cycles per frame (predicted {rtl.predicted_cycles:,}),
                 {rtl.fps:,.0f} frames/s and {rtl.latency_us:,.0f} us latency if the clock runs at
                 {rtl.clock_mhz:g} MHz, which no vendor tool has confirmed
{sizing}
area             {used.lut:,} LUT, {used.ff:,} FF, {used.dsp} DSP, {used.bram36:g} BRAM36 by
                 estimate: {"fits" if resources.fits else "does NOT fit"} {resources.part.name}
time             {summary["seconds"]} s

read first       {folder}/net/firmware/net.cpp, {folder}/net/rtl/net.sv
per node         {folder}/nodes.txt, {folder}/resources.txt, {folder}/verify.txt,
                 {folder}/cosim.json
integer model    {saved}
figures          {folder}/summary.json"""
    )
    output.finish(summary)
    return report.ok and rtl.ok and stalled.ok and equal == len(images)


def _weighted(values: Sequence[float], split: int, total: int) -> float:
    return round((values[0] * split + values[1] * (total - split)) / total, 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``make demo``; returns 0 when every level agrees, 1 when not, 2 on an error."""
    parser = argparse.ArgumentParser(prog="python -m hyq_hls.cli.demo", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except HyqError as error:
        print(f"demo: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
