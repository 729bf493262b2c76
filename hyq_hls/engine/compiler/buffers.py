"""Rectangles of tensors in the feature memory: how they lie there, how they come and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.forms import Sliding
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import Place, TensorLayout, ceil_div, empty_records, value_records
from hyq_hls.engine.machine_sizes import INPUTS, OUTPUTS, WORD
from hyq_hls.engine.program import Lying, Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes

MAX_STEP = 15


@dataclass(frozen=True)
class Tile:
    """A rectangle of an output.

    Attributes:
        y0, y1: first row, and the one behind the last.
        x0, x1: first pixel, and the one behind the last.
    """

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.y1 - self.y0

    @property
    def pixels(self) -> int:
        """Number of pixels in a row."""
        return self.x1 - self.x0


@dataclass(frozen=True)
class Buffer:
    """A rectangle of a tensor in the feature memory, all byte planes one after the other.

    Rows and columns are those of the tensor; what lies outside of it is its border. Columns are
    split into ``step`` planes, as a window with that step reads them.

    Attributes:
        layout: the tensor.
        base: first word.
        y0, y1: first row, perhaps above the tensor, and the one behind the last.
        x0, x1: first column, perhaps left of the tensor, and the one behind the last.
        pixels_of_array: P.
        step: planes of columns.
        lead: positions of every plane before the first column, which a load fills where it must
            begin at a multiple of 8 bytes.
    """

    layout: TensorLayout
    base: int
    y0: int
    y1: int
    x0: int
    x1: int
    pixels_of_array: int
    step: int = 1
    lead: int = 0

    @property
    def origin(self) -> int:
        """Column of the first position of the first plane."""
        return self.x0 - self.lead * self.step

    @property
    def plane_words(self) -> int:
        """Words of a plane of columns of a row in every bank."""
        positions = ceil_div(self.x1 - self.origin, self.step)
        return ceil_div(positions, self.pixels_of_array) * self.layout.words

    @property
    def row_words(self) -> int:
        """Words of a row in every bank."""
        return self.step * self.plane_words

    @property
    def words(self) -> int:
        """Words of a byte plane in every bank."""
        return (self.y1 - self.y0) * self.row_words

    @property
    def all_words(self) -> int:
        """Words of all byte planes in every bank."""
        return self.layout.planes * self.words

    def at(self, y: int, x: int, plane: int = 0, down: int = 1) -> View:
        """Return the view that begins with a pixel.

        Args:
            y: its row.
            x: its column; the columns behind it are ``step`` apart.
            plane: byte plane.
            down: rows of the tensor from row to row of the view.
        """
        position, k = divmod(x - self.origin, self.step)
        first = self.base + plane * self.words + (y - self.y0) * self.row_words
        return View(
            first + k * self.plane_words, down * self.row_words, self.layout.words, position
        )

    def columns(self, x0: int, x1: int) -> Iterator[tuple[int, int]]:
        """Yield the first column and the number of columns in each plane, of a range."""
        for x in range(x0, min(x0 + self.step, x1)):
            yield x, ceil_div(x1 - x, self.step)

    def load(self, emitter: Emitter, place: Place, y0: int, y1: int) -> None:
        """Emit the load of what lies inside of the tensor in rows ``y0`` to ``y1``."""
        if self.step > MAX_STEP:
            raise ConversionError(
                f"a step of {self.step} columns; the engine splits columns into {MAX_STEP}; "
                "use a smaller one"
            )
        y0, y1 = max(y0, 0), min(y1, self.layout.rows)
        x0, x1 = max(self.x0 - self.lead, 0), min(self.x1, self.layout.pixels)
        if y1 <= y0 or x1 <= x0:
            return
        for plane in range(self.layout.planes):
            emitter.emit(
                isa.LoadMap(
                    base=place.base,
                    offset=place.at(plane, y0, x0),
                    pitch=self.layout.pitch,
                    **self._transfer(plane, Tile(y0, y1, x0, x1)),
                )
            )

    def store(self, emitter: Emitter, place: Place, tensor: str, tile: Tile) -> None:
        """Emit the store of a tile of the tensor."""
        for plane in range(self.layout.planes):
            emitter.emit(
                isa.Store(
                    base=place.base,
                    offset=place.at(plane, tile.y0, tile.x0),
                    pitch=self.layout.pitch,
                    **self._transfer(plane, tile),
                ),
                Tag(tensor, (), (0, 0)),
            )

    def note(self, emitter: Emitter, tensor: str, tile: Tile) -> None:
        """Note that a tile lies here, behind what was emitted last."""
        for x, pixels in self.columns(tile.x0, tile.x1):
            columns = slice(x, x + (pixels - 1) * self.step + 1, self.step)
            index = slice(tile.y0, tile.y1), columns
            view = self.at(tile.y0, x)
            emitter.note_lying(Lying(tensor, index, view, self.layout.planes, self.words))

    def _transfer(self, plane: int, tile: Tile) -> dict[str, Any]:
        start = tile.x0 - self.origin
        return {
            "rows": tile.rows,
            "pixels": tile.pixels,
            "words": self.layout.words,
            "planes": self.step,
            "x_first": start % self.step,
            "plane": self.plane_words if self.step > 1 else 0,
            "view": replace(self.at(tile.y0, self.origin, plane), x0=start // self.step),
        }

    def fill(self, emitter: Emitter, border: Codes, y0: int, y1: int) -> None:
        """Emit what writes the border in rows ``y0`` to ``y1``.

        Args:
            emitter: takes the instructions.
            border: stored codes (C,), or one for all channels.
            y0: first row.
            y1: row behind the last.
        """
        height, width = self.layout.rows, self.layout.pixels
        top, bottom = min(max(y0, 0), y1), max(min(y1, height), y0)
        regions = (
            Tile(y0, top, self.x0, self.x1),
            Tile(max(bottom, top), y1, self.x0, self.x1),
            Tile(top, bottom, self.x0, min(0, self.x1)),
            Tile(top, bottom, max(width, self.x0), self.x1),
        )
        for region in regions:
            if region.rows > 0:
                self.fill_region(emitter, border, region)

    def fill_region(self, emitter: Emitter, border: Codes, region: Tile) -> None:
        """Emit what writes the same codes (C,), or one for all channels, into a region."""
        layout = self.layout
        codes = np.broadcast_to(border, layout.channels)
        for plane in range(layout.planes):
            for x, count in self.columns(region.x0, region.x1):
                param = emitter.parameters(value_records(codes, "zero").tobytes())
                emitter.emit(
                    isa.Array(
                        src=View(),
                        dst=self.at(region.y0, x, plane),
                        rows=region.rows,
                        pixels=count,
                        groups=ceil_div(WORD * layout.words, OUTPUTS),
                        channels=WORD * layout.words,
                        bits=8 * layout.planes,
                        depthwise=1,
                        source=isa.FROM_CONSTANT,
                        hold=1,
                        param=param,
                        high=int(plane < layout.planes - 1),
                    )
                )

    def move_rows(self, emitter: Emitter, first: int, to: int, count: int, inside: bool) -> None:
        """Emit copies of rows to rows above them.

        Args:
            emitter: takes the instructions.
            first: first row of the buffer, counted from 0, that is copied.
            to: where it goes, above ``first``.
            count: number of rows.
            inside: whether the border's columns need no copy.
        """
        layout, channels = self.layout, WORD * self.layout.words
        x0, x1 = (max(self.x0, 0), min(self.x1, layout.pixels)) if inside else (self.x0, self.x1)
        groups = ceil_div(channels, OUTPUTS)
        identity = np.zeros((groups, OUTPUTS, INPUTS), np.int8)
        identity.reshape(-1, INPUTS)[:channels, 0] = 1
        # Rows that are copied at a time do not overlap those that they replace.
        for start in range(0, count, first - to):
            rows = min(first - to, count - start)
            for plane in range(layout.planes):
                for x, pixels in self.columns(x0, x1):
                    weights = emitter.weights(identity.tobytes())
                    param = emitter.parameters(empty_records(OUTPUTS * groups).tobytes())
                    emitter.emit(
                        isa.Array(
                            src=self.at(self.y0 + first + start, x, plane),
                            dst=self.at(self.y0 + to + start, x, plane),
                            rows=rows,
                            pixels=pixels,
                            groups=groups,
                            channels=channels,
                            bits=8,
                            depthwise=1,
                            hold=1,
                            weights=weights,
                            weight_group=1,
                            param=param,
                        )
                    )


def window_buffer(
    layout: TensorLayout, read: Tile, step: int, pixels: int, base: int = 0
) -> Buffer:
    """Return the buffer of what a tile of an output reads, border included.

    Args:
        layout: the tensor that is read.
        read: the rows and columns.
        step: planes of columns.
        pixels: P.
        base: first word.
    """
    lead = 1 if layout.words % 2 and read.x0 > 0 and read.x0 % 2 else 0
    return Buffer(layout, base, *(read.y0, read.y1, read.x0, read.x1), pixels, step, lead)


def rows_read(sliding: Sliding, y0: int, y1: int) -> tuple[int, int]:
    """Return the rows that rows ``y0`` to ``y1`` of an output read."""
    return _read(sliding, 0, y0, y1)


def columns_read(sliding: Sliding, x0: int, x1: int) -> tuple[int, int]:
    """Return the columns that columns ``x0`` to ``x1`` of an output read."""
    return _read(sliding, 1, x0, x1)


def _read(sliding: Sliding, axis: int, start: int, stop: int) -> tuple[int, int]:
    stride, padding = sliding.stride[axis], sliding.padding[axis]
    reach = (sliding.kernel[axis] - 1) * sliding.dilation[axis] + 1
    return start * stride - padding, (stop - 1) * stride - padding + reach
