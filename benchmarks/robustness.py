"""Situations that go wrong: how many were tried, met clearly, or not.

    python benchmarks/robustness.py                     all groups, some minutes
    python benchmarks/robustness.py misuses odd_paths   some groups

Writes build/benchmarks/robustness.json with every message, and keeps the records of the groups that
were not asked for; docs/reliability.md has the counts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from benchmarks.situations.runner import of_group, try_all
from benchmarks.situations.situation import OUTCOMES
from hyq_hls.support import aligned

#: Modules of ``benchmarks/situations`` and what stands in the table.
GROUPS = {
    "reports": "situations from public reports",
    "models": "models as people write them",
    "damaged_files": "damaged and hostile `.hyq` files",
    "command_lines": "wrong command lines",
    "misuses": "misuses of the interface",
    "odd_paths": "odd paths",
    "disturbances": "kills, full disks, read-only folders, two at a time",
}


def main() -> int:
    """Try the situations and write the records; returns 1 where one was not met clearly."""
    parser = argparse.ArgumentParser(description="what happens when something goes wrong")
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    options = parser.parse_args()
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {min(unknown)}; there are {', '.join(GROUPS)}")
    start, file = time.perf_counter(), options.output / "robustness.json"
    options.output.mkdir(parents=True, exist_ok=True)
    records = json.loads(file.read_text()) if file.is_file() else []
    for group in options.groups or GROUPS:
        count = len(of_group(group))
        with tqdm(total=count, desc=group) as bar:
            found = try_all(group, count, bar.update)
        records = [r for r in records if r["group"] != group]
        records += [{"group": group, **outcome} for outcome in found]
        file.write_text(json.dumps(records, indent=1) + "\n")
    faults = [r for r in records if r["outcome"] != "clear"]
    for fault in faults:
        print(f"{fault['outcome']}: {fault['group']}: {fault['situation']}: {fault['message']}")
    rows: list[tuple[str, ...]] = [("", "tried", *OUTCOMES)]
    for group, title in [*GROUPS.items(), ("", "all")]:
        counts = Counter(r["outcome"] for r in records if group in ("", r["group"]))
        if counts:
            rows.append((title, str(counts.total()), *(str(counts[name]) for name in OUTCOMES)))
    print("\n".join(aligned(rows)))
    print(f"{time.perf_counter() - start:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
