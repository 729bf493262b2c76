"""Models and images that the command line takes, by name."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.cli.nodes import add_node_arguments
from hyq_hls.errors import InputError
from hyq_hls.support import is_file, user_path

if TYPE_CHECKING:
    import torch

    from hyq_hls.quantized_model import QuantizedModel

DEFAULT_MODEL = "mobilevit_digits"
#: Height and width of its images.
DEFAULT_SIZE = (32, 32)
MODEL_HELP = (
    "mobilevit_digits (the trained default), or module:function or file.py:function that returns a "
    "trained torch.nn.Module"
)
IMAGES_HELP = (
    ".npy (images) or .npz (images, labels) file, uint8 (B, H, W, C); or digits-train, "
    "digits-test, digits-distorted (scikit-learn's handwritten digits)"
)

LABELLED_HELP = (
    ".npz file with images, uint8 (B, H, W, C), and labels (B,); or digits-train, digits-test, "
    "digits-distorted"
)


def path(text: str) -> Path:
    """Return the path that an option gives; ``~`` is the home folder.

    Raises:
        argparse.ArgumentTypeError: it is no path.
    """
    try:
        user_path(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(os.path.expanduser(text))


def check_output(place: Path | None, option: str) -> None:
    """Raise ``InputError`` before the work where a file cannot be written after it."""
    if place is None:
        return
    file = user_path(place)
    if file.is_dir() or not file.parent.is_dir():
        raise InputError(f"cannot write {option} {place}: a file in a folder is wanted")
    _check_writable(file.parent, f"{option} {place}")


def check_folder(place: Path, option: str) -> None:
    """Raise ``InputError`` before the work where a folder cannot be made or written after it."""
    folder = user_path(place)
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        raise InputError(f"cannot write {option} {place}: {there} is a file; give another folder")
    _check_writable(there, f"{option} {place}")


def _check_writable(folder: Path, what: str) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"cannot write {what}: {folder} is not writable; give another place, or change the "
            "rights of that folder"
        )


def check_images(qmodel: QuantizedModel, images: NDArray[Any]) -> None:
    """Raise ``InputError`` before the work for images that a network cannot take."""
    qmodel.image_bytes(images[:1])


def model(spec: str) -> torch.nn.Module:
    """Return the trained module that ``spec`` names.

    Raises:
        InputError: there is no such module.
    """
    if spec == DEFAULT_MODEL:
        from hyq_hls.models import mobilevit_digits  # noqa: PLC0415

        return mobilevit_digits(pretrained=True)
    source, separator, function = spec.partition(":")
    if not separator:
        raise InputError(f"model {spec!r}: {MODEL_HELP}")
    made = getattr(_module(source), function, None)
    if not callable(made):
        raise InputError(f"model {spec!r}: {source} has no function {function!r}")
    try:
        result: torch.nn.Module = made()
    except Exception as error:  # whatever the user's function raises
        raise InputError(f"{spec} failed: {type(error).__name__}: {error}") from error
    return result


def architecture(spec: str, size: tuple[int, int] | None) -> torch.nn.Module:
    """Return a module for which random weights will do: one of ``model``, or of timm by its name.

    Args:
        spec: a name, ``module:function`` or ``file.py:function``.
        size: (height, width) of the images, for networks of timm that are made for a size.

    Raises:
        InputError: there is no such module.
    """
    if spec == DEFAULT_MODEL or ":" in spec:
        return model(spec)
    from hyq_hls.models.public import architecture  # noqa: PLC0415

    return architecture(spec, size)


def known_size(spec: str, size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the size that is given, or else that of the default network if it is that one."""
    return DEFAULT_SIZE if size is None and spec == DEFAULT_MODEL else size


def image_size(text: str) -> tuple[int, int]:
    """Return (height, width) of ``224`` or ``192x256``.

    Raises:
        argparse.ArgumentTypeError: it is no size.
    """
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r}: a size such as 224 or 192x256 is wanted")
    return int(sides[0]), int(sides[-1])


def _module(source: str) -> Any:
    """Import a module or a file, as Python imports a script: modules beside it can be imported."""
    path = user_path(source) if source.endswith(".py") else Path(source)
    is_file = path.suffix == ".py"
    if is_file and not path.is_file():
        raise InputError(f"no such Python file: {source}")
    folder = str((path.parent if is_file else Path()).resolve())
    if folder not in sys.path:
        _forget_modules_beside_models()
        sys.path.insert(0, folder)
        if is_file:
            _FOLDERS.append(folder)
    try:
        return _from_file(path) if is_file else importlib.import_module(source)
    except Exception as error:  # whatever the user's module raises
        raise InputError(f"cannot import {source}: {type(error).__name__}: {error}") from error


#: Folders of models that are on ``sys.path``, so that a model imports the modules beside it.
_FOLDERS: list[str] = []


