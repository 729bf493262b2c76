"""A step of a network as the compiler sees it: what it reads, and how it becomes instructions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from hyq_hls.engine.compiler.buffers import Buffer, Tile, columns_read, rows_read
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.forms import Sliding
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.graph.operation import Codes


@dataclass(frozen=True)
class TileWork:
    """A tile of an output, and where it is computed.

    Attributes:
        tile: the rectangle of the output.
        sources: the inputs in the feature memory.
        output: the place of the output there.
        room: first word, and number of words, of what is free beside them.
    """

    tile: Tile
    sources: Sequence[Buffer]
    output: Buffer
    room: tuple[int, int] = (0, 0)


class Unit(ABC):
    """One or a few nodes that are computed together.

    Attributes:
        node: the node whose name the instructions have.
        inputs: names of the tensors that are read.
        output: name of the tensor that is written.
        layout: how that lies in DRAM.
        weight_bytes: bytes of weights, all of which a tile needs.
        parameter_bytes: bytes of channel records.
        tables: bytes of the tables behind sums.
        instructions: how many a tile takes about.
    """

    def __init__(
        self, node: str, inputs: tuple[str, ...], output: str, layout: TensorLayout
    ) -> None:
        self.node, self.inputs, self.output, self.layout = node, inputs, output, layout
        self.weight_bytes = self.parameter_bytes = 0
        self.tables: tuple[bytes, ...] = ()
        self.instructions = 1

    @abstractmethod
    def prepare(self, sizes: Sizes) -> None:
        """Make what every tile needs, and check that the machine can do it.

        Raises:
            ConversionError: it cannot.
        """

    def sliding(self, which: int) -> Sliding:
        """Return the window of an input."""
        del which
        return Sliding()

    def border(self, which: int) -> Codes | None:
        """Return the codes around an input, or None where no window leaves it."""
        del which
        return None

    def rows_read(self, which: int, y0: int, y1: int) -> tuple[int, int]:
        """Return the rows of an input that rows ``y0`` to ``y1`` of the output need."""
        return rows_read(self.sliding(which), y0, y1)

    def columns_read(self, which: int, x0: int, x1: int) -> tuple[int, int]:
        """Return the columns of an input that columns ``x0`` to ``x1`` of the output need."""
        return columns_read(self.sliding(which), x0, x1)

    @property
    def output_step(self) -> int:
        """Planes of columns in which it writes, unless it keeps columns."""
        return 1

    @property
    def twins(self) -> bool:
        """Whether one instruction reads several inputs, which must lie alike."""
        return False

    @property
    def keeps_columns(self) -> bool:
        """Whether column x of the output needs column x of the inputs alone."""
        return True

    @property
    def whole_rows(self) -> bool:
        """Whether a tile has whole rows."""
        return False

    def room(self, pixels: int, step: int) -> tuple[int, int]:
        """Return the words that are needed beside inputs and output, at least and at most.

        Args:
            pixels: P.
            step: planes of columns of the output.
        """
        del pixels, step
        return 0, 0


class TiledUnit(Unit):
    """A unit whose output is computed tile by tile in the feature memory."""

    @abstractmethod
    def emit(self, emitter: Emitter, work: TileWork) -> None:
        """Emit the instructions of a tile.

        Args:
            emitter: takes them.
            work: the tile, and where it is computed.
        """
