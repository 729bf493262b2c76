"""Configuration of the documentation site: `make docs` builds it into build/docs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

from hyq_hls.version import __version__  # noqa: E402  (from this tree, also where none is installed)

project = "hyq_hls"
author = "The hyq_hls authors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "command_help",
]
exclude_patterns = ["_ext"]
suppress_warnings = [
    "myst.header",  # a page may go from its title to the third level, as generated tables do
]

# The pages are read in a repository too, so they use what both understand.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# Docstrings have Google's form. Types stand in the signatures.
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"hyq_hls {release}"
html_theme_options: dict[str, Any] = {
    "light_css_variables": {"color-brand-primary": "#0b5a94", "color-brand-content": "#0b5a94"},
    "dark_css_variables": {"color-brand-primary": "#6fb7ea", "color-brand-content": "#6fb7ea"},
}
html_static_path = ["_static"]
html_css_files = ["site.css"]


#: Pages of the repository that are pages of the site under another name.
ELSEWHERE = {"](../CONTRIBUTING.md": "](contributing.md"}


def with_pages_of_the_site(app: Any, name: str, source: list[str]) -> None:
    """Turn links to such pages, as a repository needs them, into links inside of the site."""
    for link, replacement in ELSEWHERE.items():
        source[0] = source[0].replace(link, replacement)


def with_readable_defaults(*event: Any) -> tuple[str, str | None] | None:
    """Write `...` for a default that a factory makes; Sphinx reads no other sign for it."""
    signature, returned = event[5:7]
    return (signature.replace("<factory>", "..."), returned) if signature else None


def setup(app: Any) -> None:
    """Register what the pages need; a diagram that the site cannot draw is shown as its text."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", with_pages_of_the_site)
    app.connect("autodoc-process-signature", with_readable_defaults)
