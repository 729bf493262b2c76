"""An HTML page on disk, which a notebook shows in a frame of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from hyq_hls.support.files import user_path, write_file


@dataclass(frozen=True)
class HtmlPage:
    """A page that needs nothing beside itself.

    Attributes:
        path: the file.
        text: its content.
    """

    path: Path
    text: str = field(repr=False)

    @classmethod
    def write(cls, path: str | os.PathLike[str], text: str) -> HtmlPage:
        """Write a page into a file.

        Raises:
            FileFormatError: the file cannot be written.
            InputError: the path is none.
        """
        file = user_path(path)
        write_file(file, text)
        return cls(file, text)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        # Its scripts sort tables; the frame keeps its styles away from those of the notebook.
        return (
            f'<p>{escape(str(self.path))}</p><iframe srcdoc="{escape(self.text)}" '
            'sandbox="allow-scripts" style="width:100%;height:42em;border:1px solid #8888">'
            "</iframe>"
        )
