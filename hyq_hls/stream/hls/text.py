"""The generated C++ of a dataflow, as text: top function, parameters, types, memories, bridge.

Everything here is printed from a :class:`hyq_hls.stream.flow.Dataflow` alone. The names of the HLS
compiler stand in ``hls_templates/target.h``, and nowhere in this text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import indent

from hyq_hls.graph.types import TensorType
from hyq_hls.stream.arguments import Memory, RequantizeRom, Rom, Signed, TemplateArguments
from hyq_hls.stream.cost.hls_memories import fifo_in_luts, rom_memory, rom_place
from hyq_hls.stream.flow import Dataflow, ForkStage, OperationStage, Stage
from hyq_hls.stream.flow.names import comment
from hyq_hls.stream.hls.compilers import Compiler

_WIDTH = 100


def project_files(flow: Dataflow, project: str, compiler: Compiler = "vitis") -> dict[str, str]:
    """Return every generated C++ file of a project but its test bench.

    Args:
        flow: the machine.
        project: name of the top function.
        compiler: HLS compiler that the C++ is for.

    Returns:
        Content by path in the project's folder.
    """
    banner = f"// {flow.banner}"
    files = {
        f"firmware/{project}.cpp": top_cpp(flow, project, banner, compiler),
        f"firmware/{project}.h": top_h(flow, project, banner),
        "firmware/defines.h": defines_h(flow, banner),
        "firmware/parameters.h": parameters_h(flow, banner, compiler),
        f"{project}_bridge.cpp": bridge_cpp(flow, project, banner),
    }
    for stage in flow.operations:
        if stage.arguments.roms:
            files[f"firmware/weights/{stage.name}.h"] = weights_h(stage, f"// {flow.origin}")
    return files


def word_type(flow: Dataflow, stream: str) -> str:
    """Name of the C++ type of the words of a stream."""
    ports = {flow.source: "input_t", flow.sink: "result_t"}
    return ports.get(stream, f"{stream}_word")  # POSIX has many types *_t


def top_cpp(flow: Dataflow, project: str, banner: str, compiler: Compiler = "vitis") -> str:
    """Return ``firmware/<project>.cpp``, which declares streams and calls a function per stage.

    Bambu drives no memory that is an argument of a process. So a process of an operation with
    memories becomes a function that has streams alone, and reads the memories as globals. An
    operation with processes of its own reads those that its configuration names.
    """
    lines = [banner, f'#include "{project}.h"', '#include "parameters.h"']
    bambu = flow.operations if compiler == "bambu" else []
    wrapped = {s.name for s in bambu if s.arguments.roms and not names_memories(s, compiler)}
    for operation in flow.operations:
        if operation.name in wrapped:
            lines += ["", *_process(flow, operation)]
    lines += ["", f"{_signature(flow, project)} {{"]
    ports = (flow.source, flow.sink)
    body = [*(f"HYQ_AXI_STREAM({port})" for port in ports), "HYQ_CONTROL_PORTS", "HYQ_DATAFLOW", ""]
    for name, stream in flow.streams.items():
        if name not in ports:
            body.append(f'hyq::stream<{word_type(flow, name)}> {name}("{name}");')
            body.append(f"HYQ_STREAM_DEPTH({name}, {stream.depth})")
    directives = [*fifo_directives(flow), *memory_directives(flow)]
    if directives:
        body += ["", *directives]
    section = ""
    for stage in flow.stages:
        if isinstance(stage, OperationStage):
            found = stage.node.name.rpartition(".")[0]
            if found != section:
                section = found
                body += ["", f"// {comment(section)}"]
        streams = ", ".join((*stage.inputs, *stage.outputs))
        wrapper = f"{stage.name}_process({streams})"
        process = wrapper if stage.name in wrapped else call(flow, stage, compiler)
        body.append(f"HYQ_PROCESS({process});")
    return "\n".join([*lines, indent("\n".join(body), "    "), "}", ""])


def fifo_directives(flow: Dataflow) -> Iterator[str]:
    """Yield the directives of the FIFOs that would lie in block RAM without them."""
    for name, stream in flow.streams.items():
        bits = stream.lanes * stream.type.quantization.bits
        if name not in (flow.source, flow.sink) and fifo_in_luts(Memory(bits, stream.depth)):
            yield f"HYQ_LUT_FIFO({name})"


def names_memories(stage: OperationStage, compiler: Compiler) -> bool:
    """Return whether the configuration of an operation names its constant memories.

    This is so for Bambu where the operation has processes of its own.
    """
    has_processes = len(stage.circuit.processes(stage.folding)) > 1
    return compiler == "bambu" and has_processes and bool(stage.arguments.roms)


def _process(flow: Dataflow, stage: OperationStage) -> list[str]:
    """Return the lines of the function of a process that has streams alone."""
    names = (*stage.inputs, *stage.outputs)
    streams = ", ".join(f"hyq::stream<{word_type(flow, name)}> &{name}" for name in names)
    return [f"void {stage.name}_process({streams}) {{", f"    {operation_call(stage)};", "}"]


def memory_directives(flow: Dataflow) -> Iterator[str]:
    """Yield the directives of the constant memories.

    They stand in the top function, where the arrays are visible. A memory needs one where a cycle
    reads several entries: side by side in a word, or each at an address of its own. It needs one
    where the tool would put it elsewhere than the SystemVerilog.
    """
    bindings = {"lut": "HYQ_LUT_ROM", "block": "HYQ_BLOCK_ROM"}
    for stage in flow.operations:
        for rom in stage.arguments.roms:
            name, place = f"{stage.name}_{rom.name}", rom_place(rom_memory(stage, rom))
            if rom.lanes > 1:
                yield f"HYQ_RESHAPE({name}, 2)"
            if place:
                yield f"{bindings[place]}({name})"
            elif isinstance(rom, Rom) and rom.lookups > 1:
                yield f"HYQ_ROM({name})"


def top_h(flow: Dataflow, project: str, banner: str) -> str:
    """Return ``firmware/<project>.h``, which declares the top function."""
    return _guard(project, [banner, '#include "defines.h"', "", f"{_signature(flow, project)};"])


def _signature(flow: Dataflow, project: str) -> str:
    source, sink = (
        f"hyq::stream<{word_type(flow, port)}> &{port}" for port in (flow.source, flow.sink)
    )
    return f"void {project}({source}, {sink})"


def call(flow: Dataflow, stage: Stage, compiler: Compiler = "vitis") -> str:
    """Return the call of a stage in the top function.

    A fork has the words of its streams as its parameter, a width converter those of its wider side.
    """
    if isinstance(stage, OperationStage):
        return operation_call(stage, compiler)
    streams = (*stage.inputs, *stage.outputs)
    function = "fork" if isinstance(stage, ForkStage) else "convert_width"
    words = min(flow.streams[name].beats for name in streams)
    return f"hyq::{function}<{words}>({', '.join(streams)})"


def operation_call(stage: OperationStage, compiler: Compiler = "vitis") -> str:
    """Return the call ``hyq::dense<fc_config>(in, fc, fc_weight, fc_bias, fc_requantize)``."""
    memories = [f"{stage.name}_{rom.name}" for rom in stage.arguments.roms]
    if names_memories(stage, compiler):
        memories = []
    arguments = ", ".join([*stage.inputs, *stage.outputs, *memories])
    return f"hyq::{stage.circuit.module}<{stage.name}_config>({arguments})"


def defines_h(flow: Dataflow, banner: str) -> str:
    """Return ``firmware/defines.h``, which has the type of every stream, with its words x lanes."""
    lines = [banner, '#include "hyq/types.h"', ""]
    lines += [
        f"typedef hyq::word<{code_type(stream.type)}, {stream.lanes}> {word_type(flow, name)}; "
        f"// {stream.beats} x {stream.lanes}"
        for name, stream in flow.streams.items()
    ]
    return _guard("defines", lines)


def parameters_h(flow: Dataflow, banner: str, compiler: Compiler = "vitis") -> str:
    """Return ``firmware/parameters.h``, which has one configuration structure per operation."""
    modules = {s.circuit.module for s in flow.operations} | {"fork", "width_converter"}
    lines = [banner, *(f'#include "hyq/{name}.h"' for name in sorted(modules)), ""]
    lines += [
        f'#include "weights/{stage.name}.h"' for stage in flow.operations if stage.arguments.roms
    ]
    for stage in flow.operations:
        macs = stage.circuit.macs
        work = f", {macs} MAC" if macs else ""
        lines += [
            "",
            f"// {comment(stage.node.name)}: {stage.node.operation.name}, folding {stage.folding}, "
            f"{stage.cycles} cycles{work}",
            configuration(stage, compiler),
        ]
    return _guard("parameters", lines)


def configuration(stage: OperationStage, compiler: Compiler = "vitis") -> str:
    """Return the configuration structure of an operation: its sizes, types and memories."""
    owner = stage.name if names_memories(stage, compiler) else ""
    return structure(f"{stage.name}_config", stage.arguments, owner)


def structure(name: str, arguments: TemplateArguments, owner: str = "") -> str:
    """Return a configuration structure.

    Args:
        name: its name.
        arguments: what it says.
        owner: the operation whose constant memories it names; it names none where this is empty.
    """
    lines = [f"struct {name} {{"]
    for constant, value in arguments.constants.items():
        kind = "int" if isinstance(value, Signed) else "unsigned"
        lines.append(f"    static const {kind} {constant} = {value};")
    for rom in arguments.roms:
        lines.append(f"    static const unsigned {rom.name}_entries = {rom.entries};")
        lines.append(f"    static const unsigned {rom.name}_lanes = {rom.lanes};")
    lines += [
        f"    typedef {_integer('integer', bits, signed)} {kind};"
        for kind, (bits, signed) in arguments.integers.items()
    ]
    for rom in arguments.roms:
        if isinstance(rom, RequantizeRom):
            lines.append(f"    typedef {_requantization(rom)} {rom.name}_format;")
        lines.append(f"    typedef {_entry_type(rom)} {rom.name}_t{_dimensions(rom)};")
        if owner:
            array = f"{owner}_{rom.name}"
            lines.append(f"    static constexpr const {rom.name}_t &{rom.name} = {array};")
    return "\n".join([*lines, "};"])


def code_type(tensor: TensorType) -> str:
    """Return the C++ type of the codes of a tensor."""
    return _integer("exact", tensor.quantization.bits, tensor.quantization.signed)


def _integer(kind: str, bits: int, signed: bool) -> str:
    """Return an integer type of the templates; ``kind`` is ``exact``, ``integer`` or ``rom``."""
    return f"hyq::{kind}<{bits}>" if signed else f"hyq::{kind}<{bits}, false>"


def _entry_type(rom: Rom | RequantizeRom) -> str:
    """Return the C++ type of an entry of a constant memory."""
    return _integer("rom", rom.bits, isinstance(rom, Rom) and rom.signed)


def _dimensions(rom: Rom | RequantizeRom) -> str:
    """Return the dimensions of a constant memory: words, and entries of a word."""
    return f"[{rom.entries // rom.lanes}][{rom.lanes}]"


def _requantization(rom: RequantizeRom) -> str:
    """Return the C++ type that knows the fields of an entry."""
    (_, zero_point, _), (_, shift, _), (_, multiplier, _) = rom.columns
    return f"hyq::requantization<{zero_point}, {shift}, {multiplier}, {rom.base}, {rom.left}>"


def weights_h(stage: OperationStage, banner: str) -> str:
    """Return ``firmware/weights/<operation>.h``, the constant memories of one operation."""
    lines = [banner, '#include "hyq/requantize.h"']
    for rom in stage.arguments.roms:
        lines += ["", memory(stage.name, rom)]
    return _guard(f"{stage.name}_weights", lines)


def memory(owner: str, rom: Rom | RequantizeRom) -> str:
    """Return the definition of a constant memory, ``<owner>_<memory>``."""
    # A list of a million lists would keep the garbage collector busy for seconds.
    entries = list(map(str, rom.stored.tolist()))
    words = (", ".join(entries[i : i + rom.lanes]) for i in range(0, rom.entries, rom.lanes))
    text = "{" + "}, {".join(words) + "}"
    head = f"static const {_entry_type(rom)} {owner}_{rom.name}{_dimensions(rom)} = {{"
    return "\n".join([head, *(f"    {line}" for line in _lines(text, _WIDTH - 4)), "};"])


def _lines(text: str, width: int) -> Iterator[str]:
    """Yield lines of short words, as ``textwrap`` does, which is slow for millions of them."""
    start = 0
    while len(text) - start > width:
        end = text.rfind(" ", start, start + width + 1)
        yield text[start:end]
        start = end + 1
    yield text[start:]


def bridge_cpp(flow: Dataflow, project: str, banner: str) -> str:
    """Return ``<project>_bridge.cpp``: plain C functions around the top function, integers only."""
    lines = [banner, f'#include "firmware/{project}.h"', "", f"#define HYQ_TOP {project}"]
    ports = {"input": flow.source, "output": flow.sink}
    lines += [f"typedef {word_type(flow, s)} hyq_{port}_word;" for port, s in ports.items()]
    lines += [f'static const char *const hyq_{port}_name = "{s}";' for port, s in ports.items()]
    lines += [
        f"static const unsigned hyq_{port}_words = {flow.streams[s].beats};"
        for port, s in ports.items()
    ]
    return "\n".join([*lines, "", '#include "firmware/hyq/csim/bridge.h"', ""])


def _guard(name: str, lines: Iterable[str]) -> str:
    """Return a header file with include guards."""
    macro = f"{name.upper()}_H_"
    return "\n".join([f"#ifndef {macro}", f"#define {macro}", "", *lines, "", "#endif", ""])
