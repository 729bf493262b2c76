"""Attention as instructions: scores, probabilities and values stay on the chip, head by head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import Buffer, Tile
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import check_stage
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms import KINDS, AttendedSums, SoftmaxRows
from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import TensorLayout, ceil_div, records, table_bytes, value_records
from hyq_hls.engine.machine_sizes import INPUTS, MAX_LENGTH, OUTPUTS, WORD, Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError


@dataclass(frozen=True, eq=False)
class Attention:
    """Three nodes that are one in the engine.

    Attributes:
        scores: queries and keys.
        softmax: probabilities.
        values: probabilities and values.
        tags: nodes of the three.
    """

    scores: AttendedSums
    softmax: SoftmaxRows
    values: AttendedSums
    tags: tuple[Tag, ...]

    @property
    def is_wide(self) -> bool:
        """Whether a probability takes two bytes."""
        return self.values.operand.passes > 1 and self.values.operand.one_hot is None


class AttentionUnit(TiledUnit):
    """Scores, softmax and values; its inputs are queries, keys and values."""

    def __init__(
        self,
        node: str,
        inputs: tuple[str, str, str],
        layout: TensorLayout,
        key: TensorLayout,
        form: Attention,
    ) -> None:
        super().__init__(node, inputs, node, layout)
        self.form, self.keys = form, key.pixels
        self._starts = [0]
        self._records = b""

    @property
    def size(self) -> int:
        """Channels of a head."""
        return self.layout.channels // self.form.values.heads

    @property
    def keeps_columns(self) -> bool:
        """A token looks at all tokens."""
        return False

    @property
    def whole_rows(self) -> bool:
        """A token looks at all tokens of its row."""
        return True

    def prepare(self, sizes: Sizes) -> None:
        """Make the channel records; check all sizes."""
        form = self.form
        check_stage(form.scores.stage, sizes)
        check_stage(form.values.stage, sizes)
        if self.keys > sizes.softmax_length:
            raise ConversionError(
                f"attention over {self.keys} keys; the engine's softmax takes "
                f"{sizes.softmax_length}; take one with a larger softmax_length, up to "
                f"{MAX_LENGTH}, or a smaller image"
            )
        self._make_records()
        if self._starts[-1] > sizes.parameter_groups:
            raise ConversionError(
                f"attention over {self.keys} keys with {self.layout.channels} channels takes "
                f"{self._starts[-1]} groups of channel records; the engine has "
                f"{sizes.parameter_groups}; take one with more"
            )
        self.parameter_bytes = len(self._records)
        if self._weight_words > sizes.weight_words:
            raise ConversionError(
                f"{self.keys} keys and values of {self.size} channels take {self._weight_words} "
                f"words of weights; the engine has {sizes.weight_words}; take one with more, or a "
                "smaller image"
            )
        self.weight_bytes = self._weight_words * OUTPUTS * INPUTS
        self.instructions = 5 * form.values.heads

    @property
    def _value_base(self) -> int:
        """Weight words of the keys, behind which those of the values lie."""
        return ceil_div(self.keys, OUTPUTS) * ceil_div(self.size, INPUTS)

    @property
    def _weight_words(self) -> int:
        return self._value_base + ceil_div(OUTPUTS - 1 + self.size, OUTPUTS) * ceil_div(
            self.keys, INPUTS
        )

    def _make_records(self) -> None:
        form, size = self.form, self.size
        one = records(form.scores.stage)[:1]
        blocks = [
            one.repeat(ceil_div(self.keys, OUTPUTS) * OUTPUTS),
            records(form.values.stage),
            value_records(form.scores.zero[:size], "bias"),
            *(
                value_records(form.values.zero[h * size : (h + 1) * size], "bias")
                for h in range(form.values.heads)
            ),
        ]
        self._starts = [0]
        for block in blocks:
            self._starts.append(self._starts[-1] + block.size // OUTPUTS)
        self._records = b"".join(block.tobytes() for block in blocks)

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of the scores of P queries, and of all queries."""
        del step
        words = (2 if self.form.is_wide else 1) * ceil_div(self.keys, WORD)
        return words, ceil_div(self.layout.pixels, pixels) * words

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the attention of the tokens that are the same pixels of their patches."""
        tables = table_bytes(self.form.softmax.exponentials, "<u4")
        pixels = emitter.sizes.pixels
        words, _ = self.room(pixels, 1)
        for pixel in range(work.tile.y0, work.tile.y1):
            emitter.exponentials(tables)
            row = _Row(
                emitter=emitter,
                unit=self,
                sources=tuple(work.sources),
                output=work.output,
                pixel=pixel,
                groups=_Groups.of(self._starts, emitter.parameters(self._records)),
                keys_at=emitter.weight_room(self._weight_words),
                values_at=self._value_base,
                scores=work.room[0],
                band=work.room[1] // words * pixels,
            )
            row.compile()


@dataclass(frozen=True)
class _Groups:
    """First groups of the channel records.

    Attributes:
        scores: those of the scores.
        values: those of the weighted values.
        keys: zero points of the keys.
        moved: zero points of the values.
        head: groups from head to head.
    """

    scores: int
    values: int
    keys: int
    moved: int
    head: int

    @classmethod
    def of(cls, starts: Sequence[int], first: int) -> _Groups:
        """Return the groups that begin at ``starts`` behind ``first``."""
        scores, values, keys, moved, end = (first + start for start in starts[:5])
        return cls(scores, values, keys, moved, end - moved)


@dataclass(frozen=True, eq=False)
class _Row:
    """The attention of all tokens that are the same pixel of their patches.

    Attributes:
        emitter: takes the instructions.
        unit: the attention.
        sources: queries, keys and values in the feature memory.
        output: the place of the results there.
        pixel: the pixel, a row of these tensors.
        groups: the channel records.
        keys_at: first weight word of the keys.
        values_at: weight words from there to those of the values.
        scores: first word of the scores and probabilities in the feature memory.
        band: queries that are computed at a time.
    """

    emitter: Emitter
    unit: AttentionUnit
    sources: tuple[Buffer, ...]
    output: Buffer
    pixel: int
    groups: _Groups
    keys_at: int
    values_at: int
    scores: int
    band: int

    @property
    def form(self) -> Attention:
        """The three nodes."""
        return self.unit.form

    @property
    def words(self) -> int:
        """Words of a byte of the scores of a band."""
        tokens = self.unit.layout.pixels
        groups = ceil_div(min(self.band, tokens), self.emitter.sizes.pixels)
        return groups * ceil_div(self.unit.keys, WORD)

    def compile(self) -> None:
        """Emit the attention of all heads."""
        tokens = self.unit.layout.pixels
        planes = 2 if self.form.is_wide else 1
        for head in range(self.form.values.heads):
            self._move(head)
            for first in range(0, tokens, self.band):
                part = Tile(self.pixel, self.pixel + 1, first, min(first + self.band, tokens))
                self._emit_scores(head, part)
                self._emit_values(head, part)
                self.emitter.forget("features", self.scores, self.scores + planes * self.words)
        words = self.unit.weight_bytes // (OUTPUTS * INPUTS)
        self.emitter.forget("weights", self.keys_at, self.keys_at + words)

    def _move(self, head: int) -> None:
        """Emit what makes weights of keys and values."""
        groups, size = self.groups, self.unit.size
        words = self.unit.weight_bytes // (OUTPUTS * INPUTS)
        self.emitter.forget("weights", self.keys_at, self.keys_at + words)
        for kind, source, param, weights in (
            (isa.KEYS, self.sources[1], groups.keys, self.keys_at),
            (
                *(isa.VALUES, self.sources[2], groups.moved),
                self.keys_at + self.values_at,
            ),
        ):
            values = kind == isa.VALUES
            self.emitter.emit(
                isa.Move(
                    kind=kind,
                    src=replace(source.at(self.pixel, 0), row=0),
                    tokens=source.layout.pixels,
                    channels=size,
                    c0=head * size,
                    first=head * size % OUTPUTS if values else 0,
                    param=param + (head * groups.head if values else 0),
                    weights=weights,
                )
            )

    def _emit_scores(self, head: int, part: Tile) -> None:
        """Emit scores and probabilities of some queries; a query is a pixel, a key a channel."""
        form, keys, size = self.form, self.unit.keys, self.unit.size
        query = self.sources[0]
        view = View(self.scores, 0, ceil_div(keys, WORD))
        index = (part.y0, slice(part.x0, part.x1), head, slice(0, keys))
        self.emitter.emit(
            isa.Array(
                src=replace(query.at(self.pixel, part.x0), row=0),
                dst=view,
                rows=1,
                pixels=part.pixels,
                groups=ceil_div(keys, OUTPUTS),
                channels=WORD * view.group,
                bits=form.scores.stage.bits,
                steps=ceil_div(size, INPUTS),
                c0=head * size,
                pass_stride=query.words if form.scores.operand.passes > 1 else 0,
                **_operand_fields(form.scores),
                weights=self.keys_at,
                weight_group=ceil_div(size, INPUTS),
                param=self.groups.scores,
            ),
            replace(form.tags[0], index=index, lanes=(0, keys)),
        )
        self.emitter.emit(
            isa.Softmax(
                kind=KINDS.index(form.softmax.kind),
                src=view,
                dst=view,
                rows=1,
                pixels=part.pixels,
                length=keys,
                bits=form.softmax.bits,
                high=self.words if form.softmax.bits > BYTE else 0,
            ),
            replace(form.tags[1], index=index, lanes=(0, keys)),
        )

    def _emit_values(self, head: int, part: Tile) -> None:
        """Emit the values of some queries, whose lanes keep their channels modulo 16."""
        form, layout, keys = self.form, self.unit.layout, self.unit.keys
        size = self.unit.size
        channel, first = head * size, head * size % OUTPUTS
        last = head == form.values.heads - 1
        end = WORD * layout.words if last else channel + size
        wide = form.is_wide
        dst = self.output.at(self.pixel, part.x0)
        self.emitter.emit(
            isa.Array(
                src=View(self.scores + (self.words if wide else 0), 0, ceil_div(keys, WORD)),
                dst=replace(dst, base=dst.base + (channel - first) // WORD, row=0),
                rows=1,
                pixels=part.pixels,
                groups=ceil_div(first + end - channel, OUTPUTS),
                channels=end - channel,
                bits=form.values.stage.bits,
                steps=ceil_div(keys, INPUTS),
                pass_stride=-self.words & 0xFFFF if wide else 0,
                **_operand_fields(form.values),
                weights=self.keys_at + self.values_at,
                weight_group=ceil_div(keys, INPUTS),
                param=self.groups.values + channel // OUTPUTS,
                first=first,
            ),
            replace(
                form.tags[2],
                index=(part.y0, slice(part.x0, part.x1), slice(channel, channel + size)),
                lanes=(0, size),
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
