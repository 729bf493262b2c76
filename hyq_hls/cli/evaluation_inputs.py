"""What the options of ``hyq-hls evaluate`` name: images, calibration images, a float network."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from hyq_hls.cli import sources
from hyq_hls.errors import HyqError, InputError
from hyq_hls.models.image_folder import LabelledImages, all_images, drawn, labelled_images
from hyq_hls.models.public import PUBLIC, load_weight_file, public_model


def evaluated_images(options: argparse.Namespace) -> tuple[LabelledImages, list[Path], str]:
    """Evaluated images, calibration files, and where these come from.

    Raises:
        InputError: a folder or a count does not do, there is nothing to calibrate with, or a
            calibration image would be evaluated too.
    """
    val, train = options.data / "val", options.data / "train"
    if train.is_dir() and not val.is_dir():
        raise InputError(
            f"{options.data} has train/ but no val/; both are wanted, or a folder of class folders"
        )
    images = labelled_images(val if val.is_dir() else options.data)
    count = options.calibration
    if options.calibrate_on_val:
        total = len(images.paths)
        if count >= total:
            raise InputError(f"--calibrate-on-val: {count} of {total} images would leave none")
        chosen = drawn(total, count, options.seed)
        files = [images.paths[i] for i in chosen]
        images = images.some(np.setdiff1d(np.arange(total), chosen))
        origin = "taken out of the validation images and not evaluated"
    elif options.calibration_data or train.is_dir():
        folder = options.calibration_data or train
        found = all_images(folder)
        if count > len(found):
            raise InputError(
                f"--calibration {count}: {folder} has {len(found)} images; ask for fewer"
            )
        files = [found[i] for i in drawn(len(found), count, options.seed)]
        origin = "from --calibration-data" if options.calibration_data else "from train/"
    else:
        raise InputError(
            f"no images to calibrate with: {options.data} has no train/; give --calibration-data "
            "with training images, or --calibrate-on-val to take some out of the evaluated ones"
        )
    if options.images:
        if options.images > len(images.paths):
            raise InputError(
                f"--images {options.images}: {images.root} has {len(images.paths)} to evaluate"
            )
        images = images.some(drawn(len(images.paths), options.images, options.seed))
    common = {p.resolve() for p in files} & {p.resolve() for p in images.paths}
    if common:
        raise InputError(
            f"{len(common)} calibration images are evaluated too, as {min(common)}; give other "
            "--calibration-data"
        )
    return images, files, origin


def float_model(spec: str, weights: Path | None) -> torch.nn.Module:
    """The trained network that ``--model`` and ``--weights`` name, in evaluation mode.

    Raises:
        InputError: there is none, or the weights do not fit; says what to do.
    """
    if spec in PUBLIC:
        return public_model(spec, weights)
    if ":" not in spec and spec != sources.DEFAULT_MODEL:
        raise InputError(
            f"unknown model {spec!r}; choose {', '.join(PUBLIC)} or {sources.MODEL_HELP}"
        )
    model = sources.model(spec)
    if not isinstance(model, torch.nn.Module):
        raise InputError(f"{spec}: a torch.nn.Module is wanted, found {type(model).__name__}")
    if weights is not None:
        load_weight_file(model, weights)
    return model.eval()


def class_count(model: torch.nn.Module, size: int) -> int:
    """Width of the logits for images of this size.

    Raises:
        InputError: the model does not take them, or gives no logits (1, classes).
        ShapeError: the same of our MobileViT; names sizes that work.
    """
    try:
        with torch.inference_mode():
            shape = tuple(model(torch.zeros(1, 3, size, size)).shape)
    except HyqError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"the model does not take float images (1, 3, {size}, {size}): {error}; give --size"
        ) from error
    if len(shape) != 2:
        raise InputError(f"logits (images, classes) are wanted, the model gives {shape}")
    return shape[1]
