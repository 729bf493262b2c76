"""Codes that change places between a map in DRAM and tokens: loads and stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.buffers import MAX_STEP, Buffer
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.unit import Unit
from hyq_hls.engine.forms import Patches
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import BEAT, Place, TensorLayout, ceil_div
from hyq_hls.engine.machine_sizes import WORD, Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError


class PatchesUnit(Unit):
    """An unfold, which loads tokens from a map in DRAM, or a fold, which stores them there.

    Tokens of a row are the same pixel of their patches. The columns of a patch, which are
    neighbours in the map, are rows of the tokens; a transfer splits or joins them.
    """

    def __init__(
        self, node: str, source: str, whole: TensorLayout, tokens: TensorLayout, form: Patches
    ) -> None:
        super().__init__(node, (source,), node, tokens if form.to_tokens else whole)
        self.form, self.whole, self.tokens = form, whole, tokens

    @property
    def across(self) -> int:
        """Patches of a row."""
        return self.form.width // self.form.patch[1]

    @property
    def keeps_columns(self) -> bool:
        """Columns of a map are no tokens."""
        return False

    def prepare(self, sizes: Sizes) -> None:
        """Check that the columns of a patch can be split."""
        del sizes
        if self.form.patch[1] > MAX_STEP:
            raise ConversionError(
                f"patches of {self.form.patch[1]} columns; the engine splits columns into "
                f"{MAX_STEP}; use smaller ones"
            )

    def load(self, emitter: Emitter, place: Place, tokens: Buffer, y0: int, y1: int) -> None:
        """Load rows of tokens from the map; they are those of whole rows of a patch."""
        for fields in self._transfers(place, tokens, y0, y1):
            emitter.emit(isa.LoadMap(**fields))

    def store(self, emitter: Emitter, place: Place, tokens: Buffer, y0: int, y1: int) -> None:
        """Store rows of tokens into the map; they are those of whole rows of a patch."""
        for fields in self._transfers(place, tokens, y0, y1):
            emitter.emit(isa.Store(**fields), Tag(self.output, (), (0, 0)))

    def _transfers(
        self, place: Place, tokens: Buffer, y0: int, y1: int
    ) -> Iterator[dict[str, Any]]:
        (ph, pw), words = self.form.patch, self.whole.words
        rows = self.form.height // ph
        group = ceil_div(self.across, tokens.pixels_of_array) * words
        # Rows of patches that begin in other banks are transferred one by one.
        at_a_time = 1 if self.across % tokens.pixels_of_array else rows
        for plane in range(self.whole.planes):
            for a in range(y0 // pw, y1 // pw):
                for y in range(0, rows, at_a_time):
                    view = tokens.at(a * pw, y * self.across, plane)
                    yield {
                        "base": place.base,
                        "offset": place.at(plane, y * ph + a, 0),
                        "rows": at_a_time,
                        "pixels": self.form.width,
                        "words": words,
                        "pitch": ph * self.whole.pitch,
                        "planes": pw,
                        "plane": tokens.row_words,
                        "view": View(view.base, group, words, view.x0),
                    }

    def emit_in_dram(self, emitter: Emitter, source: Place, output: Place) -> None:
        """Emit loads and stores of some rows of patches at a time.

        In the feature memory lies the map, its columns split into as many planes as a patch has
        columns. The rows of one plane that belong to one pixel of the patches are tokens in order.

        Raises:
            ConversionError: a row of patches does not fit, or does not fill beats.
        """
        sizes, (ph, pw) = emitter.sizes, self.form.patch
        words, across = self.whole.words, self.across
        if across * words * WORD % BEAT:
            raise ConversionError(
                f"rows of {across} patches with {self.whole.channels} channels do not fill the "
                f"{BEAT} bytes of a beat; use an even number of patches in a row, or more channels"
            )
        plane_words = ceil_div(across, sizes.pixels) * words
        needed = ph * pw * plane_words
        at_a_time = sizes.feature_words // needed
        if at_a_time < 1:
            raise ConversionError(
                f"a row of patches needs {needed} words of every bank of the feature memory, "
                f"which has {sizes.feature_words}; take an engine with a larger one"
            )
        rows = self.form.height // ph
        for plane in range(self.whole.planes):
            for y in range(0, rows, at_a_time):
                emitter.forget("features", 0, sizes.feature_words)
                count = min(at_a_time, rows - y)
                self._transfer_band(emitter, (source, output), plane, y, count, plane_words)

    def _transfer_band(
        self,
        emitter: Emitter,
        places: tuple[Place, Place],
        plane: int,
        y: int,
        count: int,
        plane_words: int,
    ) -> None:
        (ph, pw), words, across = self.form.patch, self.whole.words, self.across
        whole, tokens = places if self.form.to_tokens else places[::-1]
        row_words = pw * plane_words
        of_map: dict[str, Any] = {
            "base": whole.base,
            "offset": whole.at(plane, y * ph, 0),
            "rows": count * ph,
            "pixels": self.form.width,
            "words": words,
            "pitch": self.whole.pitch,
            "planes": pw,
            "plane": plane_words,
            "view": View(0, row_words, words),
        }
        of_tokens: list[dict[str, Any]] = [
            {
                "base": tokens.base,
                "offset": tokens.at(plane, a * pw + b, y * across),
                "rows": count,
                "pixels": across,
                "words": words,
                "pitch": across * words * WORD,
                "view": View(a * row_words + b * plane_words, ph * row_words, words),
            }
            for a in range(ph)
            for b in range(pw)
        ]
        loads, stores = ([of_map], of_tokens) if self.form.to_tokens else (of_tokens, [of_map])
        for fields in loads:
            emitter.emit(isa.LoadMap(**fields))
        for fields in stores:
            emitter.emit(isa.Store(**fields), Tag(self.output, (), (0, 0)))
