"""CPU seconds and memory of the steps of the tool on large inputs.

    python -m benchmarks.scale            writes build/benchmarks/scale.json
    python -m benchmarks.scale --docs     and the table of docs/families.md

Every case runs in a process of its own, with one thread. Weights are random.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks._families_levels import used
from benchmarks._families_networks import images, network, woken
from benchmarks._pages import with_section
from hyq_hls import convert, quantize
from hyq_hls.support import write_file

OUTPUT = Path("build/benchmarks/scale.json")
PAGE = Path("docs/families.md")
BEGIN, END = "<!-- made by benchmarks/scale.py -->", "<!-- end of scale -->"
PARTS = ("xc7z020", "xczu9eg", "xcu250")
Step = tuple[str, Callable[[], object]]


class AllPositions(nn.Module):
    """A convolution by patches of 4 x 4 pixels, and attention over all of their positions."""

    def __init__(self, channels: int = 32, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.stem = nn.Conv2d(3, channels, 4, 4)
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.head = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (B, 10) of images (B, 3, H, W)."""
        y = self.stem(x).flatten(2).mT
        q, k, v = self.qkv(self.norm(y)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(q, k, v)
        logits: torch.Tensor = self.head((y + attended.transpose(1, 2).flatten(2)).mean(1))
        return logits


def attention(side: int) -> Iterator[Step]:
    """Yield the steps of attention over all positions of images of ``side`` pixels."""
    model, calibration = woken(AllPositions().eval()), images(8, side, 0)
    yield "quantize", lambda: quantize(model, calibration, progress=False)


def whole_way(name: str, side: int) -> Iterator[Step]:
    """Yield all steps of one image of a network."""
    model, test = woken(network(name, side)), images(1, side, 100)
    made: dict[str, Any] = {}

    def compiled() -> None:
        made["codes"] = made["accelerator"].compile().codes(test)

    yield "quantize", lambda: made.update(q=quantize(model, images(8, side, 0), progress=False))
    yield "emulate", lambda: made.update(emulated=made["q"].codes(test))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "net"

        def converted() -> None:
            made["accelerator"] = convert(made["q"], PARTS[-1], output_dir=place, must_fit=False)

        yield f"convert for {PARTS[-1]}", converted
        yield "g++ and csim", compiled
    if not np.array_equal(made["codes"], made["emulated"]):
        raise SystemExit(f"{name} at {side}: C++ and emulation differ")


def conversions(name: str, side: int) -> Iterator[Step]:
    """Yield the conversion of a network for each part."""
    qmodel = quantize(woken(network(name, side)), images(8, side, 0), progress=False)
    for part in PARTS:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "net"
            step = partial(convert, qmodel, part, output_dir=place, must_fit=False)
            yield f"convert for {part}", step


CASES: dict[str, tuple[Callable[..., Iterator[Step]], tuple[Any, ...]]] = {
    "attention over 1,024 positions": (attention, (128,)),
    "attention over 4,096 positions": (attention, (256,)),
    "mobilevit_xxs, an image of 384x384": (whole_way, ("mobilevit_xxs", 384)),
    "mobilevit_s at 256x256": (conversions, ("mobilevit_s", 256)),
}


def _measure(case: str, results: Queue[tuple[str, float, float]]) -> None:
    """Put the CPU seconds of each step, and the peak of memory after it, into a queue."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    make, arguments = CASES[case]
    for name, step in make(*arguments):
        start = used()["seconds"]
        step()
        spent = used()
        results.put((name, round(spent["seconds"] - start, 1), spent["peak_gb"]))


def measured(case: str) -> list[dict[str, Any]]:
    """Return a record for each step of a case."""
    context = multiprocessing.get_context("spawn")
    results: Queue[tuple[str, float, float]] = context.Queue()
    process = context.Process(target=_measure, args=(case, results))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{case}: the process ended with status {process.exitcode}")
    records = []
    while not results.empty():
        step, seconds, peak = results.get()
        records.append({"case": case, "step": step, "seconds": seconds, "peak_gb": peak})
    return records


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return the records as a Markdown table."""
    lines = ["| | step | CPU s | GB at the peak so far |", "|---|---|---|---|"]
    lines += ["| {case} | {step} | {seconds} | {peak_gb} |".format(**record) for record in records]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--docs", action="store_true", help="write the table of docs/families.md")
    options = parser.parse_args(arguments)
    records: list[dict[str, Any]] = []
    for case in CASES:
        records += measured(case)
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        write_file(OUTPUT, f"{json.dumps(records, indent=1)}\n".encode())
    print(table(records))
    if options.docs:
        text = PAGE.read_text(encoding="utf-8")
        write_file(PAGE, with_section(text, BEGIN, END, f"{table(records)}\n"))


if __name__ == "__main__":
    main()
