"""Records of measurements in one file that grows: a run that was interrupted goes on later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.support import write_file

#: Fields that tell one record of accuracy from another.
KEYS = ("model", "variant", "preset", "setting", "seed")


class Records:
    """Records in a JSON file, which is saved whole with every new one.

    Only one process may write a file: the records of another would be lost.

    Attributes:
        path: the JSON file; it need not exist.
        keys: fields that tell one record from another.
        all: the records, in the order in which they were added.

    Raises:
        FileFormatError: the file is there and is no list of records with these fields.
    """

    def __init__(self, path: Path, keys: Sequence[str] = KEYS) -> None:
        self.path = path
        self.keys = tuple(keys)
        self.all: list[dict[str, Any]] = []
        self.load()

    def load(self) -> None:
        """Read the file again; no file means no records."""
        self.all = []
        if not self.path.is_file():
            return
        try:
            records = json.loads(self.path.read_text("utf-8"))
            known = isinstance(records, list) and all(set(self.keys) <= set(r) for r in records)
        except (ValueError, TypeError):
            known = False
        if not known:
            raise FileFormatError(
                f"{self.path} is no list of records with {', '.join(self.keys)}; move it away, or "
                "write to another file"
            )
        self.all = records

    def has(self, key: Mapping[str, Any]) -> bool:
        """Return whether a record has these values of :attr:`keys`; other fields do not count."""
        wanted = self._key(key)
        return any(self._key(record) == wanted for record in self.all)

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record and save the file.

        Raises:
            InputError: there is a record of the same key, or a field of the key is missing.
            FileFormatError: the file cannot be written.
        """
        if self.has(record):
            raise InputError(f"there is a record of {self._key(record)} in {self.path} already")
        self.all.append(dict(record))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.all, indent=1, allow_nan=False) + "\n"
        write_file(self.path, text)

    def _key(self, record: Mapping[str, Any]) -> tuple[Any, ...]:
        missing = [name for name in self.keys if name not in record]
        if missing:
            raise InputError(f"a record without {', '.join(missing)}; {self.keys} are wanted")
        return tuple(record[name] for name in self.keys)
