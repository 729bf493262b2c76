"""Predictions that outlive an interruption: one JSON file per network, saved batch by batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls.data.image_folder import Preparation, load_images
from hyq_hls.errors import InputError
from hyq_hls.support import write_file

_SHOWN = 60


@dataclass
class Predictions:
    """Classes that a network found for the first images of a list, and what they depend on.

    Attributes:
        made_with: plain values that the classes depend on; those of other values are of no use.
        classes: one per image, in the order of the images.
        seconds: time spent in the network so far, without reading images.
        notes: plain values about the network.
    """

    made_with: Mapping[str, Any]
    classes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Replace the file.

        Raises:
            FileFormatError: it cannot be written.
        """
        content = {
            "made_with": self.made_with,
            "predictions": self.classes,
            "seconds": self.seconds,
            "notes": self.notes,
        }
        write_file(path, json.dumps(content))

    @classmethod
    def load(cls, path: Path, made_with: Mapping[str, Any], images: int) -> Predictions | None:
        """Return what was saved, or None when there is nothing.

        Args:
            path: JSON file of :meth:`save`.
            made_with: the values as they are now.
            images: number of images in the list.

        Raises:
            InputError: the file is damaged, or was made with other values, which are named.
        """
        cure = "give --restart to measure again, or another --output"
        try:
            saved = json.loads(path.read_bytes())
            found = cls(*(saved[key] for key in ("made_with", "predictions", "seconds", "notes")))
            lengths_fit = len(found.classes) <= images
            before, now = _flat(found.made_with), _flat(json.loads(json.dumps(made_with)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is not a file of saved results ({error}); {cure}") from error
        changed = [
            f"{key} was {_short(before.get(key, 'absent'))}, is {_short(now.get(key, 'absent'))}"
            for key in sorted(before.keys() | now.keys())
            if before.get(key, "absent") != now.get(key, "absent")
        ]
        if changed or not lengths_fit:
            raise InputError(
                f"the results in {path} do not belong to this run: "
                f"{'; '.join(changed) or 'more predictions than images'}; {cure}"
            )
        return found

    def complete(
        self,
        path: Path,
        images: Sequence[Path],
        predict: Callable[[NDArray[np.uint8]], NDArray[Any]],
        *,
        preparation: Preparation,
        batch: int,
        title: str,
        progress: bool = True,
    ) -> None:
        """Predict the images that are missing, saving after every batch.

        Args:
            path: JSON file of :meth:`save`.
            images: all files; those that have a class already are not read.
            predict: bytes (B, H, W, C) to classes (B,).
            preparation: how an image file becomes bytes.
            batch: number of images at a time.
            title: text of the progress bar.
            progress: whether to show it.

        Raises:
            InputError: an image cannot be read.
        """
        done = len(self.classes)
        with tqdm(
            total=len(images), initial=done, desc=title, unit="img", disable=not progress
        ) as bar:
            for start in range(done, len(images), batch):
                pixels = load_images(images[start : start + batch], preparation)
                begin = perf_counter()
                self.classes += predict(pixels).tolist()
                self.seconds += perf_counter() - begin
                self.save(path)
                bar.update(len(pixels))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values under names with dots, so that a message can name one of them."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:12]}..."
