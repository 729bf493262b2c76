"""Records of accuracy that the benchmark scripts share: what is measured, and a file that grows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.support import write_file

#: What tells one record from another.
KEYS = ("model", "variant", "preset", "setting", "seed")


def metrics(
    found_logits: NDArray[np.floating[Any]],
    wanted_logits: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
) -> dict[str, float | None]:
    """Compare the logits of a quantized network with those of the float network.

    Args:
        found_logits: (B, classes) of the quantized network.
        wanted_logits: (B, classes) of the float network.
        labels: (B,), the right classes.

    Returns:
        top1: of the quantized network, in percent; drop: top-1 of the float network minus it;
        sqnr_db: signal-to-noise ratio of all logits, in dB, None where they are equal; agreement:
        images of the same answer, in percent.

    Raises:
        InputError: shapes that do not fit, no image, logits that are not finite.
    """
    found = np.asarray(found_logits, dtype=np.float64)
    wanted = np.asarray(wanted_logits, dtype=np.float64)
    if found.ndim != 2 or found.shape != wanted.shape or labels.shape != found.shape[:1]:
        raise InputError(
            f"logits {found.shape} and {wanted.shape} with labels {labels.shape}: "
            "(B, classes) twice and (B,) are wanted"
        )
    if found.size == 0 or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        raise InputError("logits of at least one image are wanted, all of them finite")
    answers, float_answers = found.argmax(axis=1), wanted.argmax(axis=1)
    top1 = 100 * float((answers == labels).mean())
    float_top1 = 100 * float((float_answers == labels).mean())
    noise = float(((found - wanted) ** 2).sum())
    ratio = 10 * float(np.log10((wanted**2).sum() / noise)) if noise else None
    return {
        "top1": round(top1, 3),
        "drop": round(float_top1 - top1, 3),
        "sqnr_db": None if ratio is None else round(ratio, 2),
        "agreement": round(100 * float((answers == float_answers).mean()), 3),
    }


class Records:
    """Records in a JSON file, which is saved whole with every new one: a run can go on later.

    One process writes a file; another's records would be lost.

    Args:
        path: of the file; it need not exist.
        keys: fields that tell one record from another.

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
        """Whether there is a record with these values of `keys`; other fields do not count."""
        wanted = self._key(key)
        return any(self._key(record) == wanted for record in self.all)

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record and save the file.

        Raises:
            InputError: there is one of the same key, or a field of the key is missing.
        """
        if self.has(record):
            raise InputError(f"there is a record of {self._key(record)} in {self.path} already")
        self.all.append(dict(record))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.all, indent=1, allow_nan=False) + "\n"
        write_file(self.path, text.encode())

    def _key(self, record: Mapping[str, Any]) -> tuple[Any, ...]:
        missing = [name for name in self.keys if name not in record]
        if missing:
            raise InputError(f"a record without {', '.join(missing)}; {self.keys} are wanted")
        return tuple(record[name] for name in self.keys)
