"""A text for people, as notebooks show it."""

from __future__ import annotations

from html import escape


class Shown:
    """A notebook shows the text of ``str()``, with its columns."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
