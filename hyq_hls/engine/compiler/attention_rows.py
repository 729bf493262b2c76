"""The attention of a row of tokens as instructions: what lies between stays on the chip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.score_steps import ScoreStep, Shown, Slots, score_tag
from hyq_hls.engine.compiler.unit import TileWork
from hyq_hls.engine.forms import AttendedSums
from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.engine.layout import TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag


@dataclass(frozen=True, eq=False)
class Attention:
    """Nodes that are one in the engine.

    Attributes:
        scores: queries and keys.
        steps: what happens to the scores, a softmax among it.
        values: what comes of it, and values.
        shown: the nodes that show the scores, as they come of queries and keys.
        result: the node of the weighted values.
    """

    scores: AttendedSums
    steps: tuple[ScoreStep, ...]
    values: AttendedSums
    shown: tuple[Shown, ...]
    result: Shown

    @property
    def nodes(self) -> Iterator[str]:
        """Names of all nodes."""
        for shown in (self.shown, *(step.shown for step in self.steps), (self.result,)):
            yield from (one.node for one in shown)

    @property
    def planes(self) -> int:
        """Bytes of the widest codes between queries and values."""
        scores = ceil_div(self.scores.stage.bits, BYTE)
        return max(scores, *(step.planes for step in self.steps))

    @property
    def is_wide(self) -> bool:
        """Whether a code that meets the values takes two bytes."""
        return self.values.operand.passes > 1 and self.values.operand.one_hot is None

    @property
    def mixes(self) -> bool:
        """Whether scores of all heads are needed together."""
        return any(step.mixes for step in self.steps)

    @property
    def slots(self) -> int:
        """Slots for scores: a second one for every head where a step does not work in place."""
        both = 1 if all(step.in_place for step in self.steps) else 2
        return both * (self.values.heads if self.mixes else 1)

    @property
    def score_planes(self) -> int:
        """Bytes for every score, in slots and beside them, that are needed at a time."""
        return self.slots * self.planes + max(step.room_planes for step in self.steps)


@dataclass(frozen=True)
class HeadSizes:
    """Sizes of a head.

    Attributes:
        keys: number of keys.
        key_size: channels of its queries and keys.
        size: channels of its values.
    """

    keys: int
    key_size: int
    size: int

    @property
    def key_words(self) -> int:
        """Weight words of the keys."""
        return ceil_div(self.keys, OUTPUTS) * ceil_div(self.key_size, INPUTS)

    @property
    def weight_words(self) -> int:
        """Weight words of keys and values; the first lane of the values may be any."""
        values = ceil_div(OUTPUTS - 1 + self.size, OUTPUTS) * ceil_div(self.keys, INPUTS)
        return self.key_words + values


class Records:
    """Channel records of an attention: all together where they fit, else each when it is used.

    Args:
        blocks: records by what they are for.
        sizes: the machine.
    """

    def __init__(self, blocks: Mapping[str, NDArray[np.void]], sizes: Sizes) -> None:
        counts = [block.size // OUTPUTS for block in blocks.values()]
        starts = [0, *accumulate(counts)]
        self._blocks, self._starts = blocks, dict(zip(blocks, starts, strict=False))
        whole = b"".join(block.tobytes() for block in blocks.values())
        self.bytes = len(whole)
        self._whole = whole if starts[-1] <= sizes.parameter_groups else None

    def group(self, emitter: Emitter, what: str, first: int = 0, count: int | None = None) -> int:
        """Return where records begin, which are loaded unless they lie there.

        Args:
            emitter: takes the load.
            what: what they are for.
            first: first group of those records that is needed.
            count: how many groups are needed; None for all.
        """
        if self._whole is not None:
            return emitter.parameters(self._whole) + self._starts[what] + first
        block = self._blocks[what][OUTPUTS * first :]
        return emitter.parameters(block[: OUTPUTS * count if count else None].tobytes())


@dataclass(frozen=True, eq=False)
class Row:
    """The attention of all tokens that are the same pixel of their patches.

    Attributes:
        emitter: takes the instructions.
        form: the nodes.
        sizes: sizes of a head.
        layout: the result in DRAM.
        records: channel records.
        work: queries, keys and values in the feature memory, and the place of the results.
        pixel: the pixel, a row of these tensors.
    """

    emitter: Emitter
    form: Attention
    sizes: HeadSizes
    layout: TensorLayout
    records: Records
    work: TileWork
    pixel: int

    def compile(self) -> None:
        """Emit the attention of all heads: one after the other, or together where they mix."""
        if self.form.mixes:
            for part in self._parts():
                self._emit_together(part)
        else:
            for head in range(self.form.values.heads):
                self._emit_head(head)
        self._empty_weights()
        self.emitter.free_weight_room()

    def _emit_head(self, head: int) -> None:
        """Emit the attention of a head; a step that does not work in place changes the slot."""
        keys_at = self._empty_weights()
        self._move_keys(head, keys_at)
        self._move_values(head, keys_at)
        for part in self._parts():
            slots = self._slots(part)
            self._emit_scores(head, slots)
            for step in self.form.steps:
                step.emit(self.emitter, slots, head)
                slots = slots if step.in_place else slots.turned
            self._emit_values(head, slots)
            self._forget_slots(slots)

    def _emit_together(self, part: Tile) -> None:
        """Emit the attention of some queries, every step for all heads."""
        heads, slots = range(self.form.values.heads), self._slots(part)
        for head in heads:
            keys_at = self._empty_weights()
            self._move_keys(head, keys_at)
            self._emit_scores(head, slots)
        self.emitter.free_weight_room()
        for step in self.form.steps:
            for head in heads:
                step.emit(self.emitter, slots, head)
            slots = slots if step.in_place else slots.turned
        for head in heads:
            keys_at = self._empty_weights()
            self._move_values(head, keys_at)
            self._emit_values(head, slots)
        self._forget_slots(slots)

    def _weights(self) -> int:
        """Return the first word of the keys; those of the values lie behind them."""
        return self.emitter.weight_room(self.sizes.weight_words)

    def _empty_weights(self) -> int:
        """Return the same, where what lay there is dead."""
        start = self._weights()
        self.emitter.forget("weights", start, start + self.sizes.weight_words)
        return start

    def _parts(self) -> Iterator[Tile]:
        """Yield the queries that are computed at a time."""
        pixels, tokens = self.emitter.sizes.pixels, self.layout.pixels
        of_group = self.form.score_planes * ceil_div(self.sizes.keys, WORD)
        band = self.work.room[1] // of_group * pixels
        for first in range(0, tokens, band):
            yield Tile(self.pixel, self.pixel + 1, first, min(first + band, tokens))

    def _slots(self, part: Tile) -> Slots:
        """Return the slots of some queries."""
        form, keys = self.form, self.sizes.keys
        words = ceil_div(part.pixels, self.emitter.sizes.pixels) * ceil_div(keys, WORD)
        heads, size = form.values.heads, form.planes * words
        count = heads if form.mixes else 1
        starts = [self.work.room[0] + size * k for k in range(form.slots)]
        sources, targets = starts[:count], starts[-count:]
        if not form.mixes:
            sources, targets = sources * heads, targets * heads
        room = self.work.room[0] + size * form.slots
        return Slots(part, keys, words, form.planes, tuple(sources), tuple(targets), room)

    def _forget_slots(self, slots: Slots) -> None:
        self.emitter.forget("features", self.work.room[0], slots.room)

    def _move_keys(self, head: int, keys_at: int) -> None:
        """Emit what makes weights of keys."""
        size, param = self.sizes.key_size, self.records.group(self.emitter, "keys")
        self._move(1, isa.KEYS, size, head * size, 0, param, keys_at)

    def _move_values(self, head: int, keys_at: int) -> None:
        """Emit what makes weights of values, whose lanes keep their channels modulo 16."""
        size = self.sizes.size
        param = self.records.group(self.emitter, f"values of head {head}")
        first, values_at = head * size % OUTPUTS, keys_at + self.sizes.key_words
        self._move(2, isa.VALUES, size, head * size, first, param, values_at)

    def _move(
        self, which: int, kind: int, size: int, c0: int, first: int, param: int, weights: int
    ) -> None:
        source = self.work.sources[which]
        self.emitter.emit(
            isa.Move(
                kind=kind,
                src=replace(source.at(self.pixel, 0), row=0),
                tokens=source.layout.pixels,
                channels=size,
                c0=c0,
                first=first,
                param=param,
                weights=weights,
            )
        )

    def _emit_scores(self, head: int, slots: Slots) -> None:
        """Emit the scores of some queries; a query is a pixel, a key a channel."""
        form, keys, size = self.form, self.sizes.keys, self.sizes.key_size
        query, part = self.work.sources[0], slots.part
        bits = form.scores.stage.bits
        for plane in reversed(range(ceil_div(bits, BYTE))):
            self.emitter.emit(
                isa.Array(
                    src=replace(query.at(self.pixel, part.x0), row=0),
                    dst=slots.view(slots.sources[head], plane),
                    rows=1,
                    pixels=part.pixels,
                    groups=ceil_div(keys, OUTPUTS),
                    channels=WORD * slots.group,
                    bits=bits,
                    steps=ceil_div(size, INPUTS),
                    c0=head * size,
                    pass_stride=query.words if form.scores.operand.passes > 1 else 0,
                    **_operand_fields(form.scores),
                    high=plane,
                    weights=self._weights(),
                    weight_group=ceil_div(size, INPUTS),
                    param=self.records.group(self.emitter, "scores"),
                ),
                score_tag(form.shown, part, head, keys),
            )

    def _emit_values(self, head: int, slots: Slots) -> None:
        """Emit the values of some queries, whose lanes keep their channels modulo 16."""
        form, layout, keys, size = self.form, self.layout, self.sizes.keys, self.sizes.size
        channel, first, part = head * size, head * size % OUTPUTS, slots.part
        last = head == form.values.heads - 1
        end = WORD * layout.words if last else channel + size
        groups = ceil_div(first + end - channel, OUTPUTS)
        wide = form.is_wide
        for plane in range(layout.planes):
            dst = self.work.output.at(self.pixel, part.x0, plane)
            self.emitter.emit(
                isa.Array(
                    src=slots.view(slots.sources[head], int(wide)),
                    dst=replace(dst, base=dst.base + (channel - first) // WORD, row=0),
                    rows=1,
                    pixels=part.pixels,
                    groups=groups,
                    channels=end - channel,
                    bits=form.values.stage.bits,
                    steps=ceil_div(keys, INPUTS),
                    pass_stride=-slots.words & 0xFFFF if wide else 0,
                    **_operand_fields(form.values),
                    high=int(plane < layout.planes - 1),
                    weights=self._weights() + self.sizes.key_words,
                    weight_group=ceil_div(keys, INPUTS),
                    param=self.records.group(self.emitter, "values", channel // OUTPUTS, groups),
                    first=first,
                ),
                Tag(
                    node=form.result.node,
                    index=(part.y0, slice(part.x0, part.x1), slice(channel, channel + size)),
                    lanes=(0, size),
                    qmin=form.result.qmin,
                ),
            )


def _operand_fields(sums: AttendedSums) -> dict[str, Any]:
    operand = sums.operand
    log2 = operand.one_hot is not None
    return {
        "source": isa.FROM_ONE_HOT if log2 else isa.FROM_FEATURES,
        "one_hot": operand.one_hot or 0,
        "signed": int(operand.signed),
        "prologue": int(operand.constant != 0),
        "constant": operand.constant,
        "passes": operand.passes,
        "digits": int(operand.passes > 1),
        "repeat": int(operand.passes > 1),
    }
