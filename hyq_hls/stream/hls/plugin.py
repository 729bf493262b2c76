"""Entry point of the hls4ml backend plugin (group ``hls4ml.backends``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hls4ml.backends import backend as hls4ml_backends
from hls4ml.writer import writers as hls4ml_writers

from hyq_hls.stream.hls.backend import HyqBackend
from hyq_hls.stream.hls.layers import NAME
from hyq_hls.stream.hls.writer import HyqWriter


def register(*, register_backend: Callable[..., Any], register_writer: Callable[..., Any]) -> None:
    """Register writer and backend; called once by hls4ml's plugin loader."""
    register_writer(NAME, HyqWriter)
    register_backend(NAME, HyqBackend)


def ensure_registered() -> None:
    """Register when hls4ml did not: in a checkout that is not installed there is no entry point."""
    if NAME.lower() not in hls4ml_backends.get_available_backends():
        register(
            register_backend=hls4ml_backends.register_backend,
            register_writer=hls4ml_writers.register_writer,
        )
