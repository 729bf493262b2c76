"""Tiles of an output map, and the part of an input that a tile needs in the feature memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.forms import Sliding
from hyq_hls.engine.isa import View
from hyq_hls.engine.layout import Place, ceil_div, value_records
from hyq_hls.engine.machine_sizes import OUTPUTS, WORD
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes

MAX_PLANES = 15


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


def tiles(
    rows: int, pixels: int, step: int, words: Callable[[Tile], int], room: int
) -> Iterator[Tile]:
    """Yield the tiles of an output in order: as many whole rows as fit, else parts of a row.

    Args:
        rows: rows of the output.
        pixels: pixels of a row.
        step: parts of a row have a multiple of this many pixels.
        words: words of every bank that a tile needs.
        room: words that there are.

    Raises:
        ConversionError: the smallest tile does not fit.
    """

    def needed(height: int, width: int) -> int:
        # A tile inside of a row may load a column more than one at its begin.
        inside = width << 8 if width < pixels else 0
        return max(words(Tile(0, height, x, x + width)) for x in (0, inside))

    height, width = rows, pixels
    while height > 1 and needed(height, width) > room:
        height = ceil_div(height, 2)
    while needed(height, width) > room:
        if width <= step:
            raise ConversionError(
                f"{step} pixels need {needed(height, width)} words of every bank of the "
                f"feature memory, which has {room}; take an engine with a larger one"
            )
        width = ceil_div(ceil_div(width, 2), step) * step
    for y in range(0, rows, height):
        for x in range(0, pixels, width):
            yield Tile(y, min(y + height, rows), x, min(x + width, pixels))


@dataclass(frozen=True)
class Input:
    """The part of one byte plane of a tensor that an output tile needs, border included.

    Columns are counted from ``origin``; they are split into as many planes as the window's step.

    Attributes:
        place: the tensor in DRAM.
        sliding: geometry of the window.
        tile: the output tile.
        pixels_of_array: P.
    """

    place: Place
    sliding: Sliding
    tile: Tile
    pixels_of_array: int

    @property
    def rows(self) -> tuple[int, int]:
        """First row of the map, perhaps above it, and number of rows."""
        (kernel, _), (stride, _) = self.sliding.kernel, self.sliding.stride
        first = self.tile.y0 * stride - self.sliding.padding[0]
        return first, (self.tile.rows - 1) * stride + (kernel - 1) * self.sliding.dilation[0] + 1

    @property
    def columns(self) -> tuple[int, int]:
        """First column of the map, perhaps left of it, and number of columns."""
        (_, kernel), (_, stride) = self.sliding.kernel, self.sliding.stride
        first = self.tile.x0 * stride - self.sliding.padding[1]
        return first, (self.tile.pixels - 1) * stride + (kernel - 1) * self.sliding.dilation[1] + 1

    @property
    def lead(self) -> int:
        """Positions of every plane before the first column that is needed.

        A load begins at a multiple of 8 bytes, so that it may take one column more.
        """
        first, _ = self.columns
        return 1 if self.place.layout.words % 2 and first > 0 and first % 2 else 0

    @property
    def planes(self) -> int:
        """Planes of columns: the horizontal step."""
        return self.sliding.stride[1]

    @property
    def plane_words(self) -> int:
        """Words of a plane of a row in every bank."""
        positions = self.lead + ceil_div(self.columns[1], self.planes)
        return ceil_div(positions, self.pixels_of_array) * self.place.layout.words

    @property
    def row_words(self) -> int:
        """Words of a row in every bank."""
        return self.planes * self.plane_words

    @property
    def words(self) -> int:
        """Words of every bank."""
        return self.rows[1] * self.row_words

    def view(self, base: int) -> View:
        """Return the view of an array instruction that reads it."""
        return View(
            base, self.row_words * self.sliding.stride[0], self.place.layout.words, self.lead
        )

    def load(self, emitter: Emitter, base: int, plane: int, param: int) -> None:
        """Emit the load of what lies inside of the map, and the border around it.

        Args:
            emitter: takes the instructions.
            base: first word.
            plane: byte plane of the tensor.
            param: group of the records that hold the border's codes.
        """
        if self.planes > MAX_PLANES:
            raise ConversionError(
                f"a step of {self.planes} columns; the engine splits columns into {MAX_PLANES}; "
                "use a smaller one"
            )
        layout = self.place.layout
        (top, height), (left, width) = self.rows, self.columns
        origin = left - self.lead * self.planes
        y0, y1 = max(top, 0), min(top + height, layout.rows)
        x0, x1 = max(left - self.lead, 0), min(left + width, layout.pixels)
        if y1 > y0 and x1 > x0:
            start = x0 - origin
            emitter.emit(
                isa.LoadMap(
                    base=self.place.base,
                    offset=self.place.at(plane, y0, x0),
                    rows=y1 - y0,
                    pixels=x1 - x0,
                    words=layout.words,
                    pitch=layout.pitch,
                    planes=self.planes,
                    x_first=start % self.planes,
                    plane=self.plane_words if self.planes > 1 else 0,
                    view=View(
                        base + (y0 - top) * self.row_words,
                        self.row_words,
                        layout.words,
                        start // self.planes,
                    ),
                )
            )
        else:
            y1, x1 = y0, x0
        first, last = left - origin, left + width - origin
        outside = [
            (0, y0 - top, first, last),
            (y1 - top, height, first, last),
            (y0 - top, y1 - top, first, max(x0, left) - origin),
            (y0 - top, y1 - top, x1 - origin, last),
        ]
        for region in outside:
            self._fill(emitter, base, plane, region, param)

    def _fill(
        self,
        emitter: Emitter,
        base: int,
        plane: int,
        region: tuple[int, int, int, int],
        param: int,
    ) -> None:
        top, bottom, left, right = region
        layout = self.place.layout
        for k in range(self.planes):
            start, stop = ceil_div(left - k, self.planes), ceil_div(right - k, self.planes)
            if bottom <= top or stop <= start:
                continue
            emitter.emit(
                isa.Array(
                    src=View(),
                    dst=View(
                        base + top * self.row_words + k * self.plane_words,
                        self.row_words,
                        layout.words,
                        start,
                    ),
                    rows=bottom - top,
                    pixels=stop - start,
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


def border_records(border: Codes, channels: int) -> bytes:
    """Return the records of a border, whose codes are the zero points."""
    codes = np.broadcast_to(border, channels)
    return value_records(codes, "zero").tobytes()
