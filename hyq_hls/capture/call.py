"""One call of the exported graph, whose arguments were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx

from hyq_hls.capture.drafts import Draft, Drafts, Unsupported, View, join
from hyq_hls.capture.float_op import Array, FloatOp
from hyq_hls.capture.nodes import module_path, operation
from hyq_hls.capture.scores import is_scores, with_scale


@dataclass
class Call:
    """A node of the exported graph, its arguments by name, and the drafts to add to.

    Attributes:
        node: the node.
        arguments: the arguments by the names of the operation's schema.
        drafts: the drafts of the graph so far.
        own_path: whether the module path alone names the result, because the module makes nothing
            else.
        used: the views that the call has read.
    """

    node: fx.Node
    arguments: Mapping[str, Any]
    drafts: Drafts
    own_path: bool
    used: list[View] = field(default_factory=list)

    @property
    def operation(self) -> str:
        """Name of the aten operation, see ``operation``."""
        return operation(self.node)

    def get(self, name: str) -> Any:
        """Return the argument of that name, or its default; None if the operation has no such."""
        return self.arguments.get(name)

    def view(self, name: str) -> View:
        """Return the tensor argument that depends on the image."""
        return self.as_view(self.get(name))

    def as_view(self, value: Any) -> View:
        """Check that a value depends on the image, and note that this call reads it."""
        return self.settled(self.pending(value))

    def settled(self, view: View) -> View:
        """Return the view of a node whose value has the constant factor of ``view``."""
        if is_scores(view.source):
            return with_scale(view)
        base = join(module_path(self.node), "scaled")
        return self.drafts.scaled(view, base, self.node.name)

    def pending(self, value: Any) -> View:
        """Do what ``as_view`` does, for a call that takes care of a constant factor itself."""
        if not isinstance(value, View):
            what = "a constant tensor" if isinstance(value, torch.Tensor) else repr(value)
            raise Unsupported(
                f"{self.operation} with {what}",
                f"{self.operation} of tensors that come from the image",
                "put constants into the weights, or join them with tokens by torch.cat",
            )
        self.used.append(value)
        return value

    def array(self, name: str, missing: float, count: int) -> Array:
        """Return a parameter as float64; where it is None, ``count`` times ``missing``."""
        value = self.get(name)
        if value is None:
            return np.full(count, missing, np.float64)
        if not isinstance(value, torch.Tensor):
            raise Unsupported(
                f"{name} computed from the image", f"a constant {name}", "use fixed parameters"
            )
        return np.asarray(value.double().numpy(), np.float64)

    def add(self, op: FloatOp, inputs: tuple[Draft, ...], label: str, own: bool = True) -> Draft:
        """Append a draft named after the module; ``label`` tells it from others of that module."""
        path = module_path(self.node)
        base = path if path and own and self.own_path else join(path, label)
        return self.drafts.add(op, inputs, base, self.node.name)
