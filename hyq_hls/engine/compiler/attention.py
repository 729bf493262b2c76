"""Attention as instructions: scores, probabilities and values stay on the chip, head by head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import check_stage, output_view, store
from hyq_hls.engine.compiler.tiles import Input, Tile
from hyq_hls.engine.forms import KINDS, AttendedSums, Sliding, SoftmaxRows
from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import Place, ceil_div, records, table_bytes, value_records
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD
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


def compile_attention(
    emitter: Emitter, form: Attention, query: Place, key: Place, value: Place, output: Place
) -> None:
    """Emit scores, softmax and values.

    Raises:
        ConversionError: something does not fit the machine.
    """
    sizes = emitter.sizes
    keys, channels = key.layout.pixels, value.layout.channels
    size = channels // form.values.heads
    check_stage(form.scores.stage, sizes)
    check_stage(form.values.stage, sizes)
    if keys > sizes.softmax_length:
        raise ConversionError(
            f"attention over {keys} keys; the engine's softmax takes {sizes.softmax_length}; take "
            "one with a larger softmax_length, or a smaller image"
        )
    groups = _load_parameters(emitter, form, keys, channels)
    exponentials = table_bytes(form.softmax.exponentials, "<u4")
    emitter.load_block(isa.EXPONENTIALS, exponentials)
    value_base = ceil_div(keys, OUTPUTS) * ceil_div(size, INPUTS)
    spread = ceil_div(OUTPUTS - 1 + size, OUTPUTS) * ceil_div(keys, INPUTS)
    if value_base + spread > sizes.weight_words:
        raise ConversionError(
            f"{keys} keys and values of {size} channels take {value_base + spread} words of "
            f"weights; the engine has {sizes.weight_words}; take one with more, or a smaller image"
        )
    for pixel in range(output.layout.rows):
        row = _Row.loaded(emitter, form, (query, key, value, output), pixel, groups, value_base)
        row.compile()


def _load_parameters(emitter: Emitter, form: Attention, keys: int, channels: int) -> _Groups:
    size = channels // form.values.heads
    head = ceil_div(size, OUTPUTS)
    one = records(form.scores.stage)[:1]
    blocks = [
        one.repeat(ceil_div(keys, OUTPUTS) * OUTPUTS),
        records(form.values.stage),
        value_records(form.scores.zero[:size], "bias"),
        *(
            value_records(form.values.zero[h * size : (h + 1) * size], "bias")
            for h in range(form.values.heads)
        ),
    ]
    starts = [0]
    for block in blocks:
        starts.append(starts[-1] + block.size // OUTPUTS)
    if starts[-1] > emitter.sizes.parameter_groups:
        raise ConversionError(
            f"attention over {keys} keys with {channels} channels takes {starts[-1]} groups of "
            f"channel records; the engine has {emitter.sizes.parameter_groups}; take one with more"
        )
    data = b"".join(block.tobytes() for block in blocks)
    emitter.load_block(isa.PARAMETERS, data)
    return _Groups(starts[0], starts[1], starts[2], starts[3], head)


@dataclass(frozen=True, eq=False)
class _Row:
    """The attention of all tokens that are the same pixel of their patches.

    Attributes:
        emitter: takes the instructions.
        form: the attention.
        query, key, value, output: the tensors in DRAM.
        pixel: the pixel, a row of these tensors.
        groups: the channel records.
        value_base: first weight word of the values; the keys begin at 0.
        bases: first words of queries, keys and values in the feature memory.
        start: first word of the results there.
        scores: first word of the scores and probabilities there.
        words: words of a byte of each of them.
        band: queries that are computed at a time.
    """

    emitter: Emitter
    form: Attention
    query: Place
    key: Place
    value: Place
    output: Place
    pixel: int
    groups: _Groups
    value_base: int
    bases: tuple[int, ...]
    start: int
    scores: int
    words: int
    band: int

    @classmethod
    def loaded(
        cls,
        emitter: Emitter,
        form: Attention,
        places: tuple[Place, Place, Place, Place],
        pixel: int,
        groups: _Groups,
        value_base: int,
    ) -> _Row:
        """Emit the loads of a row and return it."""
        sizes = emitter.sizes
        *sources, output = places
        emitter.begin_tile()
        bases = []
        for place in sources:
            tile = Tile(pixel, pixel + 1, 0, place.layout.pixels)
            source = Input(place, Sliding(), tile, sizes.pixels)
            bases.append(emitter.reserve(source.words))
            source.load(emitter, bases[-1], 0, 0)
        tokens, keys = output.layout.pixels, sources[1].layout.pixels
        whole = Tile(pixel, pixel + 1, 0, tokens)
        start = emitter.reserve(output_view(whole, output.layout, sizes, 0).row)
        planes = 2 if _is_wide(form) else 1
        band, words = _band(emitter, tokens, keys, planes)
        scores = emitter.reserve(planes * words)
        return cls(
            *(emitter, form, *places, pixel, groups, value_base),
            *(tuple(bases), start, scores, words, band),
        )

    @property
    def keys(self) -> int:
        """Number of keys."""
        return self.key.layout.pixels

    @property
    def size(self) -> int:
        """Channels of a head."""
        return self.output.layout.channels // self.form.values.heads

    def compile(self) -> None:
        """Emit the attention of all heads."""
        tokens = self.output.layout.pixels
        planes = 2 if _is_wide(self.form) else 1
        for head in range(self.form.values.heads):
            self._move(head)
            for first in range(0, tokens, self.band):
                part = Tile(self.pixel, self.pixel + 1, first, min(first + self.band, tokens))
                self.emitter.forget("features", self.scores, self.scores + planes * self.words)
                self._emit_scores(head, part)
                self._emit_values(head, part)
        store(self.emitter, self.output, Tile(self.pixel, self.pixel + 1, 0, tokens), self.start)

    def _move(self, head: int) -> None:
        """Emit what makes weights of keys and values."""
        groups = self.groups
        self.emitter.forget("weights", 0, self.emitter.sizes.weight_words)
        for kind, place, base, param, weights in (
            (isa.KEYS, self.key, self.bases[1], groups.keys, 0),
            (
                *(isa.VALUES, self.value, self.bases[2]),
                *(groups.moved + head * groups.head, self.value_base),
            ),
        ):
            self.emitter.emit(
                isa.Move(
                    kind=kind,
                    src=View(base, 0, place.layout.words),
                    tokens=place.layout.pixels,
                    channels=self.size,
                    c0=head * self.size,
                    first=head * self.size % OUTPUTS if kind == isa.VALUES else 0,
                    param=param,
                    weights=weights,
                )
            )

    def _emit_scores(self, head: int, part: Tile) -> None:
        """Emit scores and probabilities of some queries; a query is a pixel, a key a channel."""
        form, keys = self.form, self.keys
        view = View(self.scores, 0, ceil_div(keys, WORD))
        index = (part.y0, slice(part.x0, part.x1), head, slice(0, keys))
        self.emitter.emit(
            isa.Array(
                src=View(self.bases[0], 0, self.query.layout.words, part.x0),
                dst=view,
                rows=1,
                pixels=part.pixels,
                groups=ceil_div(keys, OUTPUTS),
                channels=WORD * view.group,
                bits=form.scores.stage.bits,
                steps=ceil_div(self.size, INPUTS),
                c0=head * self.size,
                **_operand_fields(form.scores),
                weight_group=ceil_div(self.size, INPUTS),
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
        form, layout, keys, size = self.form, self.output.layout, self.keys, self.size
        channel, first = head * size, head * size % OUTPUTS
        last = head == form.values.heads - 1
        end = WORD * layout.words if last else channel + size
        wide = _is_wide(form)
        self.emitter.emit(
            isa.Array(
                src=View(self.scores + (self.words if wide else 0), 0, ceil_div(keys, WORD)),
                dst=View(self.start + (channel - first) // WORD, 0, layout.words, part.x0),
                rows=1,
                pixels=part.pixels,
                groups=ceil_div(first + end - channel, OUTPUTS),
                channels=end - channel,
                bits=form.values.stage.bits,
                steps=ceil_div(keys, INPUTS),
                pass_stride=-self.words & 0xFFFF if wide else 0,
                **_operand_fields(form.values),
                weights=self.value_base,
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


def _band(emitter: Emitter, tokens: int, keys: int, planes: int) -> tuple[int, int]:
    """Return how many queries are computed at a time, and the words of their scores."""
    pixels, words = emitter.sizes.pixels, ceil_div(keys, WORD)
    groups = min(emitter.free // (planes * words), ceil_div(tokens, pixels))
    if groups < 1:
        raise ConversionError(
            f"{pixels} rows of {keys} scores do not fit beside queries, keys and values in the "
            "feature memory; take an engine with a larger one, or a smaller image"
        )
    return groups * pixels, groups * words


def _is_wide(form: Attention) -> bool:
    """Return whether a probability takes two bytes."""
    return form.values.operand.passes > 1 and form.values.operand.one_hot is None


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
