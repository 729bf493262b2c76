"""Errors that ``hyq_hls`` raises on purpose; all derive from ``HyqError``. And its warning."""

from __future__ import annotations


class HyqError(Exception):
    """Base of every error that the package raises about its input."""


class GraphError(HyqError, ValueError):
    """A graph or an operation is not well formed: names, shapes or ranges that do not fit."""


class ShapeError(HyqError, ValueError):
    """A tensor or a parameter has a shape that a float operation cannot take."""


class FileFormatError(HyqError):
    """A file cannot be written, or is not a file that this version reads."""


class CaptureError(HyqError):
    """A module could not be turned into a float graph."""


class CaptureMismatchError(CaptureError):
    """The float graph and the module it came from give different results."""


class ConversionError(HyqError):
    """A graph cannot become an HLS project."""


class DoesNotFitError(ConversionError):
    """A part is too small for a design."""


class CompilationError(HyqError):
    """The generated C++ could not be compiled or loaded."""


class SimulationError(HyqError):
    """The C++ simulation failed while it ran."""


class InputError(HyqError):
    """Images, labels or options given by the user are unusable."""


class MissingPackageError(HyqError, ImportError):
    """A Python package that is not always installed is needed, such as one of an extra."""


class QuantizationError(HyqError):
    """A float graph cannot be quantized as configured."""


class InputRangeWarning(UserWarning):
    """A model seems to take other images than bytes divided by 255."""


class RoundedImagesWarning(UserWarning):
    """Float images were not bytes divided by 255, and were rounded to bytes."""
