"""The matrix of levels: which networks reach float graph, integers, C++ and RTL.

    python -m benchmarks.families                        writes build/benchmarks/families.json
    python -m benchmarks.families --levels csim --models 'mobilevitv2_*'
    python -m benchmarks.families --docs                 writes the table into docs/families.md

Every network runs in a process of its own, with a limit of time. A record is saved when it is made,
and records that are there already are not made again: the same command goes on where it was
stopped. Weights are random, and no parameter is left at zero or one, so that nothing vanishes.

Fields of a record: ``captured`` (the float graph equals the module to 1e-10), ``emulation_equal``
(every node of two images equals the reference), ``csim_equal`` and ``rtl_equal`` (logits of two
images), ``sqnr_db`` (logits of the integers beside those of the module), ``seconds`` (CPU time of
all steps), ``peak_gb``. A level that was not tried is null; ``problem`` says why one failed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from hyq_hls import convert, quantize
from hyq_hls.capture import UnsupportedModelError
from hyq_hls.errors import HyqError
from hyq_hls.evaluate import Records
from hyq_hls.models.public import PUBLIC, architecture
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import sqnr_db, write_file

OUTPUT = Path("build/benchmarks/families.json")
PAGE = Path("docs/families.md")
KEYS = ("model", "size", "levels")
#: Each level includes those before it.
LEVELS = ("capture", "emulation", "csim", "rtl")
#: Largest difference of float graph and module, relative to the largest output.
EXACT = 1e-10
#: A part with room for all of these networks.
PART = "xcu250"
BEGIN, END = "<!-- made by benchmarks/families.py -->", "<!-- end -->"

#: Networks by side of their images; the side is small where the network allows it.
SIZES: dict[int, tuple[str, ...]] = {
    64: (
        *PUBLIC,
        *(f"mobilevitv2_{width}" for width in ("050", "075", "100", "125", "150", "175", "200")),
        *(f"efficientformerv2_{size}" for size in ("s0", "s1", "s2", "l")),
        *("edgenext_xx_small", "efficientvit_b0", "fastvit_t8", "fastvit_mci0", "repvit_m0_9"),
        *("mobileone_s0", "mobilenetv4_hybrid_medium", "convnext_atto", "poolformer_s12"),
        *("ghostnetv2_100", "pvt_v2_b0", "starnet_s050", "inception_next_atto", "lowformer_b0"),
        *("iformer_t", "caformer_s18", "mobilenetv3_small_050", "mobilenetv2_050"),
        *("efficientnet_b0", "resnet18", "regnety_002", "nextvit_small"),
    ),
    224: (
        *(f"efficientformer_{size}" for size in ("l1", "l3", "l7")),
        *("levit_128s", "efficientvit_m0", "tiny_vit_5m_224", "swiftformer_xs", "shvit_s1"),
        *("coatnet_nano_rw_224", "coat_lite_tiny", "deit_tiny_patch16_224", "pit_ti_224"),
        *("visformer_tiny", "xcit_nano_12_p16_224"),
    ),
    240: ("crossvit_tiny_240",),
    256: ("maxvit_nano_rw_256", "botnet26t_256"),
}


def woken(model: nn.Module) -> nn.Module:
    """Give values of their own to parameters that all are zero, or all the same."""
    generator = torch.Generator().manual_seed(1)

    def random(like: torch.Tensor, centre: float, spread: float) -> torch.Tensor:
        return centre + spread * (torch.rand(like.shape, generator=generator) - 0.5)

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() and bool((parameter == parameter.flatten()[0]).all()):
                centre = 0.0 if float(parameter.flatten()[0]) == 0 else 1.0
                parameter.copy_(random(parameter, centre, 0.5))
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                if module.running_mean is not None:
                    module.running_mean.copy_(random(module.running_mean, 0.0, 0.4))
                if module.running_var is not None:
                    module.running_var.copy_(random(module.running_var, 1.0, 0.5))
    return model


def images(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """Return smooth random images with a little noise, bytes (count, side, side, 3)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(coarse, (side, side), mode="bicubic", align_corners=False)
    noisy = (smooth + 0.05 * torch.randn(smooth.shape, generator=generator)).clamp(0, 1)
    found: NDArray[np.uint8] = (noisy * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    return found


def measured(name: str, side: int, levels: Sequence[str]) -> dict[str, Any]:
    """Take one network through the levels and return its record."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    record = blank(name, side, levels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = woken(architecture(name, (side, side)))
            _climb(record, model, levels)
    except UnsupportedModelError as error:
        count = len(error.report.unsupported)
        found = dict.fromkeys(entry.found for entry in error.report.unsupported)
        record |= {"captured": False, "problem": f"{count} nodes: {'; '.join(found)}"}
    except HyqError as error:
        record["problem"] = str(error)
    record["seconds"] = round(sum(_used(who).ru_utime + _used(who).ru_stime for who in _WHO), 1)
    record["peak_gb"] = round(max(_used(who).ru_maxrss for who in _WHO) / 2**20, 2)
    return record


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _used(who: int) -> resource.struct_rusage:
    return resource.getrusage(who)


def blank(name: str, side: int, levels: Sequence[str]) -> dict[str, Any]:
    """Return the record of a network of which nothing is known yet."""
    results = ("captured", "emulation_equal", "csim_equal", "rtl_equal", "sqnr_db")
    numbers = dict.fromkeys((*results, "seconds", "peak_gb"))
    return {"model": name, "size": side, "levels": levels[-1], **numbers, "problem": ""}


def _climb(record: dict[str, Any], model: nn.Module, levels: Sequence[str]) -> None:
    """Fill the record level by level; an error ends the way."""
    side, test = record["size"], images(2, record["size"], 100)
    if levels[-1] == "capture":
        from hyq_hls.quant import float_graph_of  # noqa: PLC0415

        _, report = float_graph_of(model, (side, side, 3))
        record["captured"] = _exact(report.relative_error)
        return
    qmodel = quantize(model, images(8, side, 0), progress=False)
    assert qmodel.capture_report is not None
    record["captured"] = _exact(qmodel.capture_report.relative_error)
    emulated = dict(qmodel.emulator.trace(test))
    record["emulation_equal"] = all(
        np.array_equal(emulated[name], codes)
        for name, codes in qmodel.graph.reference(test.astype(np.int64))
        if name in emulated
    )
    record["sqnr_db"] = round(sqnr_db(_logits(qmodel, test), qmodel.predict(test)), 1)
    if "csim" not in levels:
        return
    with tempfile.TemporaryDirectory() as folder:
        accelerator = convert(qmodel, PART, output_dir=Path(folder) / "net", must_fit=False)
        codes = qmodel.codes(test)
        record["csim_equal"] = np.array_equal(accelerator.compile().codes(test), codes)
        if "rtl" in levels:
            record["rtl_equal"] = accelerator.cosimulate(test).ok


def _exact(error: float | None) -> bool:
    return error is not None and error < EXACT


def _logits(qmodel: QuantizedModel, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the outputs of the module itself."""
    assert qmodel.module is not None
    with torch.no_grad():
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        found: NDArray[np.float64] = qmodel.module(batch).double().numpy()
    return found


def in_a_process(name: str, side: int, levels: Sequence[str], limit: float) -> dict[str, Any]:
    """Return the record of a network that runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.families", "--one", name, str(side), levels[-1]]
    problem = ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return found
        problem = f"the process ended with {done.returncode}: {done.stderr.strip()[-300:]}"
    except subprocess.TimeoutExpired:
        problem = f"not done within {limit:.0f} s"
    return blank(name, side, levels) | {"problem": problem}


def chosen(patterns: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the networks whose names fit a pattern, with the side of their images."""
    for side, names in SIZES.items():
        for name in names:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield name, side


def best(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one record for each network and size, that of the most levels."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for record in sorted(records, key=lambda r: LEVELS.index(r["levels"])):
        found[record["model"], record["size"]] = record
    order = {name: i for i, name in enumerate(n for names in SIZES.values() for n in names)}
    return sorted(found.values(), key=lambda r: (order.get(r["model"], len(order)), r["size"]))


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return the matrix as a table of Markdown."""
    columns = ("captured", "emulation_equal", "csim_equal", "rtl_equal")
    header = ["network", "image", "captured", "emulation", "C++", "RTL", "SQNR, dB", "CPU s"]
    header += ["peak GB", "stops at"]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    words = {True: "yes", False: "**no**", None: "-"}
    for r in best(records):
        cells = [r["model"], str(r["size"]), *(words[r[column]] for column in columns)]
        cells += ["-" if r[name] is None else str(r[name]) for name in ("sqnr_db", "seconds")]
        cells += ["-" if r["peak_gb"] is None else str(r["peak_gb"]), _shortened(r["problem"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shortened(problem: str) -> str:
    line = " ".join(problem.split()).replace("|", "/")
    return line if len(line) <= 120 else f"{line[:117]}..."


def write_docs(records: Sequence[dict[str, Any]], page: Path = PAGE) -> None:
    """Put the table between the marks of the page."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    write_file(page, f"{before}{BEGIN}\n{table(records)}\n{END}{after}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and print the matrix; 1 where a level differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", nargs="+", default=["*"], help="patterns of names")
    parser.add_argument("--levels", choices=LEVELS, default="emulation", help="the last level")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a network")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/families.md")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        name, side, last = options.one
        print(json.dumps(measured(name, int(side), LEVELS[: LEVELS.index(last) + 1])))
        return 0
    levels = LEVELS[: LEVELS.index(options.levels) + 1]
    records = Records(options.output, KEYS)
    bar = tqdm(list(chosen(options.models)), unit="network")
    for name, side in bar:
        bar.set_postfix_str(name)
        if not records.has(blank(name, side, levels)):
            records.add(in_a_process(name, side, levels, options.limit))
    print(table(records.all))
    if options.docs:
        write_docs(records.all)
    equal = ("emulation_equal", "csim_equal", "rtl_equal")
    return int(any(record[name] is False for record in records.all for name in equal))


if __name__ == "__main__":
    sys.exit(main())
