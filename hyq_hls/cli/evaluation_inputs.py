"""Turn the options of ``hyq-hls evaluate`` into images, calibration images and a network."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch

from hyq_hls.cli import sources
from hyq_hls.data.image_folder import (
    LabelledImages,
    Preparation,
    all_images,
    drawn,
    labelled_images,
    load_images,
)
from hyq_hls.errors import InputError
from hyq_hls.evaluate import Measurement, class_count
from hyq_hls.models.public import PUBLIC, load_weight_file, public_model


def measurement(options: argparse.Namespace) -> Measurement:
    """Return what the options ask for, before anything is measured.

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
    found_again = options.model not in PUBLIC and options.weights is None
    return Measurement(
        model,
        options.model,
        images,
        calibration,
        origin,
        preparation,
        folder,
        seed=options.seed,
        batch=options.batch,
        restart=options.restart,
        remembered=options.model if found_again else None,
        progress=not options.quiet,
    )


def evaluated_images(options: argparse.Namespace) -> tuple[LabelledImages, list[Path], str]:
    """Return the evaluated images, the calibration files, and where these come from.

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
    if options.count:
        if options.count > len(images.paths):
            raise InputError(
                f"--count {options.count}: {images.root} has {len(images.paths)} to evaluate"
            )
        images = images.some(drawn(len(images.paths), options.count, options.seed))
    common = {p.resolve() for p in files} & {p.resolve() for p in images.paths}
    if common:
        raise InputError(
            f"{len(common)} calibration images are evaluated too, as {min(common)}; give other "
            "--calibration-data"
        )
    return images, files, origin


def float_model(spec: str, weights: Path | None) -> torch.nn.Module:
    """Return the trained network that ``--model`` and ``--weights`` name, in evaluation mode.

    Raises:
        InputError: there is no such network, or the weights do not fit.
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
