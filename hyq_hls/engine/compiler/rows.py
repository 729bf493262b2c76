"""LayerNorm as instructions."""

from __future__ import annotations

from dataclasses import replace

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.unit import TiledUnit, TileWork
from hyq_hls.engine.forms import NormRows
from hyq_hls.engine.layout import TensorLayout, norm_bytes
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Tag
from hyq_hls.errors import ConversionError


class NormUnit(TiledUnit):
    """A LayerNorm."""

    def __init__(
        self, node: str, source: str, layout: TensorLayout, form: NormRows, tag: Tag
    ) -> None:
        super().__init__(node, (source,), node, layout)
        self.form, self.tag = form, tag

    def prepare(self, sizes: Sizes) -> None:
        """Check that the unit has enough channels."""
        if self.form.channels > sizes.norm_channels:
            raise ConversionError(
                f"a LayerNorm over {self.form.channels} channels; the engine's unit has "
                f"{sizes.norm_channels}; take one with more norm_channels"
            )

    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the rows of a tile."""
        emitter.norm(norm_bytes(self.form))
        tile, output, (source,) = work.tile, work.output, work.sources
        channels = slice(0, self.form.channels)
        for x, pixels in output.columns(tile.x0, tile.x1):
            columns = slice(x, x + (pixels - 1) * output.step + 1, output.step)
            emitter.emit(
                isa.Norm(
                    src=source.at(tile.y0, x),
                    dst=output.at(tile.y0, x),
                    rows=tile.rows,
                    pixels=pixels,
                    bits=self.form.bits,
                ),
                replace(
                    self.tag,
                    index=(slice(tile.y0, tile.y1), columns, channels),
                    lanes=(0, self.form.channels),
                ),
            )
