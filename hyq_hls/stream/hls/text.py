"""The generated C++ files as text: top function, parameters, types, memories, csim bridge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from textwrap import indent, wrap
from typing import Any

from hyq_hls.errors import ConversionError
from hyq_hls.graph.kernel import RequantizeRom, Rom
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.flow.names import comment
from hyq_hls.stream.hls.layers import HyqOperation, rom_type_cpp

WIDTH = 100


def operations(model: Any) -> list[Any]:
    """The hls4ml layers that are operations, in order."""
    return [layer for layer in model.get_layers() if isinstance(layer, HyqOperation)]


def guard(name: str, lines: Iterable[str]) -> str:
    """A header file with include guards."""
    macro = f"{name.upper()}_H_"
    return "\n".join([f"#ifndef {macro}", f"#define {macro}", "", *lines, "", "#endif", ""])


def signature(model: Any) -> str:
    """Declaration of the top function."""
    (source,), (sink,) = model.get_input_variables(), model.get_output_variables()
    return (
        f"void {model.config.get_project_name()}(hls::stream<{source.type.name}> &{source.name}, "
        f"hls::stream<{sink.type.name}> &{sink.name})"
    )


def top_cpp(model: Any, banner: str) -> str:
    """``firmware/<project>.cpp``: streams, then one line per operation."""
    (source,), (sink,) = model.get_input_variables(), model.get_output_variables()
    lines = [banner, f'#include "{model.config.get_project_name()}.h"', '#include "parameters.h"']
    lines += ["", f"{signature(model)} {{"]
    body = [f"#pragma HLS INTERFACE axis port={v.name}" for v in (source, sink)]
    body += ["#pragma HLS DATAFLOW", ""]
    for layer in model.get_layers():
        for variable in layer.get_variables():
            if variable.name in (source.name, sink.name):
                continue
            depth = prod(variable.shape[:-1])
            body.append(f'hls::stream<{variable.type.name}> {variable.name}("{variable.name}");')
            body.append(f"#pragma HLS STREAM variable={variable.name} depth={depth}")
    section = ""
    for layer in model.get_layers():
        stage = layer.get_attr("stage")
        if stage is not None and stage.node.name.rpartition(".")[0] != section:
            section = stage.node.name.rpartition(".")[0]
            body += ["", f"// {comment(section)}"]
        if call := layer.get_attr("function_cpp"):
            body.append(call)
    return "\n".join([*lines, indent("\n".join(body), "    "), "}", ""])


def top_h(model: Any, banner: str) -> str:
    """``firmware/<project>.h``: the top function's declaration."""
    name = model.config.get_project_name()
    return guard(name, [banner, '#include "defines.h"', "", f"{signature(model)};"])


def defines_h(model: Any, banner: str) -> str:
    """``firmware/defines.h``: the type of every stream, once; shape in the comment."""
    lines = [banner, '#include "hyq/types.h"', ""]
    seen: dict[str, str] = {}
    for layer in model.get_layers():
        for variable in layer.get_variables():
            code = variable.type.precision.definition_cpp()
            line = f"typedef hyq::word<{code}, {variable.shape[-1]}> {variable.type.name};"
            if variable.type.name in seen:
                if seen[variable.type.name] != line:
                    raise ConversionError(
                        f"two types of the name {variable.type.name}: `{line}` after "
                        f"`{seen[variable.type.name]}`; rename the node {variable.name}"
                    )
                continue
            seen[variable.type.name] = line
            lines.append(f"{line} // {' x '.join(map(str, variable.shape))}")
    return guard("defines", lines)


def parameters_h(model: Any, banner: str) -> str:
    """``firmware/parameters.h``: one configuration structure per operation."""
    layers = operations(model)
    stages = [layer.get_attr("stage") for layer in layers]
    headers = {s.node.operation.module for s in stages} | {"fork", "width_converter"}
    lines = [banner, *(f'#include "hyq/{name}.h"' for name in sorted(headers)), ""]
    lines += [f'#include "weights/{stage.name}.h"' for stage in stages if stage.kernel.roms]
    for layer, stage in zip(layers, stages, strict=True):
        macs = stage.node.operation.macs(*stage.types)
        work = f", {macs} MAC" if macs else ""
        lines += [
            "",
            f"// {comment(stage.node.name)}: {stage.node.operation.name}, folding {stage.folding}, "
            f"{stage.cycles} cycles{work}",
        ]
        lines.append(layer.get_attr("config_cpp").rstrip())
    return guard("parameters", lines)


def weights_h(stage: OperationStage, banner: str) -> str:
    """``firmware/weights/<operation>.h``: the constant memories of one operation."""
    identifier = stage.name
    lines = [banner, '#include "hyq/requantize.h"']
    for rom in stage.kernel.roms:
        lines += [
            "",
            f"static const {rom_type_cpp(rom)} {identifier}_{rom.name}[{rom.entries}] = {{",
        ]
        lines += wrap(
            ", ".join(_entries(rom)), WIDTH, initial_indent="    ", subsequent_indent="    "
        )
        lines.append("};")
    return guard(f"{identifier}_weights", lines)


def _entries(rom: Rom | RequantizeRom) -> Sequence[str]:
    if isinstance(rom, Rom):
        return [str(v) for v in rom.values.ravel()]
    columns = [c for c in (rom.multiplier, rom.shift, rom.zero_point) if c is not None]
    rows = [[int(c[i if c.size > 1 else 0]) for c in columns] for i in range(rom.entries)]
    return ["{" + ", ".join(map(str, row)) + "}" for row in rows]


def bridge_cpp(model: Any, banner: str) -> str:
    """``<project>_bridge.cpp``: plain C functions around the top function, integers only."""
    (source,), (sink,) = model.get_input_variables(), model.get_output_variables()
    words = [prod(v.shape[:-1]) for v in (source, sink)]
    return "\n".join(
        [
            banner,
            f'#include "firmware/{model.config.get_project_name()}.h"',
            "",
            f"#define HYQ_TOP {model.config.get_project_name()}",
            f"typedef {source.type.name} hyq_input_word;",
            f"typedef {sink.type.name} hyq_output_word;",
            f'static const char *const hyq_input_name = "{source.name}";',
            f'static const char *const hyq_output_name = "{sink.name}";',
            f"static const unsigned hyq_input_words = {words[0]};",
            f"static const unsigned hyq_output_words = {words[1]};",
            "",
            '#include "firmware/hyq/csim/bridge.h"',
            "",
        ]
    )


def build_lib_sh(project: str, banner: str, flags: str) -> str:
    """``build_lib.sh``: compile the C simulation with g++."""
    return f"""#!/bin/bash
{banner.replace("//", "#")}
# Usage: ./build_lib.sh [more g++ flags, for example -DHYQ_BIT_ACCURATE]
set -e
cd "$(dirname "$0")"
FLAGS=({flags} "$@")
"${{CXX:-g++}}" "${{FLAGS[@]}}" -c firmware/{project}.cpp -o {project}.o &
TOP=$!
"${{CXX:-g++}}" "${{FLAGS[@]}}" -c {project}_bridge.cpp -o {project}_bridge.o
wait $TOP
"${{CXX:-g++}}" -shared {project}.o {project}_bridge.o -o {project}.so
rm -f {project}.o {project}_bridge.o
"""
