"""Push data movements of the exported graph through index maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import fx

from hyq_hls.capture.advice import unknown_operation
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.nodes import operation

_DROPOUTS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
_CASTS = ("to", "_to_copy", "type_as")
_COPIES = ("clone", "contiguous", "alias", "detach", "positive", "lift_fresh_copy")

PASSED_THROUGH = frozenset((*_DROPOUTS, *_CASTS, *_COPIES))

# Their result has a shape that the trace knows; strides of the index map are not those of the data.
_RESHAPES = ("view", "reshape", "_unsafe_view", "view_as", "reshape_as", "ravel", "flatten")
_EXPANSIONS = ("expand", "expand_as", "broadcast_to")
# These are not defined for integers, and they can pad or sum.
_PATCHES = ("im2col", "col2im")

MOVEMENTS = frozenset(
    (
        *_RESHAPES,
        *_EXPANSIONS,
        *_PATCHES,
        *("unflatten", "transpose", "permute", "t", "numpy_T", "mT", "matrix_H", "adjoint"),
        *("movedim", "moveaxis", "swapaxes", "swapdims", "unsqueeze", "squeeze"),
        *("unbind", "chunk", "split", "split_with_sizes", "tensor_split", "unsafe_split"),
        *("unsafe_chunk", "hsplit", "vsplit", "dsplit", "select", "slice", "narrow", "diagonal"),
        *("index", "index_select", "roll", "flip", "fliplr", "flipud", "rot90", "repeat", "tile"),
        *("repeat_interleave", "unfold", "pixel_shuffle", "pixel_unshuffle"),
        *("channel_shuffle", "native_channel_shuffle", "view_copy", "permute_copy"),
    )
)


def pass_through(node: fx.Node, args: Any) -> tuple[str, Any]:
    """Say why the node does nothing, and give its value."""
    name = operation(node)
    if name in _DROPOUTS:
        if args[2]:
            raise Unsupported(
                f"{name} that is active in evaluation mode too",
                "dropout in training only",
                "write functional.dropout(x, p, training=self.training), or use nn.Dropout",
            )
        return "dropped: dropout in eval", args[0]
    found = node.meta["val"].dtype
    if found not in (torch.float32, torch.float64):
        raise Unsupported(f"a cast to {found}", "float32 throughout", "remove the cast")
    if name in _CASTS:
        return "dropped: cast between float types", args[0]
    view = args[0]
    return "data movement, not used", replace(view, chain=(*view.chain, node.name))


def move(node: fx.Node, args: Any, kwargs: Any) -> Any:
    """Push the index map of the operand through the movement; views in, views out."""
    name = operation(node)
    views: list[View] = []
    fx.node.map_aggregate(
        (args, kwargs), lambda value: views.append(value) if isinstance(value, View) else None
    )
    first, value = views[0], node.meta["val"]
    shape = tuple(value.shape) if isinstance(value, torch.Tensor) else ()
    if name not in (*_RESHAPES, *_EXPANSIONS) and any(
        view.source is not first.source or view.factor != first.factor for view in views
    ):
        raise unknown_operation(f"{name} of several tensors", shape)
    result: Any
    if isinstance(args[0], torch.Tensor) and name in (*_RESHAPES, *_EXPANSIONS):
        # A constant that takes the shape of a value.
        return args[0].expand(shape) if name in _EXPANSIONS else args[0].reshape(shape)
    if name in _RESHAPES:
        result = first.index.reshape(shape)
    elif name in _EXPANSIONS:
        result = first.index.expand(shape)
    elif name in _PATCHES:
        result = _patches(node, args, kwargs, first)
    else:
        assert callable(node.target)
        plain = fx.node.map_aggregate(
            (args, kwargs), lambda value: value.index if isinstance(value, View) else value
        )
        result = node.target(*plain[0], **plain[1])
    chain = tuple(dict.fromkeys(step for view in views for step in view.chain))
    chain = (*chain, node.name)

    def as_view(index: torch.Tensor) -> View:
        return View(first.source, index, first.factor, chain)

    return [as_view(index) for index in result] if not torch.is_tensor(result) else as_view(result)


def _patches(node: fx.Node, args: Any, kwargs: Any, view: View) -> torch.Tensor:
    """Unfold or fold of patches, which only moves data if patches lie side by side."""
    target: Callable[..., torch.Tensor] = node.target  # type: ignore[assignment]
    marks = (view.index + 1).double()
    counts = target(torch.ones_like(marks), *args[1:], **kwargs)
    if not bool((counts == 1).all()):
        raise Unsupported(
            f"{operation(node)} with patches that reach over the border or are added up",
            "patches side by side that cover the map",
            "use stride = kernel_size, without padding and dilation",
        )
    return target(marks, *args[1:], **kwargs).long() - 1
