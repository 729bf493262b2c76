"""The C++ of the layers: a configuration structure, a memory of shifts, and a call."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from hyq_hls.errors import ConversionError, GraphError
from hyq_hls.hls4ml_extension.base import HyqLayer
from hyq_hls.hls4ml_extension.layers import LAYERS
from hyq_hls.stream.arguments import TemplateArguments
from hyq_hls.stream.hls import text
from hyq_hls.support import template_dir

#: The header of the layers, in ``hls_templates/``.
HEADER = "hls4ml_layers.h"
_INCLUDE = re.compile(r'^#include "(\w+\.h)"', re.MULTILINE)
_FUNCTIONS = {
    "HyqRequantize": "requantize_position",
    "HyqShiftSwish": "shift_swish_position",
    "HyqLinearSoftmax": "linear_softmax_position",
}


def headers() -> list[Path]:
    """Return the C++ headers that a project needs: that of the layers, and what it includes."""
    folder, names = template_dir(), [HEADER]
    for name in names:  # It grows.
        included = _INCLUDE.findall((folder / name).read_text(encoding="utf-8"))
        # Those of the vendor lie in the project already.
        names += [n for n in included if n not in names and (folder / n).is_file()]
    return [folder / name for name in names]


def arguments(node: HyqLayer) -> TemplateArguments:
    """Return the parameters of the C++ of a layer.

    Raises:
        ConversionError: its types, or the way that hls4ml moves them, are not supported.
    """
    config = node.model.config
    if "hyq" in (config.get_project_name(), config.get_writer_config().get("Namespace")):
        raise ConversionError(
            f"{node.name}: the C++ of the layer lies in a namespace hyq; give the project, or its "
            "Namespace, another name"
        )
    channels = node.shape[-1]
    lanes = getattr(node.get_input_variable().type, "n_elem", channels)
    if lanes != channels:  # hls4ml flattens a stream without a process.
        raise ConversionError(
            f"{node.name}: words of {lanes} values come in for {channels} channels; put the layer "
            "before the Flatten, or a Dense between them"
        )
    try:
        return node.arguments()
    except GraphError as error:
        raise ConversionError(f"{node.name}: {error}") from error


class HyqConfig(LayerConfigTemplate):
    """Attribute ``config_cpp``: the structure in ``parameters.h``."""

    def __init__(self) -> None:
        super().__init__(LAYERS)

    def format(self, node: Any) -> str:
        """Return the structure and the memories of a layer."""
        name, found = f"config{node.index}", arguments(node)
        memories = [text.memory(name, rom) for rom in found.roms]
        return "\n".join([*memories, text.structure(name, found), ""])


class HyqCall(FunctionCallTemplate):
    """Attribute ``function_cpp``: the line in the top function."""

    def __init__(self) -> None:
        super().__init__(LAYERS, include_header=[f"nnet_utils/{HEADER}"])

    def format(self, node: Any) -> str:
        """Return the call of a layer."""
        p = self._default_function_params(node)
        memories = [f"{p['config']}_{rom.name}" for rom in arguments(node).roms]
        streams = ", ".join([p["input"], p["output"], *memories])
        position = f"hyq::{_FUNCTIONS[node.class_name]}<{p['config']}>"
        return f"hyq::each_position<{position}, {p['config']}>({streams});"
