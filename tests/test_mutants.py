"""The mutants fit the code as it is; ``make mutants`` shows that tests find them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, Mutant

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_code_that_still_compiles(mutant: Mutant, tmp_path: Path) -> None:
    path = tmp_path / mutant.path
    path.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / mutant.path, path)
    before = mutant.apply(tmp_path)
    after = path.read_text()
    assert after != before
    compile(after, path, "exec")
    assert all((REPOSITORY / tests).exists() for tests in mutant.tests.split())


def test_a_mutant_whose_text_is_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("a = 1\na = 1\n")
    with pytest.raises(ValueError, match=r"'one': code.py has 'a = 1' 2 times, once is wanted"):
        Mutant("one", "code.py", "a = 1", "a = 2", "").apply(tmp_path)
