"""Float operations that join, order or leave out positions of tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hyq_hls.capture.float_op import Array, FloatOp, Shape, as_tensor


@dataclass(frozen=True, eq=False, repr=False)
class ConcatConstant(FloatOp):
    """Positions of constants before or behind those of a tensor, such as a class token.

    Attributes:
        constant: values ``(K, C)``, the same for every pixel of the patch.
        first: whether they come before the tensor.
    """

    constant: Array
    first: bool

    def __post_init__(self) -> None:
        self._freeze(constant=2)

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(P, N + K, C)`` for ``(P, N, C)``."""
        count, channels = self.constant.shape
        ok = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][2] == channels
        self._expect(ok, shapes, f"(P, N, {channels})")
        return (shapes[0][0], shapes[0][1] + count, channels)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, P, N, C)`` to ``(B, P, N + K, C)``."""
        (x,) = inputs
        constant = as_tensor(self.constant, x).expand(*x.shape[:2], -1, -1)
        return torch.cat((constant, x) if self.first else (x, constant), dim=2)


@dataclass(frozen=True, eq=False, repr=False)
class ConcatPositions(FloatOp):
    """Concatenation of two inputs on an axis of positions.

    Attributes:
        axis: 0 joins the rows of maps; 1 joins their columns, or tokens.
    """

    axis: int

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(A1 + A2, B, C)``, or ``(A, B1 + B2, C)`` with axis 1."""
        others = {shape[: self.axis] + shape[self.axis + 1 :] for shape in shapes}
        ok = len(shapes) == 2 and len(shapes[0]) == len(shapes[1]) == 3 and len(others) == 1
        self._expect(ok, shapes, f"two inputs with three axes that differ in axis {self.axis} only")
        shape = list(shapes[0])
        shape[self.axis] += shapes[1][self.axis]
        return tuple(shape)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Concatenate on the axis behind the batch."""
        return torch.cat(inputs, dim=1 + self.axis)


@dataclass(frozen=True, eq=False, repr=False)
class PermutePositions(FloatOp):
    """All positions in another order, such as the windows of a map, or a map made of windows.

    Attributes:
        order: for each row and column of the result, the position of the input, counted row by row.
    """

    order: tuple[tuple[int, ...], ...]

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(A, B, C)`` for ``(X, Y, C)`` with as many positions."""
        rows, columns = len(self.order), len(self.order[0])
        ok = len(shapes) == 1 and len(shapes[0]) == 3
        ok = ok and shapes[0][0] * shapes[0][1] == rows * columns
        self._expect(ok, shapes, f"(X, Y, C) of {rows * columns} positions")
        return (rows, columns, shapes[0][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, X, Y, C)`` to ``(B, A, B, C)``."""
        (x,) = inputs
        return x.flatten(1, 2)[:, torch.tensor(self.order, device=x.device)]


@dataclass(frozen=True, eq=False, repr=False)
class SelectPositions(FloatOp):
    """Some rows and columns of a map, or some pixels of a patch and some tokens.

    Attributes:
        rows: rows that stay, ascending.
        columns: columns that stay, ascending.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(rows, columns, C)`` for ``(A, B, C)``."""
        ok = len(shapes) == 1 and len(shapes[0]) == 3
        ok = ok and self.rows[-1] < shapes[0][0] and self.columns[-1] < shapes[0][1]
        self._expect(ok, shapes, f"more than {self.rows[-1]} rows, {self.columns[-1]} columns")
        return (len(self.rows), len(self.columns), shapes[0][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, A, B, C)`` to ``(B, rows, columns, C)``."""
        (x,) = inputs
        return x[:, list(self.rows)][:, :, list(self.columns)]
