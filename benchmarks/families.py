"""The matrix of levels: which networks reach float graph, integers, C++ and RTL.

    python -m benchmarks.families                        writes build/benchmarks/families.json
    python -m benchmarks.families --levels csim --models 'mobilevitv2_*'
    python -m benchmarks.families --docs                 writes the tables into docs/families.md,
                                                         and the records into benchmarks/results

Every network runs in a process of its own, with a limit of time. A record is saved when it is made,
and records that are there already are not made again: the same command goes on where it was
stopped. The first run starts from the kept records of benchmarks/results; ``--output`` with another
file measures anew. Weights are random, and no parameter is left at zero or one, so that nothing
vanishes.

Fields of a record: ``captured`` (the float graph equals the module to 1e-10), ``emulation_equal``
(every node of two images equals the reference), ``csim_equal`` and ``rtl_equal`` (outputs of two
images; the RTL runs with and without random stalls), ``sqnr_db`` (outputs of the integers beside
those of the module), ``seconds`` (CPU time of all steps), ``peak_gb``, ``operations`` (kinds of
integer operations). A level that was not tried is null; ``problem`` says what ended the way, and
``remedies`` what the capture advises.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks._families_levels import LEVELS, blank, in_a_process
from benchmarks._families_networks import chosen
from benchmarks._families_tables import matrix
from benchmarks._pages import with_section
from hyq_hls.evaluate import Records
from hyq_hls.support import write_file

OUTPUT = Path("build/benchmarks/families.json")
#: Records that the page shows.
KEPT = Path("benchmarks/results/families.json")
PAGE = Path("docs/families.md")
KEYS = ("model", "size", "levels")
BEGIN, END = "<!-- made by benchmarks/families.py -->", "<!-- end -->"


def write_docs(records: Sequence[dict[str, Any]], page: Path) -> None:
    """Put the tables between the marks of the page."""
    text = page.read_text(encoding="utf-8")
    write_file(page, with_section(text, BEGIN, END, f"{matrix(records)}\n"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and print the matrix; 1 where a level differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", nargs="+", default=["*"], help="patterns of names")
    parser.add_argument("--levels", choices=LEVELS, default="emulation", help="the last level")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a network")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--docs", action="store_true", help="write the tables into docs/families.md"
    )
    options = parser.parse_args(arguments)
    levels = LEVELS[: LEVELS.index(options.levels) + 1]
    if options.output == OUTPUT and KEPT.is_file() and not OUTPUT.is_file():
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        write_file(OUTPUT, KEPT.read_bytes())
    records = Records(options.output, KEYS)
    missing = [
        network for network in chosen(options.models) if not records.has(blank(*network, levels))
    ]
    bar = tqdm(missing, unit="network")
    for name, side in bar:
        bar.set_postfix_str(name)
        records.add(in_a_process(name, side, levels, options.limit))
    print(matrix(records.all))
    if options.docs:
        write_docs(records.all, PAGE)
        write_file(KEPT, options.output.read_bytes())
    equal = ("emulation_equal", "csim_equal", "rtl_equal")
    return int(any(record[name] is False for record in records.all for name in equal))


if __name__ == "__main__":
    sys.exit(main())
