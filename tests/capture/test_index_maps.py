"""Index maps: what they recognize is what the operations do."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.capture import float_ops
from hyq_hls.capture.index_maps import (
    covers,
    find_fold,
    find_unfold,
    inverse,
    patches,
    rows_and_columns,
    unfold_positions,
)

sizes = st.integers(1, 4)


@given(sizes, sizes, sizes, sizes)
def test_positions_are_those_of_unfold(ph: int, pw: int, nh: int, nw: int) -> None:
    height, width = ph * nh, pw * nw
    pixels = torch.arange(height * width).reshape(1, height, width, 1).double()
    tokens = float_ops.Unfold((ph, pw)).forward(pixels)
    positions = unfold_positions(height, width, (ph, pw))
    assert torch.equal(tokens.flatten().long(), positions)
    found = find_unfold(positions, height, width, (ph * pw, nh * nw))
    assert found is not None
    # Another patch may mean the same order; it must not mean another one.
    assert torch.equal(unfold_positions(height, width, found[0]), positions)
    assert found[0][0] * found[0][1] == ph * pw
    patch = find_fold(inverse(positions), ph * pw, nh * nw, height, width)
    assert patch is not None
    assert torch.equal(unfold_positions(height, width, patch), positions)


def test_swapped_tokens() -> None:
    positions = unfold_positions(4, 6, (2, 3)).reshape(6, 4).T.reshape(-1)
    found = find_unfold(positions, 4, 6, (4, 6))
    assert found is not None
    assert found[0] == (2, 3)
    assert torch.equal(found[1], torch.arange(24).reshape(6, 4).T.reshape(-1))


def test_any_tokens_in_flat_order_are_the_last_choice() -> None:
    """Without a grid the smallest patch is taken; swapped tokens come before a flat order."""
    rows = torch.arange(36)
    found = find_unfold(rows, 6, 6, None)
    assert found is not None
    assert found[0] == (1, 1)
    swapped = unfold_positions(6, 6, (1, 2)).reshape(2, 18).T.reshape(-1)
    assert torch.equal(swapped, rows)
    found = find_unfold(rows, 6, 6, (18, 2))
    assert found is not None
    assert found[0] == (1, 2)


def test_other_orders_are_not_recognized() -> None:
    assert find_unfold(torch.arange(24).flip(0), 4, 6, (1, 24)) is None
    assert find_fold(torch.arange(24).flip(0), 4, 6, 4, 6) is None
    assert find_fold(torch.arange(20), 4, 6, 4, 5) is None


def test_rows_and_columns() -> None:
    source = torch.arange(5 * 6).reshape(5, 6)
    order, part = torch.tensor([3, 1, 4]), torch.tensor([5, 2])
    found = rows_and_columns(source[order][:, part].T, 0, 6)
    assert found is not None
    assert torch.equal(found[0], order)
    assert torch.equal(found[1], part)
    assert rows_and_columns(source.reshape(6, 5), 1, 6) is None


def test_covers() -> None:
    assert covers(torch.tensor([[2, 0], [1, 3]]), 4)
    assert not covers(torch.tensor([2, 0, 1]), 4)
    assert not covers(torch.tensor([2, 0, 1, 1]), 4)


def test_patches() -> None:
    assert list(patches(2, 3)) == [(1, 1), (2, 1), (1, 3), (2, 3)]
