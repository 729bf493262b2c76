"""Try the mutants, see :mod:`tests.mutants`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants import MUTANTS, Mutant

REPOSITORY = Path(__file__).resolve().parents[2]
#: Status of pytest when no test has the mark.
_NO_TESTS = 5


def killed(mutant: Mutant, root: Path) -> bool:
    """Whether the nearest tests find the fault; ``root`` is a copy of the repository."""
    text = mutant.apply(root)
    try:
        return not passes(mutant.tests, root)
    finally:
        (root / mutant.path).write_text(text, encoding="utf-8")


def passes(tests: str, root: Path) -> bool:
    """Whether these tests are green; the quick ones come first, because most mutants die there.

    Raises:
        RuntimeError: pytest did not run them.
    """
    ran = False
    for tier in ("not slow", "slow"):
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", tier]
        result = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests.split()],
            cwd=root,
            # A mutant may have the size and the second of the text before it.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode == 1:
            return False
        if result.returncode not in (0, _NO_TESTS):
            raise RuntimeError(f"pytest {tests} did not run:\n{result.stdout}{result.stderr}")
        ran |= result.returncode == 0
    if not ran:
        raise RuntimeError(f"{tests} have no tests")
    return True


def main(word: str = "") -> int:
    """Try the mutants whose name has ``word``; returns the number of survivors."""
    chosen = [mutant for mutant in MUTANTS if word in mutant.name]
    if not chosen:
        raise SystemExit(f"no mutant has {word!r} in its name; without a word all are tried")
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "notebooks")
        shutil.copytree(REPOSITORY, root, ignore=ignored)
        if not passes(" ".join(sorted({m.tests for m in chosen})), root):
            raise RuntimeError("the nearest tests fail without any mutant; mend that first")
        for mutant in chosen:
            found = killed(mutant, root)
            survivors += not found
            print(f"{'killed  ' if found else 'SURVIVED'}  {mutant.name}", flush=True)
    print(f"{survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(min(1, main(*sys.argv[1:])))
