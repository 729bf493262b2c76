"""Makes the layers known to hls4ml, by the means of its extension API."""

from __future__ import annotations

from hls4ml.backends import get_available_backends, get_backend
from hls4ml.backends.vivado.vivado_backend import VivadoBackend
from hls4ml.converters import register_pytorch_layer_handler
from hls4ml.converters.pytorch_to_hls import layer_handlers
from hls4ml.model.layers import register_layer

from hyq_hls.errors import ConversionError
from hyq_hls.hls4ml_extension.base import REGISTERED
from hyq_hls.hls4ml_extension.layers import LAYERS
from hyq_hls.hls4ml_extension.modules import HANDLERS
from hyq_hls.hls4ml_extension.templates import HyqCall, HyqConfig, headers


def register(backend: str = "Vitis") -> None:
    """Register layers, modules, templates and headers; a second call changes nothing.

    Args:
        backend: ``Vitis`` or ``Vivado``.

    Raises:
        ConversionError: hls4ml has no such backend, its C++ is another one, or one of our headers
            would replace a file of another extension.
    """
    if backend.lower() in REGISTERED:
        return
    if backend.lower() not in get_available_backends():
        raise ConversionError(
            f"hls4ml has no backend {backend!r}; it has {', '.join(get_available_backends())}"
        )
    found = get_backend(backend)
    if not isinstance(found, VivadoBackend):
        raise ConversionError(
            f"backend {backend} does not write C++ for Vivado or Vitis HLS, which the layers are "
            "written for; use Vitis"
        )
    sources = {f"nnet_utils/{path.name}": path for path in headers()}
    taken = sorted(sources.keys() & found.get_custom_source().keys())
    if taken:
        raise ConversionError(
            f"another extension registered {', '.join(taken)} with backend {backend}, and only one "
            "file of a name can be copied into a project"
        )
    for layer in LAYERS:
        register_layer(layer.__name__, layer)
    for module, handler in HANDLERS.items():
        if layer_handlers.get(module.__name__) is not handler:
            register_pytorch_layer_handler(module.__name__, handler)
    for template in (HyqConfig, HyqCall):
        found.register_template(template)
    for path in sources.values():
        found.register_source(path)
    REGISTERED.add(backend.lower())
