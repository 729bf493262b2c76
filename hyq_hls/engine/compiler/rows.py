"""LayerNorm, and codes that change places, as instructions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.sums import output_view, store
from hyq_hls.engine.compiler.tiles import Input, Tile, tiles
from hyq_hls.engine.forms import NormRows, Patches, Sliding
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import BEAT, Place, ceil_div, norm_bytes
from hyq_hls.engine.machine_sizes import WORD
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError


def compile_norm(emitter: Emitter, form: NormRows, source: Place, output: Place, tag: Tag) -> None:
    """Emit a LayerNorm.

    Raises:
        ConversionError: the rows are too long.
    """
    sizes, layout = emitter.sizes, output.layout
    if form.channels > sizes.norm_channels:
        raise ConversionError(
            f"a LayerNorm over {form.channels} channels; the engine's unit has "
            f"{sizes.norm_channels}; take one with more norm_channels"
        )
    emitter.load_block(isa.NORM, norm_bytes(form))

    def source_of(tile: Tile) -> Input:
        return Input(source, Sliding(), tile, sizes.pixels)

    def output_words(tile: Tile) -> int:
        return tile.rows * output_view(tile, layout, sizes, 0).row

    def words(tile: Tile) -> int:
        return source_of(tile).words + output_words(tile)

    for tile in tiles(layout.rows, layout.pixels, sizes.pixels, words, sizes.feature_words):
        emitter.begin_tile()
        found = source_of(tile)
        base = emitter.reserve(found.words)
        found.load(emitter, base, 0, 0)
        start = emitter.reserve(output_words(tile))
        index = (slice(tile.y0, tile.y1), slice(tile.x0, tile.x1), slice(0, form.channels))
        emitter.emit(
            isa.Norm(
                src=found.view(base),
                dst=output_view(tile, layout, sizes, start),
                rows=tile.rows,
                pixels=tile.pixels,
                bits=form.bits,
            ),
            replace(tag, index=index, lanes=(0, form.channels)),
        )
        store(emitter, output, tile, start)


def compile_patches(emitter: Emitter, form: Patches, source: Place, output: Place) -> None:
    """Emit an unfold or a fold: loads and stores, of some rows of patches at a time.

    In the feature memory lies the map, its columns split into as many planes as a patch has
    columns. The rows of one plane that belong to one pixel of the patches are tokens in order.

    Raises:
        ConversionError: a row of patches does not fit, or does not fill beats.
    """
    sizes, (ph, pw) = emitter.sizes, form.patch
    whole, tokens = (source, output) if form.to_tokens else (output, source)
    words, across = whole.layout.words, form.width // pw
    if across * words * WORD % BEAT:
        raise ConversionError(
            f"rows of {across} patches with {whole.layout.channels} channels do not fill the "
            f"{BEAT} bytes of a beat; use an even number of patches in a row, or more channels"
        )
    plane_words = ceil_div(across, sizes.pixels) * words
    row_words = pw * plane_words

    def needed(tile: Tile) -> int:
        return tile.rows * ph * row_words

    for plane in range(whole.layout.planes):
        for tile in tiles(form.height // ph, 1, 1, needed, sizes.feature_words):
            emitter.begin_tile()
            base = emitter.reserve(needed(tile))
            of_map: dict[str, Any] = {
                "base": whole.base,
                "offset": whole.at(plane, tile.y0 * ph, 0),
                "rows": tile.rows * ph,
                "pixels": form.width,
                "words": words,
                "pitch": whole.layout.pitch,
                "planes": pw,
                "plane": plane_words,
                "view": View(base, row_words, words),
            }
            of_tokens: list[dict[str, Any]] = [
                {
                    "base": tokens.base,
                    "offset": tokens.at(plane, a * pw + b, tile.y0 * across),
                    "rows": tile.rows,
                    "pixels": across,
                    "words": words,
                    "pitch": across * words * WORD,
                    "view": View(base + a * row_words + b * plane_words, ph * row_words, words),
                }
                for a in range(ph)
                for b in range(pw)
            ]
            loads, stores = ([of_map], of_tokens) if form.to_tokens else (of_tokens, [of_map])
            for fields in loads:
                emitter.emit(isa.LoadMap(**fields))
            for fields in stores:
                emitter.emit(isa.Store(**fields))
