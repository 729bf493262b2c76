"""A fault as a replacement of text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A fault as a replacement of text.

    Attributes:
        name: what is wrong then.
        path: the file, from the top of the repository.
        old: text that occurs exactly once in the file.
        new: the faulty text.
        tests: files or folders with the nearest tests.
    """

    name: str
    path: str
    old: str
    new: str
    tests: str

    def apply(self, root: Path) -> str:
        """Put the fault into the repository ``root`` and return the file's text without it.

        Raises:
            ValueError: the text occurs not at all, or several times.
        """
        path = root / self.path
        text = path.read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name!r}: {self.path} has {self.old!r} {count} times, once is "
                "wanted; write the mutant for the code as it is now"
            )
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text
