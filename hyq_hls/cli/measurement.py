"""What ``hyq-hls evaluate`` measures: one network in float, then as every recipe makes it."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import hyq_hls
from hyq_hls.cli.evaluation_inputs import class_count, evaluated_images, float_model
from hyq_hls.cli.records import Record
from hyq_hls.errors import InputError, QuantizationError
from hyq_hls.models.checkpoint import write_atomically
from hyq_hls.models.image_folder import LabelledImages, Preparation, load_images
from hyq_hls.models.public import PUBLIC, weights_sha256
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.methods.qads import Qads
from hyq_hls.quant.presets import preset
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.table import aligned

Pixels = NDArray[np.uint8]

#: HyQ's code learns the factors of xs and s at a tenth of the rate of xxs (``convert_insert.py``).
_SLOWER_QADS = {"mobilevit_xs": 0.01, "mobilevit_s": 0.01}
_HEAD = ("preset", "setting", "top-1", "drop", "agreement", "images", "seconds")


@dataclass(frozen=True)
class Recipe:
    """A preset at a setting."""

    preset: str
    weight_bits: int
    activation_bits: int
    config: QuantConfig

    @property
    def setting(self) -> str:
        """As ``W8A8``."""
        return f"W{self.weight_bits}A{self.activation_bits}"

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.preset}-{self.setting}"


def recipes(
    model: str, presets: Sequence[str], settings: Sequence[tuple[int, int]]
) -> list[Recipe]:
    """Every preset at every setting, as its paper has it for this network.

    Raises:
        QuantizationError: a preset is unknown, or a width is out of range.
    """
    made = []
    for name in presets:
        for weight_bits, activation_bits in settings:
            config = preset(name, weight_bits, activation_bits)
            if name == "hyq" and model in _SLOWER_QADS:
                rate = _SLOWER_QADS[model]
                methods = tuple(
                    replace(m, learning_rate=rate) if isinstance(m, Qads) else m
                    for m in config.methods
                )
                config = replace(config, methods=methods)
            made.append(Recipe(name, weight_bits, activation_bits, config))
    return made


@dataclass
class Measurement:
    """A float network on a list of images, and its recipes.

    Attributes:
        model: in evaluation mode; float images (B, 3, size, size) in [0, 1] to logits.
        images: that are evaluated.
        calibration: bytes (B, size, size, 3).
        preparation: of every image.
        batch: images between two savings.
        folder: of all files.
        restart: whether saved results are measured again.
        source: what the results depend on, as plain values.
        calibrated: what those of recipes depend on beside it.
        remembered: specification that finds the model again, for ``hyq-hls verify``.
        failed: why networks could not be quantized, by recipe.
    """

    model: torch.nn.Module
    images: LabelledImages
    calibration: Pixels
    preparation: Preparation
    batch: int
    folder: Path
    restart: bool
    source: dict[str, Any]
    calibrated: dict[str, Any]
    remembered: str | None = None
    failed: dict[str, str] = field(default_factory=dict)
    _float: Record | None = field(default=None, repr=False)
    _rows: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, options: argparse.Namespace) -> Measurement:
        """What the options of ``hyq-hls evaluate`` ask for.

        Raises:
            InputError: images, weights or options cannot be used together.
        """
        preparation = Preparation(options.size, options.resize)
        images, files, origin = evaluated_images(options)
        model = float_model(options.model, options.weights)
        classes = class_count(model, preparation.size)
        if classes != len(images.classes):
            raise InputError(
                f"{images.root} has {len(images.classes)} class folders, but {options.model} tells "
                f"{classes} classes apart; labels are places of sorted folder names, so all "
                "classes must be there: give the whole validation folder, or another model"
            )
        calibration = load_images(files, preparation)
        folder = options.output / re.sub(r"[^\w.-]+", "_", f"{options.model}-seed{options.seed}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write to --output {options.output}: {error.strerror}; choose another"
            ) from error
        source = {
            "hyq_hls": hyq_hls.__version__,
            "model": options.model,
            "weights_sha256": weights_sha256(model),
            "size": preparation.size,
            "resize": preparation.shorter,
            "seed": options.seed,
            "images": len(images.paths),
            "images_sha256": images.digest(),
        }
        calibrated = {
            "calibration_images": len(calibration),
            "calibration_from": origin,
            "calibration_sha256": hashlib.sha256(calibration.tobytes()).hexdigest(),
        }
        named = options.model not in PUBLIC and options.weights is None
        return cls(
            model,
            images,
            calibration,
            preparation,
            options.batch,
            folder,
            options.restart,
            source,
            calibrated,
            options.model if named else None,
        )

    def measure_float(self) -> Record:
        """Classes of the float network."""
        path = self.folder / "float.json"
        record = self._saved(path, self.source) or Record(self.source)

        def predict(pixels: Pixels) -> NDArray[np.int64]:
            with torch.inference_mode():
                return self.model(to_float(pixels)).argmax(1).numpy()

        self._complete(record, path, predict, "float")
        self._float = record
        return record

    def measure(self, recipe: Recipe) -> str:
        """Quantize, unless a saved network goes on; a line with the result.

        A network that cannot be quantized like that is noted in :attr:`failed`: the other recipes
        of a run of days are worth having.

        Raises:
            InputError: what was saved does not belong to this run.
        """
        path = self.folder / f"{recipe.name}.json"
        network = path.with_suffix(".hyq")
        made_with = {**self.source, **self.calibrated, "config": recipe.config.to_json()}
        record = self._saved(path, made_with)
        if record is None:
            try:
                record, qmodel = self._quantized(recipe, made_with, network)
            except QuantizationError as error:
                self.failed[recipe.name] = str(error)
                self._write()
                return f"{recipe.name} failed: {error}"
            record.save(path)
        elif len(record.predictions) < len(self.images.paths):
            qmodel = _network(network, record)
        if len(record.predictions) < len(self.images.paths):
            self._complete(
                record, path, lambda pixels: qmodel.codes(pixels).argmax(axis=1), recipe.name
            )
        row = self._row(recipe, record)
        self._rows.append(row)
        self._write()
        return (
            f"{recipe.name}: {row['top1']:.2f} % (float {row['top1'] + row['drop']:.2f} %), "
            f"{row['agreement']:.2f} % like float"
        )

    def table(self) -> str:
        """Aligned columns of everything measured, and what failed."""
        return "\n".join([*aligned(self._cells()), *self._failures()])

    def __str__(self) -> str:
        """What is evaluated, in a few lines."""
        count, source = len(self.images.paths), self.source
        lines = [
            f"{source['model']}, weights {source['weights_sha256'][:12]}; {count:,} images of "
            f"{len(self.images.classes):,} classes from {self.images.root}",
            f"shorter side to {self.preparation.shorter}, centre crop {self.preparation.size}; "
            f"{len(self.calibration)} calibration images, seed {source['seed']}, "
            f"{self.calibrated['calibration_from']}",
        ]
        return "\n".join(lines)

    def _quantized(
        self, recipe: Recipe, made_with: dict[str, Any], network: Path
    ) -> tuple[Record, QuantizedModel]:
        begin = perf_counter()
        print(f"{recipe.name}: quantizing ...", flush=True)
        torch.manual_seed(self.source["seed"])
        qmodel = hyq_hls.quantize(self.model, self.calibration, recipe.config)
        if self.remembered:
            qmodel.graph.metadata["source"] = self.remembered
        qmodel.save(network)
        notes = {"quantize_seconds": perf_counter() - begin, "hyq_sha256": _sha256(network)}
        return Record(made_with, notes=notes), qmodel

    def _saved(self, path: Path, made_with: dict[str, Any]) -> Record | None:
        if self.restart:
            path.unlink(missing_ok=True)
        return Record.load(path, made_with, len(self.images.paths))

    def _complete(self, record: Record, path: Path, predict: Any, title: str) -> None:
        record.complete(
            path,
            self.images.paths,
            predict,
            preparation=self.preparation,
            batch=self.batch,
            title=title,
        )

    def _row(self, recipe: Recipe, record: Record) -> dict[str, Any]:
        assert self._float is not None, "float is measured first"
        found, real = np.array(record.predictions), np.array(self._float.predictions)
        right = int((found == np.array(self.images.labels)).sum())
        agreeing, total = int((found == real).sum()), len(found)
        return {
            "preset": recipe.preset,
            "setting": recipe.setting,
            "top1": 100 * right / total,
            "drop": self._float_row()["top1"] - 100 * right / total,
            "agreement": 100 * agreeing / total,
            "right": right,
            "agreeing": agreeing,
            "images": total,
            "seconds": record.seconds,
            **record.notes,
            "config": recipe.config.to_json(),
        }

    def _float_row(self) -> dict[str, Any]:
        assert self._float is not None, "float is measured first"
        right = int((np.array(self._float.predictions) == np.array(self.images.labels)).sum())
        total = len(self.images.paths)
        seconds = self._float.seconds
        return {"top1": 100 * right / total, "right": right, "images": total, "seconds": seconds}

    def _cells(self) -> list[tuple[str, ...]]:
        real = self._float_row()
        total = f"{real['images']:,}"
        cells: list[tuple[str, ...]] = [
            _HEAD,
            ("float", "", f"{real['top1']:.3f}", "", "", total, _time(real)),
        ]
        for row in self._rows:
            figures = (f"{row[key]:.3f}" for key in ("top1", "drop", "agreement"))
            cells.append((row["preset"], row["setting"], *figures, total, _time(row)))
        return cells

    def _failures(self) -> list[str]:
        return [f"{name} failed: {why}" for name, why in self.failed.items()]

    def _write(self) -> None:
        content = {
            "made_with": {**self.source, **self.calibrated},
            "data": str(self.images.root),
            "float": self._float_row(),
            "recipes": self._rows,
            "failed": self.failed,
        }
        write_atomically(
            self.folder / "evaluate.json", (json.dumps(content, indent=1) + "\n").encode()
        )
        head, *rows = (f"| {' | '.join(row)} |" for row in self._cells())
        lines = [
            f"# {self.source['model']}",
            "",
            *(f"{line}\n" for line in str(self).splitlines()),
            "Top-1, drop and agreement with float in percent; integers only, from image bytes to "
            "logits. Seconds are of the network, without reading images.",
            "",
            head,
            "|---" * len(_HEAD) + "|",
            *rows,
            *(f"\n{line}" for line in self._failures()),
        ]
        write_atomically(self.folder / "evaluate.md", ("\n".join(lines) + "\n").encode())


def _network(path: Path, record: Record) -> QuantizedModel:
    """The network that the saved predictions came from."""
    if not path.is_file() or _sha256(path) != record.notes.get("hyq_sha256"):
        raise InputError(
            f"{path} is not the network that {len(record.predictions)} saved predictions came "
            "from; give --restart to quantize again"
        )
    return QuantizedModel.load(path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _time(row: dict[str, Any]) -> str:
    return f"{row['seconds']:.1f}"
