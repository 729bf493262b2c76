"""Values that do not depend on the image are computed while the graph is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map_only

from hyq_hls.capture.drafts import Unsupported
from hyq_hls.capture.movement import PASSED_THROUGH

#: They take the shape or the type of a tensor, and make constants.
OF_SHAPE = frozenset(
    (
        *("zeros_like", "ones_like", "full_like", "empty_like"),
        *("new_zeros", "new_ones", "new_full", "new_empty"),
    )
)


def computed(target: torch._ops.OpOverload, args: Any, kwargs: Any) -> Any:
    """Compute a constant.

    Parameters are float64 here, and constants that the graph makes by itself are not. Kernels that
    refuse such a mixture get float64 for all.
    """
    leaves = tree_leaves((args, kwargs))
    types = {x.dtype for x in leaves if isinstance(x, torch.Tensor) and x.is_floating_point()}
    # An operation in place needs the tensor itself.
    if len(types) > 1 and not target._schema.is_mutable:
        args, kwargs = tree_map_only(
            torch.Tensor, lambda x: x.double() if x.is_floating_point() else x, (args, kwargs)
        )
    return target(*args, **kwargs)


def of_shape(target: Callable[..., Any], args: Any, kwargs: Any) -> torch.Tensor:
    """Compute a constant of the shape that the first argument has; empty memory holds zeros."""
    made = target(torch.zeros(args[0].shape), *args[1:], **kwargs)
    assert isinstance(made, torch.Tensor)
    empty = target in (torch.ops.aten.empty_like.default, torch.ops.aten.new_empty.default)
    return made.zero_() if empty else made


def refuse_random(target: torch._ops.OpOverload, args: Any, kwargs: Any) -> None:
    """Refuse an operation that draws random numbers; attention does so for its dropout only.

    Raises:
        Unsupported: it draws some.
    """
    name = target._schema.name.split("::")[-1]
    if torch.Tag.nondeterministic_seeded not in target.tags or name in PASSED_THROUGH:
        return
    dropout = kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0)
    if name == "scaled_dot_product_attention" and not dropout:
        return
    raise Unsupported(
        f"random numbers by {name}",
        "an output that depends on the image alone",
        "remove them, or make them once in __init__ and keep them as a buffer",
    )
