"""The base of all float operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch

from hyq_hls.errors import ShapeError

Shape = tuple[int, ...]
Array = npt.NDArray[np.float64]


class FloatOp(ABC):
    """One float operation: parameters, shape rule and meaning."""

    @property
    def kind(self) -> str:
        """Name of the operation, as ``Conv2d``."""
        return type(self).__name__

    @abstractmethod
    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the result for input ``shapes``, without batch.

        Raises:
            ShapeError: the operation cannot take these shapes.
        """

    @abstractmethod
    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Compute the result for batched channels-last float tensors.

        An operation without inputs is given the images, whose number, dtype and device it needs.
        """

    def _freeze(self, **ranks: int) -> None:
        # Frozen dataclasses still let __post_init__ normalize their fields this way.
        for name, rank in ranks.items():
            array = np.array(getattr(self, name), dtype=np.float64, order="C")
            if array.ndim != rank:
                raise ShapeError(f"{self.kind}.{name} needs {rank} axes, found shape {array.shape}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def _expect(self, condition: bool, shapes: tuple[Shape, ...], wanted: str) -> None:
        if not condition:
            found = ", ".join(str(tuple(shape)) for shape in shapes) or "nothing"
            raise ShapeError(f"{self.kind} takes {wanted}, found {found}")

    def __repr__(self) -> str:
        parts = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            text = "x".join(map(str, value.shape)) if isinstance(value, np.ndarray) else repr(value)
            parts.append(f"{field.name}={text}")
        return f"{self.kind}({', '.join(parts)})"


def as_tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    """Return an array as a tensor of the dtype and on the device of ``like``."""
    # torch.tensor copies: the array is read-only, and torch knows no read-only tensors.
    return torch.tensor(array, dtype=like.dtype, device=like.device)
