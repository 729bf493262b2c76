"""The documentation site builds without a warning, and its own pages say what is there."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name not in {"changelog.md"})


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """All pages are read and every reference is resolved; nothing is written as HTML.

    It runs in this process, which has imported the package already.
    """
    from sphinx.cmd.build import main  # noqa: PLC0415  (only this test needs it)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Sphinx' own libraries; -W is about the pages
        status = main(["-W", "--keep-going", "-q", "-b", "dummy", str(DOCS), str(tmp_path)])
    assert status == 0


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=str)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            place = page.parent / target.partition("#")[0]
            assert place.exists(), f"{page.name}: {target}"


def test_every_page_is_in_the_contents() -> None:
    listed: set[str] = set()
    for page in PAGES:
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            entries = [line for line in block.splitlines() if line and line[0] not in ":-"]
            folder = page.parent.relative_to(DOCS)
            listed |= {(folder / entry).as_posix() for entry in entries}
    found = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert found - listed == {"index"}
    assert listed <= found


def test_the_glossary_is_in_alphabetical_order() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert len(terms) > 40
    assert terms == sorted(terms, key=str.lower)
