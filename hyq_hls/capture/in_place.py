"""Operations in place change what all tensors that share a memory show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import fx

from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.nodes import storage


def write_back(values: dict[fx.Node, Any], node: fx.Node, before: View, value: View) -> None:
    """Show the new value of an operation in place through all views of that memory.

    Args:
        values: the values of nodes before; those of the same memory are replaced.
        node: the operation in place.
        before: the tensor that it changed, as it was.
        value: the result of the operation.

    Raises:
        Unsupported: a view shows elements that were changed and others that were not.
    """
    table = torch.full((before.source.size,), -1)
    table[before.index.reshape(-1)] = value.index.reshape(-1)
    memory = storage(node)
    for other, held in list(values.items()):
        if not isinstance(held, View) or held.source is not before.source:
            continue
        later = any(user > node for user in other.users)
        if not later or other is node or storage(other) != memory:
            continue
        index = table[held.index]
        if bool((index < 0).all()):
            continue
        if bool((index < 0).any()):
            raise Unsupported(
                f"an operation in place on a part of the memory of {other.name}",
                "in-place operations on whole tensors",
                "use the operation that returns a new tensor",
            )
        values[other] = replace(value, index=index, chain=held.chain)
