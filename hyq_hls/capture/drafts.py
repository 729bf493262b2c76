"""A float graph under construction consists of drafts of nodes, and views of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.elementwise import Elementwise
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import AttentionValues, Conv2d, Fold, Linear, Unfold
from hyq_hls.capture.index_maps import Patch, is_identity
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.positions import PermutePositions, SelectPositions
from hyq_hls.capture.unknown import Unknown
from hyq_hls.errors import ShapeError

Captured = TypeVar("Captured")


class Unsupported(Exception):
    """A node cannot be captured; it is raised inside the capture and ends in the report.

    Attributes:
        found: what is not supported.
        wanted: what is supported instead.
        advice: what to do.
        node: name of the exported node to blame; None means the one that is examined.
    """

    def __init__(self, found: str, wanted: str, advice: str, node: str | None = None) -> None:
        super().__init__(found)
        self.found, self.wanted, self.advice = found, wanted, advice
        self.node = node


class LayoutUnsupported(Unsupported):
    """A value is not what the node needs; behind an unsupported node nobody is told."""


def first_captured(ways: Iterable[Callable[[], Captured]]) -> Captured:
    """Return what the first of several ways captures; where none does, its problem is told.

    Raises:
        Unsupported: the problem of the first way.
    """
    failure: Unsupported | None = None
    for way in ways:
        try:
            return way()
        except Unsupported as error:
            failure = failure or error
    assert failure is not None, "there is no way"
    raise failure


@dataclass(eq=False)
class Draft:
    """A float node to be.

    Attributes:
        op: the operation; None where an unsupported node stands in the way, or where means wait.
        inputs: the drafts that it reads.
        shape: shape of the value, channels-last and without batch.
        base: the name that the node would like.
        origin: the exported node that made it.
        tokens: whether the value is tokens (P, N, C) and not a map (H, W, C).
        tainted: whether an unsupported node is before it.
        readers: how many drafts read it.
        parts: drafts of a part of its channels.
        absorbers: drafts that compute it now, because its constants went into theirs.
        means: ``(size, K)`` where each element is the mean of K elements of the only input, and
            waits to become part of a mean over all positions; None elsewhere.
        name: the final name; empty until names are given.
    """

    op: FloatOp | None
    inputs: tuple[Draft, ...]
    shape: Shape
    base: str
    origin: str
    tokens: bool = False
    tainted: bool = False
    readers: int = 0
    parts: dict[bytes, Draft] = field(default_factory=dict)
    absorbers: tuple[Draft, ...] = ()
    means: torch.Tensor | None = None
    name: str = ""

    @property
    def size(self) -> int:
        """Number of elements of the value."""
        return math.prod(self.shape)

    @property
    def final(self) -> tuple[Draft, ...]:
        """The drafts that compute the value in the end: itself, unless it was absorbed."""
        return tuple(f for a in self.absorbers for f in a.final) if self.absorbers else (self,)


@dataclass(frozen=True, eq=False)
class View:
    """A tensor of the exported graph, seen as elements of a draft's value.

    Attributes:
        source: the draft.
        index: int64 of the exported shape (batch 1); each entry is the flat index into the
            channels-last value of ``source``.
        factor: constant that the elements are multiplied with.
        chain: exported data movements between the source and this tensor.
    """

    source: Draft
    index: torch.Tensor
    factor: float = 1.0
    chain: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        """Shape in the exported graph, batch included."""
        return tuple(self.index.shape)


class Drafts:
    """All drafts in the order of their making.

    Args:
        paths: module path of each exported node.
        sequence_first: whether tokens (N, 1, C) are one sequence of N positions, as in PyTorch's
            sequence-first layout, and not N sequences of one position.
        windows: whether positions may be grouped in any way; see
            :mod:`hyq_hls.capture.windows`.

    Attributes:
        sequence_first: see above.
        windows: see above.
        movements: the draft that an exported data movement became, by name of the movement.
    """

    def __init__(
        self, paths: Mapping[str, str], sequence_first: bool = True, windows: bool = False
    ) -> None:
        self.sequence_first, self.windows = sequence_first, windows
        self._all: list[Draft] = []
        self._layouts: dict[tuple[str, tuple[int, ...]], Draft] = {}
        self._scaled: dict[tuple[int, float], Draft] = {}
        self._paths = paths
        self.movements: dict[str, Draft] = {}

    def add(self, op: FloatOp, inputs: tuple[Draft, ...], base: str, origin: str) -> Draft:
        """Append a node; ``Unsupported`` when the shapes do not fit its operation."""
        try:
            shape = op.output_shape(*(draft.shape for draft in inputs))
        except ShapeError as error:
            raise LayoutUnsupported(
                str(error), "shapes that fit the operation", "look at the nodes before this one"
            ) from error
        # A vector that is made of tokens may gate a map.
        shaping = inputs[:1] if isinstance(op, Multiply) else inputs
        tokens = isinstance(op, (Unfold, AttentionValues)) or (
            not isinstance(op, (Fold, Conv2d)) and any(read.tokens for read in shaping)
        )
        tainted = any(read.tainted for read in inputs)
        draft = Draft(op, inputs, shape, base, origin, tokens, tainted)
        for read in inputs:
            read.readers += 1
        self._all.append(draft)
        return draft

    def add_opaque(self, shape: Shape, origin: str, tokens: bool) -> Draft:
        """Append a stand-in for a node that is not supported, so that the search goes on."""
        draft = Draft(None, (), shape, origin, origin, tokens, tainted=True)
        self._all.append(draft)
        return draft

    def unfold(self, draft: Draft, patch: Patch, view: View) -> Draft:
        """Return the tokens of a map, as ``view`` shows them.

        The same map and patch give the same node.
        """
        return self.layout(Unfold(patch), (draft,), view, "unfold")

    def fold(self, draft: Draft, patch: Patch, size: tuple[int, int], view: View) -> Draft:
        """Return the map of tokens, as ``view`` shows it.

        The same tokens and patch give the same node.
        """
        return self.layout(Fold(patch, *size), (draft,), view, "fold")

    def select_positions(
        self, draft: Draft, rows: torch.Tensor, columns: torch.Tensor, view: View
    ) -> Draft:
        """Return rows and columns of a map, or pixels and tokens, as ``view`` shows them.

        The same choice of the same draft gives the same node.
        """
        op = SelectPositions(tuple(rows.tolist()), tuple(columns.tolist()))
        return self.layout(op, (draft,), view, "select")

    def permute(self, draft: Draft, order: torch.Tensor, tokens: bool, view: View) -> Draft:
        """Return all positions in the order ``(A, B)``, as ``view`` shows them.

        The same order of the same draft gives the same node.

        Args:
            draft: a map or tokens.
            order: the position of the draft at each place.
            tokens: whether the result is sequences of tokens, and not a map.
            view: the view.
        """
        op = PermutePositions(tuple(map(tuple, order.tolist())))
        result = self.layout(op, (draft,), view, "windows" if tokens else "map")
        result.tokens = tokens
        return result

    def layout(self, op: FloatOp, inputs: tuple[Draft, ...], view: View, label: str) -> Draft:
        """Return the draft after a data movement ``op``, as ``view`` shows it.

        The same movement of the same drafts gives the same node.
        """
        key = (repr(op), tuple(map(id, inputs)))
        if key not in self._layouts:
            origin = view.chain[-1] if view.chain else inputs[0].origin
            base = join(self._paths.get(origin, ""), label)
            self._layouts[key] = self.add(op, inputs, base, origin)
        for name in view.chain:
            self.movements[name] = self._layouts[key]
        return self._layouts[key]

    def select(self, draft: Draft, columns: torch.Tensor, label: str = "") -> Draft:
        """Return channels ``columns`` of a draft; a layer picks them where none computes them."""
        part = self.part(draft, columns, label)
        if part is not None:
            return part
        units = np.eye(draft.shape[-1])[columns.numpy()]
        return self._part(draft, columns, label, Linear(units, np.zeros(len(units))), (draft,))

    def part(self, draft: Draft, columns: torch.Tensor, label: str = "") -> Draft | None:
        """Return channels ``columns`` of a draft: itself, or a layer that computes no others.

        It is None where the draft is no such layer.
        """
        if len(columns) == draft.shape[-1] and torch.equal(columns, torch.arange(len(columns))):
            return draft
        chosen, inputs = columns.numpy(), draft.inputs
        op: FloatOp
        if isinstance(draft.op, Linear):
            op = Linear(draft.op.weight[chosen], draft.op.bias[chosen])
        elif isinstance(draft.op, Conv2d) and draft.op.groups == 1:
            weight, bias = draft.op.weight[chosen], draft.op.bias[chosen]
            op = replace(draft.op, weight=weight, bias=bias)
        elif isinstance(draft.op, ChannelAffine | PositionConstant | Elementwise):
            source = self.part(inputs[0], columns, label)
            if source is None:
                return None
            inputs = (source,)
            op = draft.op
            if isinstance(op, ChannelAffine):
                op = ChannelAffine(op.multiplier[chosen], op.offset[chosen])
            elif isinstance(op, PositionConstant):
                op = PositionConstant(op.constant[..., chosen])
        else:
            return None
        return self._part(draft, columns, label, op, inputs)

    def _part(
        self,
        draft: Draft,
        columns: torch.Tensor,
        label: str,
        op: FloatOp,
        inputs: tuple[Draft, ...],
    ) -> Draft:
        """Return the node of some channels; the same channels of a draft give the same node."""
        key = columns.numpy().tobytes()
        if key not in draft.parts:
            base = f"{draft.base}.{label or f'part{len(draft.parts)}'}"
            draft.parts[key] = self.add(op, inputs, base, draft.origin)
        return draft.parts[key]

    def scaled(self, view: View, base: str, origin: str) -> View:
        """Return a view without a factor: a node of its own multiplies by it, once for all readers.

        Args:
            view: the view.
            base: the name that the node would like.
            origin: the exported node that needs the product.
        """
        if math.isclose(view.factor, 1.0, rel_tol=1e-12):  # 49 * (1 / 49) is a little less than 1.
            return replace(view, factor=1.0)
        if view.source.means is not None:
            return view
        key = (id(view.source), view.factor)
        if key not in self._scaled:
            multiplier = np.full(view.source.shape[-1], view.factor)
            op = ChannelAffine(multiplier, np.zeros_like(multiplier))
            self._scaled[key] = self.add(op, (view.source,), base, origin)
        draft = self._scaled[key]
        for name in view.chain:
            self.movements.setdefault(name, draft)
        return View(draft, view.index, 1.0, view.chain)

    def __len__(self) -> int:
        return len(self._all)

    def since(self, first: int) -> list[Draft]:
        """Return the drafts made after the first ``first`` ones."""
        return self._all[first:]

    def needed(self, output: Draft) -> list[Draft]:
        """Return the drafts that the output needs, in topological order."""
        alive: set[Draft] = set()
        stack = [output]
        while stack:
            draft = stack.pop()
            if draft not in alive:
                alive.add(draft)
                stack.extend(draft.inputs)
        return [draft for draft in self._all if draft in alive]

    def finish(self, output: Draft, index: NDArray[np.int64]) -> FloatGraph:
        """Drop what the output does not need, name the rest, and make the graph.

        Args:
            output: the draft that holds the module's output.
            index: where the module's output lies in it; see ``FloatGraph``.
        """
        needed = self.needed(output)
        self.name(needed)
        alive = set(needed)
        nodes = []
        for draft in self._all:
            if draft in alive or draft.name == "input":
                assert draft.op is not None, "an unsupported node was not reported"
                inputs = tuple(read.name for read in draft.inputs)
                nodes.append(FloatNode(draft.name, draft.op, inputs))
        plain = index.shape == output.shape and is_identity(torch.from_numpy(index))
        return FloatGraph(nodes, output.name, None if plain else index)

    def partial(self) -> FloatGraph:
        """Make the graph of what is supported; ``Unknown`` stands for what is not.

        The drafts must have names. The output of the graph is its last node.
        """
        alive: set[Draft] = set()
        for draft in reversed(self._all):
            # What nobody ever read is read by an unsupported node, or was split into its parts.
            end = draft.readers == 0 and not draft.parts
            if draft.absorbers:
                alive.update(draft.final if end else ())
            elif draft in alive or end:
                alive.update((draft, *draft.inputs))
        nodes = [
            FloatNode(draft.name, Unknown(draft.shape, draft.origin))
            if draft.op is None
            else FloatNode(draft.name, draft.op, tuple(read.name for read in draft.inputs))
            for draft in self._all
            if draft in alive
        ]
        return FloatGraph(nodes, nodes[-1].name)

    def name(self, drafts: list[Draft] | None = None) -> None:
        """Give unique names to the drafts, all by default."""
        for draft in self._all:
            draft.name = ""
        taken: set[str] = set()
        for draft in self._all if drafts is None else drafts:
            name, count = draft.base, 0
            while name in taken:
                count += 1
                name = f"{draft.base}_{count}"
            taken.add(name)
            draft.name = name


def join(path: str, label: str) -> str:
    """Return the module path and label as one dotted name."""
    return f"{path}.{label}" if path else label
