"""Sections of pages that benchmarks write."""

from __future__ import annotations

from hyq_hls.errors import FileFormatError


def with_section(document: str, begin: str, end: str, section: str) -> str:
    """Return the document with another section between two markers.

    Raises:
        FileFormatError: each marker is wanted once, the first one before the second.
    """
    first, second = document.find(begin), document.find(end)
    if document.count(begin) != 1 or document.count(end) != 1 or second < first:
        raise FileFormatError(f"the document needs {begin} once and {end} once behind it")
    return f"{document[: first + len(begin)]}\n\n{section}\n{document[second:]}"
