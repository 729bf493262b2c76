"""An index map says what a chain of data movements does, whatever way it is written.

Pushing ``arange`` through a chain of views, permutations and copies gives, for each element of the
result, the flat index of the element of the source that it shows. Two chains with equal maps are
the same movement. Functions here work on int64 tensors and know nothing of graphs.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

Patch = tuple[int, int]


def covers(index: torch.Tensor, size: int) -> bool:
    """Return whether ``index`` shows each of ``size`` elements exactly once."""
    if index.numel() != size:
        return False
    seen = torch.zeros(size, dtype=torch.bool)
    seen[index.reshape(-1)] = True
    return bool(seen.all())


def is_identity(index: torch.Tensor) -> bool:
    """Return whether ``index``, flattened, counts 0, 1, 2, ..."""
    return torch.equal(index.reshape(-1), torch.arange(index.numel()))


def inverse(permutation: torch.Tensor) -> torch.Tensor:
    """Return the inverse of a permutation, both ``(L,)``."""
    result = torch.empty_like(permutation)
    result[permutation] = torch.arange(len(permutation))
    return result


def rows_and_columns(
    index: torch.Tensor, axis: int, channels: int
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Split a map along ``axis`` into positions and channels of a source ``(..., channels)``.

    Returns:
        ``rows`` ``(L,)``, the position shown at each of the L other places of the result in order,
        and ``columns`` ``(C,)``, the channel shown at each place of ``axis``. None when places
        along ``axis`` do not show the same channels of one position everywhere.
    """
    table = index.movedim(axis, -1).reshape(-1, index.shape[axis])
    rows = table[:, 0] // channels
    columns = table[0] % channels
    if not torch.equal(table, rows[:, None] * channels + columns):
        return None
    return rows, columns


def patches(height: int, width: int) -> Iterator[Patch]:
    """Return all patches that divide a map, small ones first."""
    sizes = [
        (ph, pw)
        for ph in range(1, height + 1)
        for pw in range(1, width + 1)
        if height % ph == 0 and width % pw == 0
    ]
    yield from sorted(sizes, key=lambda patch: (patch[0] * patch[1], patch))


def unfold_positions(height: int, width: int, patch: Patch) -> torch.Tensor:
    """Return pixel ``y * width + x`` of each token ``p * N + n``, in the order of ``Unfold``."""
    ph, pw = patch
    pixels = torch.arange(height * width).reshape(height // ph, ph, width // pw, pw)
    return pixels.permute(1, 3, 0, 2).reshape(-1)


def find_unfold(
    rows: torch.Tensor, height: int, width: int, grid: tuple[int, int] | None
) -> tuple[Patch, torch.Tensor] | None:
    """Find the patch with which ``Unfold`` gives tokens in the order of ``rows``.

    Tokens in order ``(P, N)`` that agree with ``grid`` come first, then those in order ``(N, P)``,
    then any whose flat order is right.

    Args:
        rows: pixel of each place of the result, a permutation.
        height: height of the map.
        width: width of the map.
        grid: the two position axes of the result, when it has two.

    Returns:
        The patch and, for each place, the token shown there; None if no patch does it.
    """
    flat = None
    swapped = None
    for patch in patches(height, width):
        pixels = patch[0] * patch[1]
        count = height * width // pixels
        tokens = inverse(unfold_positions(height, width, patch))[rows]
        if is_identity(tokens):
            if grid == (pixels, count):
                return patch, tokens
            flat = flat or (patch, tokens)
        elif grid == (count, pixels) and is_identity(tokens.reshape(count, pixels).T):
            swapped = swapped or (patch, tokens)
    return swapped or flat


def find_fold(rows: torch.Tensor, pixels: int, count: int, height: int, width: int) -> Patch | None:
    """Find the patch with which ``Fold`` makes the map of ``rows`` from ``(pixels, count)`` tokens.

    Args:
        rows: token of each pixel of a ``height x width`` map.
        pixels: pixels of a patch.
        count: number of patches.
        height: height of the map.
        width: width of the map.

    Returns:
        The patch; None if no patch does it.
    """
    if len(rows) != pixels * count:
        return None
    for patch in patches(height, width):
        if patch[0] * patch[1] == pixels and is_identity(
            rows[unfold_positions(height, width, patch)]
        ):
            return patch
    return None
