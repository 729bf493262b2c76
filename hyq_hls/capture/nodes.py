"""Facts about single nodes of an exported graph."""

from __future__ import annotations

import torch
from torch import fx

# One more name for a module that is called a second time, as ``block.act@1``.
_REPEATED = "@"


def operation(node: fx.Node) -> str:
    """Name of an aten operation without overload and in-place mark: ``silu`` for ``aten.silu_``."""
    if isinstance(node.target, torch._ops.OpOverload):
        name = node.target._schema.name.split("::")[-1]
        return name[:-1] if name.endswith("_") and not name.startswith("__") else name
    return getattr(node.target, "__name__", str(node.target))


def is_mutable(node: fx.Node) -> bool:
    """Return whether the node changes the memory of a tensor that it reads."""
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def module_path(node: fx.Node) -> str:
    """Return the dotted path of the module whose forward made the node, empty for the root.

    A second call of the same module has its number after ``_call``, as ``act_call1``.
    """
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return ""
    path = str(list(stack.values())[-1][0])
    return path.removeprefix("L['self'].").replace(_REPEATED, "_call")


def storage(node: fx.Node) -> int | None:
    """Identify the memory that the node's tensor lives in; None if it is not a tensor."""
    value = node.meta.get("val")
    return value.untyped_storage()._cdata if isinstance(value, torch.Tensor) else None
