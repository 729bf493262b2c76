"""Attention as one piece: its sizes, its channel records, and its places on the chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine.compiler.attention_rows import Attention, HeadSizes, Records, Row
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.score_steps import Softened
from hyq_hls.engine.compiler.sums import check_stage
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.layout import TensorLayout, ceil_div, records, table_bytes, value_records
from hyq_hls.engine.machine_sizes import INPUTS, MAX_LENGTH, OUTPUTS, WORD, Sizes
from hyq_hls.errors import ConversionError


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
        heads = form.values.heads
        self.form = form
        self.sizes = HeadSizes(key.pixels, form.scores.terms, layout.channels // heads)

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
        form, head = self.form, self.sizes
        inner = [stage for step in form.steps for stage in step.stages()]
        for stage in (form.scores.stage, *inner, form.values.stage):
            check_stage(stage, sizes)
        if head.keys > sizes.softmax_length:
            raise ConversionError(
                f"attention over {head.keys} keys; the engine's softmax takes "
                f"{sizes.softmax_length}; take one with a larger softmax_length, up to "
                f"{MAX_LENGTH}, or a smaller image"
            )
        self.records = Records(self._blocks(), sizes)
        most = ceil_div(max(head.keys, OUTPUTS - 1 + head.size, head.key_size), OUTPUTS)
        if most > sizes.parameter_groups:
            raise ConversionError(
                f"attention over {head.keys} keys with {head.size} channels in a head takes up to "
                f"{most} groups of channel records at a time; the engine has "
                f"{sizes.parameter_groups}; take one with more"
            )
        self.parameter_bytes = self.records.bytes
        if head.weight_words > sizes.weight_words:
            raise ConversionError(
                f"{head.keys} keys and values of {head.size} channels take {head.weight_words} "
                f"words of weights; the engine has {sizes.weight_words}; take one with more, or a "
                "smaller image"
            )
        self.weight_bytes = head.weight_words * OUTPUTS * INPUTS
        self.instructions = (3 + 2 * len(form.steps)) * self.layout.planes * form.values.heads

    def _blocks(self) -> dict[str, NDArray[np.void]]:
        """Return the records of scores, of weighted values, and of the zero points of both."""
        form, size = self.form, self.sizes.size
        one = records(form.scores.stage)[:1]
        blocks = {
            "scores": one.repeat(ceil_div(self.sizes.keys, OUTPUTS) * OUTPUTS),
            "values": records(form.values.stage),
            "keys": value_records(form.scores.zero[: self.sizes.key_size], "bias"),
        }
        for head in range(form.values.heads):
            zero = form.values.zero[head * size : (head + 1) * size]
            blocks[f"values of head {head}"] = value_records(zero, "bias")
        return blocks

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words of the scores of P queries, and of all queries."""
        del step
        words = self.form.score_planes * ceil_div(self.sizes.keys, WORD)
        return words, ceil_div(self.layout.pixels, pixels) * words

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the attention of the tokens that are the same pixels of their patches."""
        tables = [
            table_bytes(step.form.exponentials, "<u4")
            for step in self.form.steps
            if isinstance(step, Softened)
        ]
        for pixel in range(work.tile.y0, work.tile.y1):
            emitter.exponentials(*tables)
            Row(*(emitter, self.form, self.sizes, self.layout, self.records, work, pixel)).compile()
