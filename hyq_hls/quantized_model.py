"""The quantized model: an integer graph that behaves like a classifier."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import InputError
from hyq_hls.graph import Graph, Quantization, ReferenceEmulator
from hyq_hls.graph.file import load as load_graph
from hyq_hls.graph.file import save as save_graph
from hyq_hls.graph.graph import CLASS_NAMES
from hyq_hls.images import image_bytes, number_array
from hyq_hls.normalization import METADATA_KEY, Normalization
from hyq_hls.ops import OPERATIONS
from hyq_hls.support import Shown, aligned, installed, progress_bar

if TYPE_CHECKING:
    from torch import nn

    from hyq_hls.capture import CaptureReport, FloatGraph
    from hyq_hls.emulate import Emulator
    from hyq_hls.graph.archive import Limits


class QuantizedModel(Shown):
    """Integers only, from image bytes to logits.

    Attributes:
        graph: the integer graph.
        float_graph: the float graph it came from, batch normalization folded and attention scores
            in octaves; None when the model was loaded from a file.
        capture_report: what every node of the PyTorch model became; None when loaded.
        module: a copy of the PyTorch model in evaluation mode, with which ``verify`` compares; None
            when loaded.
    """

    def __init__(
        self,
        graph: Graph,
        float_graph: FloatGraph | None = None,
        capture_report: CaptureReport | None = None,
        module: nn.Module | None = None,
    ) -> None:
        self.graph = graph
        self.float_graph = float_graph
        self.capture_report = capture_report
        self.module = module
        self._emulator: Emulator | ReferenceEmulator | None = None

    @property
    def emulator(self) -> Emulator | ReferenceEmulator:
        """Integer execution of the graph; made on first use.

        With torch it is fast; without, it runs the references in numpy, whose codes are the same.
        """
        if self._emulator is None:
            if installed("torch"):
                from hyq_hls.emulate import Emulator  # noqa: PLC0415  (loading needs no torch)

                self._emulator = Emulator(self.graph)
            else:
                self._emulator = ReferenceEmulator(self.graph)
        return self._emulator

    def image_bytes(self, images: Any) -> NDArray[np.uint8]:
        """Turn images into bytes (B, H, W, C); see :func:`hyq_hls.images.image_bytes`.

        Floats may be normalized as the PyTorch model takes them.
        """
        height, width, channels = self.graph.input_type.shape
        return image_bytes(
            self.normalization.undone(number_array(images)), (height, width, channels)
        )

    @property
    def normalization(self) -> Normalization:
        """The values that the PyTorch model takes for bytes; the network makes them itself."""
        return Normalization.from_json(self.graph.metadata.get(METADATA_KEY))

    def codes(self, images: Any, progress: bool = False) -> NDArray[np.int64]:
        """Return the output codes in the model's shape and order, usually (B, classes).

        Args:
            images: see :func:`hyq_hls.images.image_bytes`.
            progress: show a progress bar.
        """
        return self.graph.arranged(self.stream_codes(images, progress))

    def stream_codes(self, images: Any, progress: bool = False) -> NDArray[np.int64]:
        r"""Return the codes (B, \*last tensor) in the order in which the hardware sends them."""
        pixels = self.image_bytes(images)
        with progress_bar(progress, "emulate", len(pixels), "img") as bar:
            return self.emulator(pixels, bar.update)

    def predict(self, images: Any, progress: bool = False) -> NDArray[np.float64]:
        """Return the real values that the output codes stand for, usually logits (B, classes).

        They have the shape and order of the model's output. With :attr:`output_quantization` they
        are ``(code - zero_point) * scale``.

        Args:
            images: see :meth:`codes`.
            progress: show a progress bar.
        """
        codes = self.stream_codes(images, progress)
        return self.graph.arranged(self.output_quantization.dequantize(codes))

    def __call__(self, images: Any) -> NDArray[np.float64]:
        """Return :meth:`predict` of the images, as a PyTorch module would."""
        return self.predict(images)

    @property
    def output_quantization(self) -> Quantization:
        """Scale and zero point of the output codes."""
        return self.graph.output_type.quantization

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the outputs, where ``quantize`` was given some."""
        names = self.graph.metadata.get(CLASS_NAMES)
        return None if names is None else tuple(names)

    def evaluate(self, data: Any, labels: Any = None, progress: bool = False) -> float:
        """Return the top-1 accuracy in percent.

        Args:
            data: images with ``labels``; or ``(images, labels)``, a ``DataLoader`` or another
                iterable of such batches, or a ``Dataset``. Batches may be dicts too.
            labels: integers (B,).
            progress: show a progress bar.

        Raises:
            InputError: no data, labels that are no classes of the network, or not as many as
                images; or the output is no vector of logits.
        """
        from hyq_hls.data import labelled_batches  # noqa: PLC0415  (a loaded network needs no torch)

        if len(self.graph.output_shape) != 1:
            raise InputError(
                f"an output of shape (images, *{self.graph.output_shape}) found; logits (images, "
                "classes) are wanted for an accuracy"
            )
        (classes,) = self.graph.output_shape
        right = total = 0
        for images, truth in labelled_batches(data, labels):
            if truth.size and not 0 <= truth.min() <= truth.max() < classes:
                raise InputError(
                    f"labels from {truth.min()} to {truth.max()} found; the network tells "
                    f"{classes} classes apart, so 0 to {classes - 1} are wanted"
                )
            found = self.codes(images, progress).argmax(axis=1)
            right, total = right + int((found == truth).sum()), total + found.size
        if not total:
            raise InputError("no images to evaluate on: the set is empty")
        return 100 * right / total

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one ``.hyq`` file; raises ``FileFormatError`` when that fails."""
        return save_graph(self.graph, path)

    def export_onnx(self, path: str | os.PathLike[str]) -> Path:
        """Write an ONNX file that onnxruntime runs with the same integers; see ``docs/onnx.md``.

        Its input are image bytes (B, H, W, C). Its outputs are ``codes``, equal to :meth:`codes`,
        and ``values``, which are :meth:`predict` in float32.

        Raises:
            ConversionError: the package ``onnx`` is missing, or an operation has no exporter.
            FileFormatError: the file cannot be written.
        """
        from hyq_hls.onnx_export import export_onnx  # noqa: PLC0415  (of those who export alone)

        return export_onnx(self.graph, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], limits: Limits | None = None) -> QuantizedModel:
        """Read a ``.hyq`` file; raises ``FileFormatError`` when it is damaged.

        Args:
            path: the file.
            limits: sizes that the file may ask for, by default :class:`hyq_hls.Limits`.
        """
        return cls(load_graph(path, OPERATIONS, limits))

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle keeps: everything but the emulator, which is made again.

        A module that pickle refuses, such as one with a lambda inside, stays behind, as it does in
        a file: the integers do not need it.
        """
        try:
            pickle.dumps(self.module)
            module = self.module
        except Exception:  # each kind of object has an error of its own
            module = None
        return {**self.__dict__, "_emulator": None, "module": module}

    def __repr__(self) -> str:
        shapes = (self.graph.input_type.shape, self.graph.output_shape)
        sizes = (" x ".join(map(str, shape)) for shape in shapes)
        return (
            f"QuantizedModel({self.graph.metadata.get('model', 'a graph')}: {' -> '.join(sizes)}, "
            f"{len(self.graph.nodes)} nodes, {self.graph.macs():,} MAC)"
        )

    def __str__(self) -> str:
        """Return one line per node with its operation, output, widths and work."""
        rows = [("node", "operation", "output", "code", "acc bits", "MAC")]
        for node in self.graph.nodes.values():
            q = node.type.quantization
            code = f"{'s' if q.signed else 'u'}{q.bits}" + (
                "" if q.encoding == "affine" else " log2"
            )
            macs = node.operation.macs(*self.graph.input_types(node))
            shape = " x ".join(map(str, node.type.shape))
            rows.append(
                (
                    node.name,
                    node.operation.name,
                    shape,
                    code,
                    str(node.accumulator.bits),
                    f"{macs:,}",
                )
            )
        lines = [*aligned(rows), f"{self.graph.macs():,} MAC per image"]
        zero = self.graph.input_type.quantization.zero_point
        if any(zero):
            lines.append(f"the byte that stands for zero: {', '.join(map(str, zero))}")
        if not self.normalization.is_plain:
            lines.append(f"takes bytes; normalizes them itself: {self.normalization}")
        return "\n".join(lines)
