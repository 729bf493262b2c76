"""Operations in place change what all tensors that share a memory show."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from hyq_hls.capture.assignment import Value, chosen, count_of, taken
from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import View
from hyq_hls.capture.nodes import storage


def write_back(call: Call, values: dict[fx.Node, Any], value: Value) -> None:
    """Show the new value of an operation in place through all tensors of that memory.

    Args:
        call: the operation; its first argument is the tensor that it changed.
        values: the values of nodes before; those of the same memory are replaced.
        value: the result of the operation.

    Raises:
        Unsupported: a tensor shows elements that were changed and others, and no operation puts
            these together.
    """
    node, changed = call.node, call.node.args[0]
    assert isinstance(changed, fx.Node)
    memory = storage(changed)
    element = torch.full((_size(changed),), -1)
    element[_addresses(changed).reshape(-1)] = torch.arange(count_of(value))
    for other, held in list(values.items()):
        if other is node or storage(other) != memory or not isinstance(held, View | torch.Tensor):
            continue
        if not any(user > node for user in other.users):
            continue
        numbers = element[_addresses(other)]
        if bool((numbers >= 0).all()):
            values[other] = taken(value, numbers)
        elif bool((numbers >= 0).any()):
            count = count_of(held)
            own = torch.arange(count).reshape(numbers.shape)
            values[other] = chosen(
                call, held, value, torch.where(numbers < 0, own, numbers + count)
            )


def _size(node: fx.Node) -> int:
    value = node.meta["val"]
    return int(value.untyped_storage().nbytes() // value.element_size())


def _addresses(node: fx.Node) -> torch.Tensor:
    """Return where each element of a tensor lies in its memory."""
    value = node.meta["val"]
    everywhere = torch.arange(_size(node))
    return everywhere.as_strided(value.shape, value.stride(), value.storage_offset())
