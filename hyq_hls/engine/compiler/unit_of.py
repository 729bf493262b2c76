"""The unit of a node that stands for itself."""

from __future__ import annotations

from collections.abc import Mapping

from hyq_hls.engine.compiler.maximum import LargestUnit
from hyq_hls.engine.compiler.moves import MovesUnit
from hyq_hls.engine.compiler.patches import PatchesUnit
from hyq_hls.engine.compiler.products import ProductsUnit
from hyq_hls.engine.compiler.rows import NormUnit
from hyq_hls.engine.compiler.staged import StagedUnit
from hyq_hls.engine.compiler.turned import TurnedUnit
from hyq_hls.engine.compiler.unit import Unit
from hyq_hls.engine.forms import (
    Form,
    Largest,
    Moves,
    NormRows,
    Patches,
    Products,
    StagedSums,
    Turned,
)
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.program import Tag


def unit_of(
    name: str,
    form: Form,
    inputs: tuple[str, ...],
    layouts: Mapping[str, TensorLayout],
    layout: TensorLayout,
    tag: Tag,
) -> Unit | None:
    """Return the unit of a node, or None where it is none by itself.

    Args:
        name: the node.
        form: its form.
        inputs: what it reads, constants included.
        layouts: layouts of all tensors.
        layout: that of its output.
        tag: what its codes are.
    """
    unit: Unit | None = None
    match form:
        case NormRows():
            unit = NormUnit(name, inputs[0], layout, form, tag)
        case StagedSums():
            unit = StagedUnit(name, inputs[0], layout, form, tag)
        case Patches():
            whole, tokens = layouts[inputs[0]], layout
            if not form.to_tokens:
                whole, tokens = tokens, whole
            unit = PatchesUnit(name, inputs[0], whole, tokens, form)
        case Turned(moves=True):
            unit = TurnedUnit(name, inputs[0], layouts[inputs[0]], layout, tag)
        case Largest():
            unit = LargestUnit(name, inputs, layout, form, tag)
        case Products():
            unit = ProductsUnit(name, inputs, layout, layouts[inputs[1]], form, tag)
        case Moves():
            unit = MovesUnit(name, inputs, layout, form)
    return unit
