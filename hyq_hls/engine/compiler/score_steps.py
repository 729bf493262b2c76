"""Steps between the scores and the values of attention, on scores that stay on the chip.

The scores of a head lie in a slot: for some queries, which are pixels, a code for every key, which
is a channel. A slot has as many bytes of every code as the widest codes of the attention need, the
low ones first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import Part, part_of, stepped_back
from hyq_hls.engine.forms import KINDS, OutputStage, Sliding, SoftmaxRows, Sums
from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.engine.forms.sums import byte_planes
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import BEAT, ceil_div, weight_bytes
from hyq_hls.engine.machine_sizes import OUTPUTS, WORD
from hyq_hls.engine.program import Tag


@dataclass(frozen=True)
class Slots:
    """Places of the scores of all heads of some queries.

    Attributes:
        part: the queries, of one pixel of their patches.
        keys: codes of a row.
        words: words of a byte of the codes of a head.
        planes: bytes of a code that a slot has room for.
        sources: first words of the slots that a step reads, by head.
        targets: first words of the slots that it writes, which may be the same.
        room: first word of what is free beside them.
    """

    part: Tile
    keys: int
    words: int
    planes: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    room: int

    @property
    def turned(self) -> Slots:
        """The slots of the next step, which reads what was written."""
        return replace(self, sources=self.targets, targets=self.sources)

    @property
    def group(self) -> int:
        """Words of a byte of the codes of a row."""
        return ceil_div(self.keys, WORD)

    def view(self, slot: int, plane: int = 0) -> View:
        """Return the view of a byte of the codes in a slot, the lowest byte first."""
        return View(slot + plane * self.words, 0, self.group)


@dataclass(frozen=True)
class Shown:
    """A node that shows scores.

    Attributes:
        node: its name.
        qmin: its smallest code.
        turned: whether heads come behind keys in its tensor.
    """

    node: str
    qmin: int
    turned: bool = False

    def index(self, part: Tile, head: int, keys: int) -> tuple[slice | int, ...]:
        """Return where the codes of a head and of some queries belong."""
        lead, row = (part.y0, slice(part.x0, part.x1)), slice(0, keys)
        return (*lead, row, head) if self.turned else (*lead, head, row)


def score_tag(shown: Sequence[Shown], part: Tile, head: int, keys: int) -> Tag:
    """Return the tag of the scores of a head and of some queries, which several nodes show."""
    first, *others = shown
    return Tag(
        node=first.node,
        index=first.index(part, head, keys),
        lanes=(0, keys),
        qmin=first.qmin,
        copies=tuple((other.node, other.index(part, head, keys)) for other in others),
    )


@dataclass(frozen=True, eq=False)
class ScoreStep(ABC):
    """A step.

    Attributes:
        shown: the nodes that show its codes.
    """

    shown: tuple[Shown, ...]

    #: Whether the step reads and writes the same slots.
    in_place = False
    #: Whether a head of the result needs all heads.
    mixes = False

    @property
    @abstractmethod
    def bits(self) -> int:
        """Width of the codes that it writes."""

    @property
    def planes(self) -> int:
        """Bytes of the codes that it writes."""
        return ceil_div(self.bits, BYTE)

    @property
    def room_planes(self) -> int:
        """Bytes for every code that it needs beside the slots."""
        return 0

    def stages(self) -> Sequence[OutputStage]:
        """Return the output stages that the machine must have."""
        return ()

    @abstractmethod
    def emit(self, emitter: Emitter, slots: Slots, head: int) -> None:
        """Emit what gives the codes of a head."""

    def tag_of(self, slots: Slots, head: int) -> Tag:
        """Return the tag of the codes of a head."""
        return score_tag(self.shown, slots.part, head, slots.keys)


@dataclass(frozen=True, eq=False)
class Softened(ScoreStep):
    """A softmax.

    Attributes:
        form: the softmax.
    """

    form: SoftmaxRows
    in_place = True

    @property
    def bits(self) -> int:
        """Width of its codes."""
        return self.form.bits

    def emit(self, emitter: Emitter, slots: Slots, head: int) -> None:
        """Emit the softmax of a head."""
        view = slots.view(slots.sources[head])
        emitter.emit(
            isa.Softmax(
                kind=KINDS.index(self.form.kind),
                src=view,
                dst=view,
                rows=1,
                pixels=slots.part.pixels,
                length=slots.keys,
                bits=self.form.bits,
                high=slots.words if self.form.bits > BYTE else 0,
            ),
            self.tag_of(slots, head),
        )


@dataclass(frozen=True, eq=False)
class Shifted(ScoreStep):
    """A factor, and summands that may differ between keys, queries and heads.

    Attributes:
        sums: the factor and the summands.
        shape: pixels, queries, heads and keys.
    """

    sums: Sums
    shape: tuple[int, ...]

    @property
    def bits(self) -> int:
        """Width of its codes."""
        return self.sums.stage.bits

    @property
    def room_planes(self) -> int:
        """Bytes of a summand."""
        return len(self.sums.weight) if self.sums.summand is not None else 0

    def stages(self) -> Sequence[OutputStage]:
        """Return that of the sum."""
        return (self.sums.stage,)

    @cached_property
    def _part(self) -> Part:
        return part_of(self.sums, 0, WORD * ceil_div(self.shape[-1], WORD))

    @cached_property
    def _summands(self) -> NDArray[np.uint8]:
        """Bytes (pixels, heads, bytes of a summand, bytes of all queries) as they lie in DRAM."""
        pixels, queries, heads, keys = self.shape
        padded = np.zeros((pixels, queries, heads, WORD * ceil_div(keys, WORD)), np.int64)
        padded[..., :keys] = self.sums.summands(pixels * queries, heads).reshape(self.shape)
        planes = np.stack(byte_planes(padded, self.room_planes))
        rows = planes.transpose(1, 3, 0, 2, 4).reshape(pixels, heads, len(planes), -1)
        filled = np.zeros((*rows.shape[:3], ceil_div(rows.shape[3], BEAT) * BEAT), np.uint8)
        filled[..., : rows.shape[3]] = rows
        return filled

    def emit(self, emitter: Emitter, slots: Slots, head: int) -> None:
        """Emit the load of the summands, and the sum."""
        passes, source = len(self.sums.weight), slots.view(slots.sources[head])
        taps: dict[str, Any] = {}
        if self.sums.summand is not None:
            self._load(emitter, slots, head)
            source = stepped_back(source, (passes - 1) * slots.words)
            apart = (slots.room - source.base) & 0xFFFF
            taps = {"kernel_y": 2, "ky_stride": apart, "pass_stride": slots.words}
        elif self.sums.planes > 1:
            source = slots.view(slots.sources[head], self.sums.planes - 1)
            taps = {"pass_stride": -slots.words & 0xFFFF}
        emit_part(emitter, self._part, slots, head, source, self.tag_of(slots, head), taps)
        if self.sums.summand is not None:
            emitter.forget("features", slots.room, slots.room + passes * slots.words)

    def _load(self, emitter: Emitter, slots: Slots, head: int) -> None:
        """Load the summands of some queries, a byte of all behind the other."""
        data, part = self._summands[slots.part.y0, head], slots.part
        emitter.emit(
            isa.LoadMap(
                base=isa.CONSTANTS,
                offset=emitter.constant(data.tobytes()) + WORD * slots.group * part.x0,
                rows=len(data),
                pixels=part.pixels,
                words=slots.group,
                pitch=data.shape[1],
                view=View(slots.room, slots.words, slots.group),
            )
        )


@dataclass(frozen=True, eq=False)
class Mixed(ScoreStep):
    """Heads that are mixed at every query and key.

    Attributes:
        dense: the sums of a dense layer from heads to heads.
        keys: codes of a row.
    """

    dense: Sums
    keys: int
    mixes = True

    @property
    def bits(self) -> int:
        """Width of its codes."""
        return self.dense.stage.bits

    def stages(self) -> Sequence[OutputStage]:
        """Return that of the dense layer."""
        return (self.dense.stage,)

    @cached_property
    def _parts(self) -> list[Part]:
        """The sums of every head: heads are taps, and all keys have the same weights."""
        passes, _, _, _, heads, outputs = self.dense.weight.shape
        stage, found = self.dense.stage, []
        for head in range(outputs):
            weight = self.dense.weight[:, :, 0, 0, :, head].reshape(passes, 1, heads, 1, 1)
            same = np.full(self.keys, head)
            sums = replace(
                self.dense,
                weight=weight.repeat(self.keys, axis=-1),
                depthwise=True,
                stage=OutputStage(
                    bias=stage.bias[same],
                    multiplier=stage.multiplier[same],
                    shift=stage.shift[same],
                    zero=stage.zero[same],
                    bits=stage.bits,
                ),
                sliding=Sliding((heads, 1)),
            )
            found.append(part_of(sums, 0, WORD * ceil_div(self.keys, WORD)))
        return found

    def emit(self, emitter: Emitter, slots: Slots, head: int) -> None:
        """Emit a sum over the slots of all heads."""
        first, planes = slots.sources[0], self.dense.planes
        taps: dict[str, Any] = {
            "kernel_y": len(slots.sources),
            "ky_stride": slots.sources[1] - first if len(slots.sources) > 1 else 0,
            "pass_stride": -slots.words & 0xFFFF if planes > 1 else 0,
        }
        source = slots.view(first, planes - 1)
        tag = self.tag_of(slots, head)
        emit_part(emitter, self._parts[head], slots, head, source, tag, taps)


def emit_part(
    emitter: Emitter,
    part: Part,
    slots: Slots,
    head: int,
    source: View,
    tag: Tag,
    taps: dict[str, Any],
) -> None:
    """Emit a depthwise sum over slots, for every byte of its codes.

    Args:
        emitter: takes the instructions.
        part: the sum.
        slots: the slots.
        head: the head whose slot is written.
        source: where the first tap is.
        tag: what the codes are.
        taps: the fields that lead from tap to tap.
    """
    sums, planes = part.sums, ceil_div(part.sums.stage.bits, BYTE)
    passes = sums.weight.shape[0]
    for plane in reversed(range(planes)):
        emitter.emit(
            isa.Array(
                src=source,
                dst=slots.view(slots.targets[head], plane),
                rows=1,
                pixels=slots.part.pixels,
                groups=ceil_div(slots.keys, OUTPUTS),
                channels=WORD * slots.group,
                bits=sums.stage.bits,
                steps=1,
                passes=passes,
                depthwise=1,
                hold=int(part.hold),
                repeat=int(part.repeat),
                digits=int(passes > 1),
                high=plane,
                weights=emitter.weights(weight_bytes(part.words)),
                weight_group=part.words.shape[1],
                param=emitter.parameters(part.params.tobytes()),
                **taps,
            ),
            tag,
        )
