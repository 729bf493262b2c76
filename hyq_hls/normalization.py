"""A model may take other values than image bytes: another range, less a mean, over a deviation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.errors import InputError

#: The key in the metadata of a graph.
METADATA_KEY = "normalization"


@dataclass(frozen=True)
class Normalization:
    """The value that a model takes for a byte: ``(white * byte / 255 - mean) / std``.

    Attributes:
        mean: one number, or one per channel, in the unit of ``white``.
        std: one number, or one per channel, in the unit of ``white``.
        white: value of byte 255 before mean and deviation, 1 or 255.
        source: who says so, for people.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    white: float = 1.0
    source: str = "default"

    @classmethod
    def of(
        cls, mean: ArrayLike | None, std: ArrayLike | None, white: float | None, source: str
    ) -> Normalization:
        """Check mean and deviation; without ``white``, numbers above 1 speak of images up to 255.

        Raises:
            InputError: no numbers, or a deviation that is not positive.
        """
        found = {"mean": _numbers("mean", mean, 0.0), "std": _numbers("std", std, 1.0)}
        if not all(value > 0 for value in found["std"]):
            raise InputError(f"std={std!r}: deviations above 0 are wanted; give those of training")
        if white is None:
            white = 255.0 if max(*found["mean"], *found["std"]) > 1 else 1.0
        return cls(found["mean"], found["std"], white, source)

    @classmethod
    def from_json(cls, entry: Any) -> Normalization:
        """Return what ``to_json`` wrote; that of [0, 1] when there is nothing, or no such entry."""
        if not isinstance(entry, Mapping):
            return cls()
        return cls.of(
            entry.get("mean"), entry.get("std"), entry.get("white"), entry.get("source", "a file")
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for the metadata of a graph."""
        return asdict(self)

    @property
    def multiplier(self) -> NDArray[np.float64]:
        """Factor of ``byte / 255``, one or (C,)."""
        factors: NDArray[np.float64] = self.white / np.asarray(self.std, np.float64)
        return factors

    @property
    def offset(self) -> NDArray[np.float64]:
        """Summand after the factor, one or (C,)."""
        summands: NDArray[np.float64] = -np.asarray(self.mean) / np.asarray(self.std)
        return summands

    @property
    def is_plain(self) -> bool:
        """Whether the model takes ``byte / 255``."""
        return bool((self.multiplier == 1).all() and (self.offset == 0).all())

    def check_channels(self, channels: int) -> None:
        """Raise ``InputError`` unless there is one number, or one for each channel."""
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise InputError(
                    f"{name} from {self.source} has {len(values)} numbers for images of {channels} "
                    "channels; give one, or one per channel"
                )

    def undone(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return images in [0, 1], when they are floats as the model takes them.

        Bytes, and floats that are in [0, 1] already, come back as they are.

        Args:
            images: (B, H, W, C) or (B, C, H, W), or one image without the batch axis.
        """
        if self.is_plain or images.dtype.kind != "f" or not images.size:
            return images
        if images.min() >= 0 and images.max() <= 1:
            return images
        count = max(len(self.mean), len(self.std))
        first = images.shape[-1] != count and images.ndim >= 3 and images.shape[-3] == count
        shape = (-1, 1, 1) if first else (-1,)
        values = images.astype(np.float64) - self.offset.reshape(shape)
        unit = values / self.multiplier.reshape(shape)
        # Half precision misses black and white by its rounding.
        near = (unit > -1e-2) & (unit < 1 + 1e-2)
        return np.clip(unit, 0, 1) if bool(near.all()) else images

    def __str__(self) -> str:
        if self.is_plain:
            return "byte / 255"
        value = "byte" if self.white == 255 else f"{self.white:g} * byte / 255"
        value = "byte / 255" if self.white == 1 else value
        parts = [_listed(values) for values in (self.mean, self.std)]
        return f"({value} - {parts[0]}) / {parts[1]}, from {self.source}"


def _numbers(name: str, values: ArrayLike | None, missing: float) -> tuple[float, ...]:
    if values is None:
        return (missing,)
    try:
        found = np.asarray(values, np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}={values!r}: one number, or one per channel, is wanted") from error
    if not found.size or not np.isfinite(found).all():
        raise InputError(f"{name}={values!r}: one number, or one per channel, is wanted")
    return tuple(float(value) for value in found)


def _listed(values: tuple[float, ...]) -> str:
    text = ", ".join(f"{value:g}" for value in values)
    return text if len(values) == 1 else f"({text})"
