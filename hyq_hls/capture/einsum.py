"""Write an einsum of two operands as a matrix product between permutations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MatmulPlan:
    """The permutations in ``result = permute(permute(a, first) @ permute(b, second), result)``.

    Attributes:
        first: permutation of the axes of the first operand.
        second: permutation of the axes of the second operand.
        result: permutation of the axes of the product.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    result: tuple[int, ...]


def as_matmul(equation: str, first_rank: int, second_rank: int) -> MatmulPlan | None:
    """Plan an equation that has one summed and one free label on each side; None otherwise."""
    sources, arrow, result = equation.replace(" ", "").partition("->")
    a, comma, b = sources.partition(",")
    plain = arrow and comma and "." not in equation and "," not in b
    if not plain or len(a) != first_rank or len(b) != second_rank:
        return None
    batch = [label for label in a if label in b and label in result]
    summed = [label for label in a if label in b and label not in result]
    left = [label for label in a if label not in b]
    right = [label for label in b if label not in a]
    product = [*batch, *left, *right]
    if not len(summed) == len(left) == len(right) == 1 or sorted(product) != sorted(result):
        return None
    if any(len(set(labels)) != len(labels) for labels in (a, b, result)):
        return None
    return MatmulPlan(
        tuple(a.index(label) for label in (*batch, *left, *summed)),
        tuple(b.index(label) for label in (*batch, *summed, *right)),
        tuple(product.index(label) for label in result),
    )