def _forget_modules_beside_models() -> None:
    """Let the next model find the modules beside it, not those of the same names elsewhere."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and str(Path(file).parent) in _FOLDERS:
            del sys.modules[name]
    sys.path[:] = [folder for folder in sys.path if folder not in _FOLDERS]
    _FOLDERS.clear()


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"hyq_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def check_source(spec: str) -> None:
    """Raise ``InputError`` before the work where images are no folder, no file and no name."""
    if not (spec.startswith("digits-") or Path(spec).is_dir() or is_file(user_path(spec))):
        raise InputError(f"no such file: {spec}; give {IMAGES_HELP}")


def images(spec: str) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return images and, where the source has them, labels.

    Raises:
        InputError: the source cannot be used.
    """
    if spec.startswith("digits-"):
        from hyq_hls.models import digits  # noqa: PLC0415

        sources = {
            "digits-train": digits.train,
            "digits-test": digits.test,
            "digits-distorted": digits.distorted,
        }
        if spec not in sources:
            raise InputError(f"unknown images {spec!r}; {IMAGES_HELP}")
        return sources[spec]()
    file = user_path(spec)
    if not is_file(file):
        raise InputError(f"no such file: {spec}; give {IMAGES_HELP}")
    try:
        with file.open("rb") as stream:
            data = np.load(stream, allow_pickle=False)
            if isinstance(data, np.ndarray):
                return _batch(data, spec), None
            if "images" in data:
                return _batch(data["images"], spec), data.get("labels")
            found = ", ".join(data.files)
    except InputError:
        raise
    except Exception as error:  # zlib.error, BadZipFile, EOFError, ...: a damaged file has many
        raise InputError(f"{spec} is not a numpy file of plain numbers: {error}") from error
    raise InputError(f"{spec} has no array 'images'; found {found}")


def _batch(images: NDArray[Any], spec: str) -> NDArray[Any]:
    """Return images of which a few can be taken.

    Raises:
        InputError: it is a single number.
    """
    if not images.ndim:
        raise InputError(f"{spec} holds one number; images (B, H, W, C) are wanted")
    return images


def add_design_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what chooses a design: part, clock, speed, room."""
    parser.add_argument(
        "--part",
        default="xc7z020",
        help="part, device or board, or a file *.toml that describes a part",
    )
    parser.add_argument(
        "--architecture",
        choices=("auto", "stream", "engine"),
        default="auto",
        help="stream: every node has a circuit of its own; engine: one array runs a program; auto: "
        "the stream where it fits the part, else the engine",
    )
    parser.add_argument("--clock-mhz", type=float, default=100.0, help="target clock")
    parser.add_argument(
        "--target-fps",
        type=float,
        help="the smallest design with so many frames per second at that clock (default: about "
        "200 multiply-accumulates per cycle, or what fits)",
    )
    parser.add_argument(
        "--share",
        type=float,
        help="of the part that may be used, such as 0.7; without --target-fps, the fastest design "
        "that fits it",
    )
    parser.add_argument(
        "--must-fit",
        choices=("both", "rtl", "hls"),
        default="both",
        help="what the part must have room for: the RTL by its estimate, the HLS C++ by its plan",
    )
    parser.add_argument(
        "--any-size",
        action="store_true",
        help="go on also where the part is too small or the clock too fast",
    )
    add_node_arguments(parser)


def untrained_network(
    spec: str, size: tuple[int, int] | None, calibration: str | None
) -> QuantizedModel:
    """Quantize a network that is named, whose weights may be random.

    Args:
        spec: what :func:`architecture` takes.
        size: (height, width) of its images; that of the default network if it is that one.
        calibration: a folder of images, or what :func:`images` takes; None takes two images of
            noise.

    Raises:
        InputError: there is no such network, or its size is not known.
    """
    import torch  # noqa: PLC0415  (torch is slow to import)

    from hyq_hls import quantize  # noqa: PLC0415

    size = known_size(spec, size)
    if size is None:
        raise InputError("--model needs --image-size, such as 256 or 192x256")
    torch.manual_seed(0)  # random weights are the same in every run
    module = architecture(spec, size)
    given: Any = calibration
    if calibration is None:
        given = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    elif not Path(calibration).is_dir():
        given = images(calibration)[0]
    return quantize(module, given)


def must_fit(options: argparse.Namespace) -> bool | str:
    """Return what the options say of ``must_fit`` in Python."""
    if options.any_size:
        return False
    return True if options.must_fit == "both" else str(options.must_fit)


def refuse_design_arguments(options: argparse.Namespace) -> None:
    """Raise ``InputError`` for what would choose a design where there is one already."""
    parser = argparse.ArgumentParser()
    add_design_arguments(parser)
    given = [
        f"--{name.replace('_', '-')}"
        for name, default in vars(parser.parse_args([])).items()
        if getattr(options, name) != default
    ]
    if given:
        raise InputError(
            f"{', '.join(given)}: {options.source} is a project, whose design is chosen; give the "
            ".hyq file, or convert again with these options"
        )


def take(data: NDArray[Any], count: int, seed: int = 0) -> NDArray[Any]:
    """Draw ``count`` images without repetition, the same for a seed; all if there are fewer."""
    if len(data) <= count:
        return data
    return data[np.sort(np.random.default_rng(seed).choice(len(data), count, replace=False))]
