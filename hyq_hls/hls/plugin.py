"""Entry point of the hls4ml backend plugin (group ``hls4ml.backends``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyq_hls.hls.backend import NAME, HyqBackend
from hyq_hls.hls.writer import HyqWriter


def register(*, register_backend: Callable[..., Any], register_writer: Callable[..., Any]) -> None:
    """Register writer and backend; called once by hls4ml's plugin loader."""
    register_writer(NAME, HyqWriter)
    register_backend(NAME, HyqBackend)
