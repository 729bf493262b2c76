"""Walk a stranger's path, see :mod:`tests.stranger`."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.stranger.steps import REPOSITORY, STEPS, Place, StrangerError, walk


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 when a step does not end as it should."""
    steps = "\n".join(f"  {name:<12} {step.text}" for name, step in STEPS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.stranger",
        description="Install the wheel into an empty environment outside of the repository and use "
        "it as a stranger would, up to a block in a system of one's own.",
        epilog=f"steps:\n{steps}\n\nA folder that is given is kept, and the next call with it goes "
        "on with the step that failed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, help="to work in [a new one, removed at a good end]")
    parser.add_argument("--from", dest="start", choices=STEPS, help="begin with this step again")
    parser.add_argument("--torch-index", default="", help="package index that torch comes from")
    parser.add_argument("--pip-args", type=shlex.split, default=[], help="more for pip")
    options = parser.parse_args(arguments)
    if options.start and not options.folder:
        parser.error("--from needs the folder of an earlier call: --folder FOLDER")
    folder = Path(options.folder or tempfile.mkdtemp(prefix="stranger-")).resolve()
    if folder.is_relative_to(REPOSITORY):
        parser.error(f"--folder {folder} lies in the repository, where a stranger is not")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"in {folder}", flush=True)
    try:
        walk(Place(folder, options.torch_index, tuple(options.pip_args)), options.start)
    except StrangerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.folder is None:
        shutil.rmtree(folder)
    print("the stranger arrived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
