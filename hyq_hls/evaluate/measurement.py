"""The measurement of one network: first in float, then as every recipe quantizes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.data.image_folder import LabelledImages, Preparation
from hyq_hls.errors import HyqError, InputError, QuantizationError
from hyq_hls.evaluate.metrics import Accuracy, accuracy
from hyq_hls.evaluate.predictions import Predictions
from hyq_hls.evaluate.recipes import Recipe
from hyq_hls.evaluate.report import failure_lines, markdown, table_cells
from hyq_hls.models.public import weights_sha256
from hyq_hls.normalization import Normalization
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.expected_input import expected_normalization, with_normalization
from hyq_hls.quant.pipeline import quantize
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import aligned, write_file
from hyq_hls.version import __version__

Pixels = NDArray[np.uint8]


@dataclass
class Measurement:
    """A float network on a list of images, and its recipes.

    Attributes:
        model: the float network in evaluation mode, from float images (B, 3, size, size) in [0, 1]
            to logits (B, classes).
        name: what the network is called in records.
        images: the images that are evaluated.
        calibration: the calibration images, bytes (B, size, size, 3).
        calibration_from: where they come from, in words.
        preparation: how every image file becomes bytes.
        folder: existing folder of all files.
        seed: the seed by which images were chosen, and that of the quantizer.
        batch: number of images between two savings.
        restart: whether saved results are measured again.
        remembered: a specification that finds the model again, for ``hyq-hls verify``.
        progress: whether progress is shown.
        failed: why networks could not be quantized, by name of the recipe.
    """

    model: torch.nn.Module
    name: str
    images: LabelledImages
    calibration: Pixels
    calibration_from: str
    preparation: Preparation
    folder: Path
    seed: int = 0
    batch: int = 32
    restart: bool = False
    remembered: str | None = None
    progress: bool = True
    failed: dict[str, str] = field(default_factory=dict, init=False)
    _source: dict[str, Any] = field(init=False, repr=False)
    _calibrated: dict[str, Any] = field(init=False, repr=False)
    _float: Predictions = field(init=False, repr=False)
    _rows: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        # Saved results are used again only where all these values are the same.
        self._source = {
            "hyq_hls": __version__,
            "model": self.name,
            "weights_sha256": weights_sha256(self.model),
            "size": self.preparation.size,
            "resize": self.preparation.shorter,
            "seed": self.seed,
            "images": len(self.images.paths),
            "images_sha256": self.images.digest(),
        }
        self._calibrated = {
            "calibration_images": len(self.calibration),
            "calibration_from": self.calibration_from,
            "calibration_sha256": hashlib.sha256(self.calibration.tobytes()).hexdigest(),
        }

    def measure_float(self) -> None:
        """Find the classes of the float network, with which all recipes are compared.

        Raises:
            InputError: an image cannot be read, or what was saved does not belong to this run.
        """
        path = self.folder / "float.json"
        self._float = self._saved(path, self._source) or Predictions(self._source)

        stated = expected_normalization(self.model) or Normalization()
        model = with_normalization(self.model, stated)

        def predict(pixels: Pixels) -> NDArray[np.int64]:
            with torch.inference_mode():
                classes: NDArray[np.int64] = model(to_float(pixels)).argmax(1).numpy()
            return classes

        self._complete(self._float, path, predict, "float")

    def measure(self, recipe: Recipe) -> str:
        """Quantize and evaluate, or go on with a saved network; return a line with the result.

        :meth:`measure_float` comes first. A network that cannot be quantized like that is noted in
        :attr:`failed`: the other recipes of a run of days are worth having.

        Raises:
            InputError: an image cannot be read, or what was saved does not belong to this run.
        """
        path = self.folder / f"{recipe.name}.json"
        network = path.with_suffix(".hyq")
        made_with = {**self._source, **self._calibrated, "config": recipe.config.to_json()}
        found = self._saved(path, made_with)
        if found is None:
            try:
                found, qmodel = self._quantized(recipe, made_with, network)
            except QuantizationError as error:
                self.failed[recipe.name] = str(error)
                self._write()
                return f"{recipe.name} failed: {error}"
            found.save(path)
        elif len(found.classes) < len(self.images.paths):
            qmodel = _network(network, found)
        if len(found.classes) < len(self.images.paths):
            self._complete(
                found, path, lambda pixels: qmodel.codes(pixels).argmax(axis=1), recipe.name
            )
        counts = accuracy(found.classes, self._float.classes, self.images.labels)
        self._rows.append(_row(recipe, found, counts))
        self._write()
        return (
            f"{recipe.name}: {counts.top1:.2f} % (float {counts.float_top1:.2f} %), "
            f"{counts.agreement:.2f} % like float"
        )

    def table(self) -> str:
        """Return aligned columns of everything measured, and what failed."""
        cells = table_cells(self._float_row(), self._rows)
        return "\n".join([*aligned(cells), *failure_lines(self.failed)])

    def __str__(self) -> str:
        lines = [
            f"{self.name}, weights {self._source['weights_sha256'][:12]}; "
            f"{len(self.images.paths):,} images of {len(self.images.classes):,} classes from "
            f"{self.images.root}",
            f"shorter side to {self.preparation.shorter}, centre crop {self.preparation.size}; "
            f"{len(self.calibration)} calibration images, seed {self.seed}, "
            f"{self.calibration_from}",
        ]
        return "\n".join(lines)

    def _quantized(
        self, recipe: Recipe, made_with: dict[str, Any], network: Path
    ) -> tuple[Predictions, QuantizedModel]:
        begin = perf_counter()
        torch.manual_seed(self.seed)
        qmodel = quantize(self.model, self.calibration, recipe.config, progress=self.progress)
        if self.remembered:
            qmodel.graph.metadata["source"] = self.remembered
        qmodel.save(network)
        notes = {"quantize_seconds": perf_counter() - begin, "hyq_sha256": _sha256(network)}
        return Predictions(made_with, notes=notes), qmodel

    def _saved(self, path: Path, made_with: dict[str, Any]) -> Predictions | None:
        if self.restart:
            path.unlink(missing_ok=True)
        return Predictions.load(path, made_with, len(self.images.paths))

    def _complete(
        self,
        found: Predictions,
        path: Path,
        predict: Callable[[Pixels], NDArray[Any]],
        title: str,
    ) -> None:
        found.complete(
            path,
            self.images.paths,
            predict,
            preparation=self.preparation,
            batch=self.batch,
            title=title,
            progress=self.progress,
        )

    def _float_row(self) -> dict[str, Any]:
        counts = accuracy(self._float.classes, self._float.classes, self.images.labels)
        return {
            "top1": counts.top1,
            "right": counts.right,
            "images": counts.images,
            "seconds": self._float.seconds,
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything measured in the types of JSON."""
        return {
            "made_with": {**self._source, **self._calibrated},
            "data": str(self.images.root),
            "float": self._float_row(),
            "recipes": self._rows,
            "failed": self.failed,
        }

    def _write(self) -> None:
        content = self.to_json()
        write_file(self.folder / "evaluate.json", json.dumps(content, indent=1) + "\n")
        cells = table_cells(content["float"], self._rows)
        write_file(self.folder / "evaluate.md", markdown(self.name, str(self), cells, self.failed))


