"""The places of codes and constants in DRAM: section 2 of ``docs/engine.md``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.engine.forms import NormRows, OutputStage
from hyq_hls.engine.forms.output_stage import BYTE, SHIFT_OFFSET
from hyq_hls.engine.forms.sums import WEIGHT_HIGH, WEIGHT_LOW, Sums, byte_planes, planes_of
from hyq_hls.engine.machine_sizes import INPUTS, LANES, OUTPUTS, WORD
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType

BEAT = 8
RECORD = np.dtype(
    {
        "names": ["bias", "zero", "multiplier", "shift"],
        "formats": ["<i4", "<u2", "<u2", "u1"],
        "offsets": [0, 4, 6, 8],
        "itemsize": 16,
    }
)
NORM_HEADER = np.dtype(
    {
        "names": ["epsilon", "t", "N", "F", "channels"],
        "formats": ["<u8", "u1", "u1", "u1", "<u2"],
        "offsets": [0, 8, 9, 10, 12],
        "itemsize": 32,
    }
)
NORM_CHANNEL = np.dtype(
    {
        "names": ["gamma", "zero_in", "k", "beta", "zero_out", "shift"],
        "formats": ["<i2", "u1", "u1", "<i4", "<u2", "u1"],
        "offsets": [0, 2, 3, 4, 8, 10],
        "itemsize": 16,
    }
)


def ceil_div(a: int, b: int) -> int:
    """Return the quotient, rounded up."""
    return -(-a // b)


def words_of(channels: int) -> int:
    """Return the words of a pixel."""
    return 1 if channels <= WORD else 2 * ceil_div(channels, 2 * WORD)


@dataclass(frozen=True)
class TensorLayout:
    """A tensor in DRAM: for each byte of a code rows of pixels, the highest byte first.

    Attributes:
        rows: rows of a map, or pixels of a patch.
        pixels: columns of a map, or tokens.
        channels: channels.
        planes: bytes of a code.
        qmin: the smallest code, which is stored as 0.
    """

    rows: int
    pixels: int
    channels: int
    planes: int
    qmin: int

    @classmethod
    def of(cls, x: TensorType) -> TensorLayout:
        """Return the layout of a map (H, W, C), of tokens (P, N, C) or of a vector (C,).

        Raises:
            ConversionError: the tensor has other axes.
        """
        if len(x.shape) not in (1, 3):
            raise ConversionError(
                f"a tensor of shape {x.shape}; the engine keeps maps, tokens and vectors in DRAM, "
                "and scores on the chip between attention_scores and attention_values"
            )
        rows, pixels, channels = x.shape if len(x.shape) == 3 else (1, 1, *x.shape)
        return cls(rows, pixels, channels, planes_of(x.quantization), x.quantization.qmin)

    @property
    def words(self) -> int:
        """Words of a pixel."""
        return words_of(self.channels)

    @property
    def pitch(self) -> int:
        """Bytes from row to row."""
        return ceil_div(self.pixels * self.words * WORD, BEAT) * BEAT

    @property
    def plane_bytes(self) -> int:
        """Bytes of one plane."""
        return self.rows * self.pitch

    @property
    def size(self) -> int:
        """Bytes of the tensor."""
        return self.planes * self.plane_bytes

    def pack(self, codes: Codes) -> NDArray[np.uint8]:
        r"""Return the bytes (size,) of the codes (\*shape) of one sample."""
        stored = codes.reshape(self.rows, self.pixels, self.channels) - self.qmin
        padded = np.zeros((self.rows, self.pixels, WORD * self.words), np.int64)
        data = np.zeros((self.planes, self.rows, self.pitch), np.uint8)
        for k, plane in enumerate(byte_planes(stored, self.planes)):
            padded[..., : self.channels] = plane
            flat = padded.reshape(self.rows, -1)
            data[k, :, : flat.shape[1]] = flat
        return data.reshape(-1)

    def unpack(self, data: NDArray[np.uint8]) -> Codes:
        """Return the codes (rows, pixels, channels) of the bytes (size,)."""
        shaped = data[: self.size].reshape(self.planes, self.rows, self.pitch).astype(np.int64)
        used = shaped[..., : self.pixels * self.words * WORD]
        split = used.reshape(self.planes, self.rows, self.pixels, -1)[..., : self.channels]
        stored = np.zeros(split.shape[1:], np.int64)
        for plane in split:
            stored = (stored << BYTE) + plane
        return stored + self.qmin


@dataclass(frozen=True)
class Place:
    """A tensor in DRAM.

    Attributes:
        base: number of the base register.
        offset: bytes behind it.
        layout: how its codes lie there.
    """

    base: int
    offset: int
    layout: TensorLayout

    def at(self, plane: int, row: int, pixel: int) -> int:
        """Return the byte offset of a pixel."""
        layout = self.layout
        return (
            self.offset
            + plane * layout.plane_bytes
            + row * layout.pitch
            + WORD * pixel * layout.words
        )


def weight_words(sums: Sums, first: int) -> NDArray[np.int64]:
    """Return the weight words (groups, words of a group, 48) of a sum.

    Args:
        sums: the sum.
        first: lane of its first channel.
    """
    passes, inputs, ky, kx, channels = sums.weight.shape[:5]
    if sums.depthwise:
        groups = ceil_div(channels, OUTPUTS)
        split = np.zeros((passes, inputs, ky, kx, groups * OUTPUTS, INPUTS), np.int64)
        rest = sums.weight
        for lane in range(INPUTS):
            split[..., :channels, lane] = rest.clip(WEIGHT_LOW, WEIGHT_HIGH)
            rest = rest - split[..., :channels, lane]
        lanes: NDArray[np.int64] = split.reshape(-1, groups, LANES).transpose(1, 0, 2)
        return lanes
    outputs = sums.weight.shape[5]
    steps, groups = ceil_div(channels, INPUTS), ceil_div(first + outputs, OUTPUTS)
    padded = np.zeros((passes * inputs * ky * kx, steps * INPUTS, groups * OUTPUTS), np.int64)
    taps = sums.weight.reshape(-1, channels, outputs)
    padded[:, :channels, first : first + outputs] = taps
    shaped: NDArray[np.int64] = padded.reshape(-1, steps, INPUTS, groups, OUTPUTS)
    shaped = shaped.transpose(3, 0, 1, 4, 2)
    return shaped.reshape(groups, -1, LANES)


def weight_bytes(words: NDArray[np.int64]) -> bytes:
    """Return weight words as they lie in DRAM."""
    return words.astype(np.int8).tobytes()


def records(stage: OutputStage, first: int = 0, lanes: int = 0) -> NDArray[np.void]:
    """Return the channel records (groups * 16,) of an output stage.

    Args:
        stage: the stage.
        first: lane of its first channel.
        lanes: how many lanes are written from there on, those without a channel included.
    """
    count = ceil_div(first + max(stage.channels, lanes), OUTPUTS) * OUTPUTS
    found = empty_records(count)
    part = found[first : first + stage.channels]
    part["bias"], part["zero"] = stage.bias, stage.zero
    part["multiplier"], part["shift"] = stage.multiplier, stage.shift + SHIFT_OFFSET
    return found


def empty_records(count: int) -> NDArray[np.void]:
    """Return records that give code 0."""
    found = np.zeros(count, RECORD)
    found["multiplier"], found["shift"] = 1, SHIFT_OFFSET
    return found


def value_records(values: Codes, field: str) -> NDArray[np.void]:
    """Return records (groups * 16,) whose ``field`` holds values (C,)."""
    found = empty_records(ceil_div(values.size, OUTPUTS) * OUTPUTS)
    found[field][: values.size] = values
    return found


def norm_bytes(form: NormRows) -> bytes:
    """Return the norm memory of a LayerNorm as it lies in DRAM."""
    header = np.zeros(1, NORM_HEADER)
    header["epsilon"], header["channels"] = form.epsilon, form.channels
    header["t"], header["N"], header["F"] = (
        form.root_bits,
        form.reciprocal_bits,
        form.normalized_bits,
    )
    channels = np.zeros(form.channels, NORM_CHANNEL)
    channels["gamma"], channels["beta"] = form.gamma, form.beta
    channels["zero_in"], channels["k"] = form.zero_in, form.factor_shift
    channels["zero_out"], channels["shift"] = form.zero_out, form.shift + SHIFT_OFFSET
    return header.tobytes() + channels.tobytes()


def table_bytes(values: Codes, dtype: str) -> bytes:
    """Return a table of bytes ("u1") or exponentials ("<u4"), filled up to a whole beat."""
    data = values.astype(dtype).tobytes()
    return data + bytes(-len(data) % BEAT)
