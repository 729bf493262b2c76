"""Checks of a configuration before any long work: names, ranges, files and folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

from hyq_hls.cli import sources
from hyq_hls.cli.workflow.configuration import NOISE, Configuration
from hyq_hls.cli.workflow.schema import nearest
from hyq_hls.errors import HyqError, InputError
from hyq_hls.machine.budget import check_clock, check_share
from hyq_hls.parts import part
from hyq_hls.quant.config import NodeBits, QuantConfig
from hyq_hls.stream.folding import Folding
from hyq_hls.support import is_file

#: Arguments of Python that have another name here.
_KEYS = {
    "must_fit=False": 'must_fit = "no"',
    "must_fit=True": 'must_fit = "both"',
    "target_fps=None": "no target_fps",
    "count=": "calibration_images=",
    "output_dir=": "output=",
}
#: Keys that are checked as they are, with the least and the largest value.
_RANGES: dict[str, dict[str, tuple[float, float | None]]] = {
    "data": {"calibration_images": (1, None), "seed": (0, None), "test_images": (1, None)},
    "hardware": {"target_fps": (0.001, None)},
    "targets": {
        "csim_images": (1, None),
        "trace_images": (1, None),
        "cosim_images": (1, None),
        "idle": (0.0, 0.99),
        "backpressure": (0.0, 0.99),
    },
}


def check(configuration: Configuration) -> None:
    """Check all that needs no long work.

    Raises:
        InputError: a value, a file or a folder does not do; file and key are named.
    """
    settings = configuration.settings
    for section, keys in _RANGES.items():
        for key, (low, high) in keys.items():
            value = getattr(getattr(settings, section), key)
            if value is None or (low <= value and (high is None or value <= high)):
                continue
            limit = f"{low:g} or more" if high is None else f"{low:g} to {high:g}"
            raise InputError(f"{configuration.file} [{section}] {key} = {value}: {limit} is wanted")
    with at(configuration, "hardware", "part"):
        part(settings.hardware.part)
    with at(configuration, "hardware", "clock_mhz"):
        check_clock(settings.hardware.clock_mhz)
    if settings.hardware.share is not None:
        with at(configuration, "hardware", "share"):
            check_share(settings.hardware.share)
    with at(configuration, "hardware", "folding"):
        folding(configuration)
    quantization(configuration)
    _check_model(configuration)
    for key in ("calibration", "test"):
        with at(configuration, "data", key):
            _check_images(configuration, getattr(settings.data, key))
    with at(configuration, "targets", "output"):
        _check_output(configuration.output)


@contextmanager
def at(configuration: Configuration, section: str, key: str) -> Iterator[None]:
    """Name file and key in what is raised inside.

    Raises:
        InputError: anything of this package was raised.
    """
    try:
        yield
    except HyqError as error:
        place = f"{configuration.file} [{section}] {key}"
        raise InputError(f"{place}: {as_keys(str(error))}") from error


def as_keys(message: str) -> str:
    """Return a message about arguments of Python in the words of the file."""
    for argument, key in _KEYS.items():
        message = message.replace(argument, key)
    return re.sub(r"\b(\w+)=(?=[\w'\"])", r"\1 = ", message)


def quantization(configuration: Configuration) -> QuantConfig:
    """Return the choices of the section ``quantization``.

    Raises:
        InputError: a preset, a field or a width is unknown or out of range.
    """
    from hyq_hls.quant.presets import preset  # noqa: PLC0415  (torch is slow to import)

    given = configuration.settings.quantization
    with at(configuration, "quantization", "preset"):
        start = preset(given.preset, given.weight_bits, given.activation_bits)
    own = {"weight_bits", "activation_bits", "overrides", "methods"}
    known = {f.name: f for f in fields(QuantConfig) if f.name not in own}
    with at(configuration, "quantization", "options"):
        for name in given.options:
            if name not in known:
                raise InputError(f"no field {name!r}; {nearest(name, known)}")
        config = replace(start, **given.options)
    with at(configuration, "quantization", "node_bits"):
        for pattern, bits in given.node_bits.items():
            if len(bits) != 2:
                raise InputError(
                    f'"{pattern}" = {list(bits)}: two widths, of weights and of activations, are '
                    f'wanted, as "{pattern}" = [4, 8]'
                )
        overrides = {pattern: NodeBits(*bits) for pattern, bits in given.node_bits.items()}
        return replace(config, overrides=overrides)


def folding(configuration: Configuration) -> dict[str, Folding] | None:
    """Return the lanes of the section ``hardware``; None where it has none.

    Raises:
        InputError: there are not two numbers for a node.
    """
    given = configuration.settings.hardware.folding
    for node, lanes in given.items():
        if len(lanes) != 2 or min(lanes) < 1:
            raise InputError(
                f'"{node}" = {list(lanes)}: lanes of the output and of the input are wanted, as '
                f'"{node}" = [8, 4]'
            )
    return {node: Folding(*lanes) for node, lanes in given.items()} or None


def _check_model(configuration: Configuration) -> None:
    model = configuration.settings.model
    with at(configuration, "model", "source"):
        source = model_source(configuration)
        file = Path(source.partition(":")[0])
        if file.suffix == ".py" and not is_file(file):
            raise InputError(f"no such Python file: {file}; correct the path before the colon")
        if ":" not in source and not model.random_weights:
            _check_public(source)
    with at(configuration, "model", "checkpoint"):
        if model.checkpoint is not None and not is_file(configuration.path(model.checkpoint)):
            raise InputError(
                f"no such file: {configuration.path(model.checkpoint)}; correct the path"
            )
        if model.checkpoint is not None and model.random_weights:
            raise InputError("random_weights = true takes no checkpoint; leave one of them out")
    with at(configuration, "model", "image_size"):
        if model.image_size is not None and (
            len(model.image_size) != 2 or min(model.image_size) < 1
        ):
            raise InputError(
                f"{list(model.image_size)}: height and width are wanted, as [224, 224]"
            )


def _check_public(name: str) -> None:
    from hyq_hls.models.public import PUBLIC  # noqa: PLC0415  (torch is slow to import)

    known = {sources.DEFAULT_MODEL: None, **PUBLIC}
    if name not in known:
        raise InputError(
            f"no network {name!r} with public weights; {nearest(name, known)}, or give "
            "file.py:function, or random_weights = true"
        )


def model_source(configuration: Configuration) -> str:
    """Return the model as the command line takes it; a Python file is that beside ``hyq.toml``."""
    source = configuration.settings.model.source
    name, separator, function = source.partition(":")
    if not separator:
        return source
    file = configuration.path(name if name.endswith(".py") else f"{name.replace('.', '/')}.py")
    return f"{file}:{function}" if name.endswith(".py") or is_file(file) else source


def _check_images(configuration: Configuration, text: str) -> None:
    """Look at images without reading a large folder."""
    spec = configuration.images(text)
    if spec == NOISE:
        image_size(configuration)
    elif not Path(spec).is_dir():
        sources.images(spec)


def image_size(configuration: Configuration) -> tuple[int, int]:
    """Return height and width of images that are drawn at random.

    Raises:
        InputError: the configuration does not say it.
    """
    given = configuration.settings.model.image_size
    size = None if given is None else (given[0], given[1])
    known = sources.known_size(configuration.settings.model.source, size)
    if known is None:
        raise InputError("noise needs a size; write image_size = [224, 224] in the section [model]")
    return known


def _check_output(folder: Path) -> None:
    """Make the folder of the results."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {folder}: {error.strerror or error}; name another folder"
        ) from error
