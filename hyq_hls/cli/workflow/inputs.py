"""The user's network and images, loaded once, with the files that were read for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import hyq_hls
from hyq_hls.cli import sources
from hyq_hls.cli.workflow.checks import at, image_size, model_source
from hyq_hls.cli.workflow.configuration import NOISE, Configuration
from hyq_hls.errors import InputError

if TYPE_CHECKING:
    import torch

    from hyq_hls.quantized_model import QuantizedModel

#: Images of noise, where the configuration names no number.
_NOISE_IMAGES = 64


class Inputs:
    """The network and the images of a configuration, which are read when they are asked for.

    Args:
        configuration: the configuration.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._module: torch.nn.Module | None = None

    def module(self) -> torch.nn.Module:
        """Return the float network.

        Raises:
            InputError: there is no such network, or the checkpoint does not fit.
        """
        if self._module is None:
            with at(self.configuration, "model", "source"):
                self._module = self._load_module()
        return self._module

    def _load_module(self) -> torch.nn.Module:
        import torch  # noqa: PLC0415  (torch is slow to import)

        from hyq_hls.cli.evaluation_inputs import float_model  # noqa: PLC0415  (it imports torch)

        settings = self.configuration.settings.model
        source = model_source(self.configuration)
        if settings.random_weights:
            height, width = settings.image_size or (None, None)
            size = None if height is None or width is None else (height, width)
            torch.manual_seed(0)  # random weights are the same in every run
            return sources.architecture(source, sources.known_size(source, size))
        checkpoint = settings.checkpoint
        file = None if checkpoint is None else self.configuration.path(checkpoint)
        return float_model(source, file)

    @property
    def remembered_source(self) -> str | None:
        """The model by the name under which ``hyq-hls verify`` finds it again, if there is one."""
        settings, source = self.configuration.settings.model, model_source(self.configuration)
        named = source == sources.DEFAULT_MODEL or ":" in source
        return source if named and not settings.random_weights and not settings.checkpoint else None

    def model_files(self) -> list[Path]:
        """Return the user's files that the network was loaded from, modules beside it included."""
        configuration = self.configuration
        checkpoint = configuration.settings.model.checkpoint
        files = [] if checkpoint is None else [configuration.path(checkpoint)]
        name, separator, _ = model_source(configuration).partition(":")
        if not separator:
            return files
        script = Path(name) if name.endswith(".py") else None
        folder = (script.parent if script else configuration.file.parent).resolve()
        ours = (Path(hyq_hls.__file__).resolve().parent, Path(sys.prefix).resolve())
        for module in list(sys.modules.values()):
            text = getattr(module, "__file__", None)
            file = Path(text).resolve() if isinstance(text, str) else None
            if (
                file is None
                or not file.is_file()
                or any(file.is_relative_to(other) for other in ours)
            ):
                continue
            if file.is_relative_to(folder) or getattr(module, "__name__", "") == name:
                files.append(file)
        return sorted(set(files))

    def calibration(self) -> Any:
        """Return the images to calibrate with, or the folder of them."""
        data = self.configuration.settings.data
        spec = self.configuration.images(data.calibration)
        if spec == NOISE:
            return _noise(image_size(self.configuration), data.calibration_images, data.seed)
        return Path(spec) if Path(spec).is_dir() else sources.images(spec)[0]

    def image_files(self, key: str) -> list[Path]:
        """Return the file or folder of the images of a key of the section ``data``."""
        text = getattr(self.configuration.settings.data, key)
        known = self.configuration.is_known(text)
        return [] if known else [self.configuration.path(text)]

    def test(
        self, qmodel: QuantizedModel, count: int | None
    ) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
        """Return test images and, where there are some, their labels.

        Args:
            qmodel: the network, for whose size image files are cut.
            count: number of images that are drawn; None, or more than there are, takes all.

        Raises:
            InputError: they cannot be used.
        """
        from hyq_hls.data.image_folder import drawn  # noqa: PLC0415  (torch is slow to import)

        data = self.configuration.settings.data
        spec = self.configuration.images(data.test)
        if spec == NOISE:
            height, width, _ = qmodel.graph.input_type.shape
            return _noise((height, width), count or _NOISE_IMAGES, data.seed + 1), None
        with at(self.configuration, "data", "test"):
            if Path(spec).is_dir():
                return _of_folder(Path(spec), qmodel, count, data.seed)
            images, labels = sources.images(spec)
        if count is not None and count < len(images):
            places = drawn(len(images), count, data.seed)
            images, labels = images[places], None if labels is None else labels[places]
        return images, labels


def _noise(size: tuple[int, int], count: int, seed: int) -> NDArray[np.uint8]:
    """Return images of random bytes."""
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), np.uint8)


def _of_folder(
    folder: Path, qmodel: QuantizedModel, count: int | None, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from hyq_hls.data.image_folder import (  # noqa: PLC0415  (torch is slow to import)
        Preparation,
        drawn,
        labelled_images,
        load_images,
    )

    height, width, _ = qmodel.graph.input_type.shape
    if height != width:
        raise InputError(
            f"{folder} is a folder, whose images are cut to squares, and the network takes "
            f"{height} x {width}; give an .npz file with images and labels"
        )
    found = labelled_images(folder)
    if count is not None and count < len(found.paths):
        found = found.some(drawn(len(found.paths), count, seed))
    return load_images(found.paths, Preparation(height)), np.array(found.labels)