def class_count(model: torch.nn.Module, size: int) -> int:
    """Return the width of the logits for images of this size.

    Args:
        model: takes float images (1, 3, size, size).
        size: height and width of an image in pixels.

    Raises:
        InputError: the model does not take them, or gives no logits (1, classes).
        ShapeError: our MobileViT does not take them; the message names sizes that work.
    """
    try:
        with torch.inference_mode():
            shape: tuple[int, ...] = tuple(model(torch.zeros(1, 3, size, size)).shape)
    except HyqError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"the model does not take float images (1, 3, {size}, {size}): {error}; give --size"
        ) from error
    if len(shape) != 2:
        raise InputError(f"logits (images, classes) are wanted, the model gives {shape}")
    return shape[1]


def _row(recipe: Recipe, found: Predictions, counts: Accuracy) -> dict[str, Any]:
    return {
        "preset": recipe.preset,
        "setting": recipe.setting,
        "top1": counts.top1,
        "drop": counts.drop,
        "agreement": counts.agreement,
        "right": counts.right,
        "agreeing": counts.agreeing,
        "images": counts.images,
        "seconds": found.seconds,
        **found.notes,
        "config": recipe.config.to_json(),
    }


def _network(path: Path, found: Predictions) -> QuantizedModel:
    """Load the network that the saved classes came from."""
    if not path.is_file() or _sha256(path) != found.notes.get("hyq_sha256"):
        raise InputError(
            f"{path} is not the network that {len(found.classes)} saved predictions came "
            "from; give --restart to quantize again"
        )
    return QuantizedModel.load(path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
