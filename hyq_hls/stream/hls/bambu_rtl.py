"""The Verilog that Bambu generated, with FIFOs that are deep enough, behind our own ports.

The names of ports and of the FIFO's parameter are those in the source of Bambu 2024.10. Anything
else is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from hyq_hls.errors import SimulationError
from hyq_hls.stream.flow import Dataflow, Stream
from hyq_hls.stream.hls.axis_top import write_axis_top
from hyq_hls.stream.hls.compilers import fifo_places
from hyq_hls.tools.bambu import BAMBU_DIR

#: A FIFO has room for 2**QUEUESIZE_LOG - 1 words.
_FIFO_SIZE = re.compile(r"(\.QUEUESIZE_LOG\(|\bQUEUESIZE_LOG\s*=\s*)\d+")
_INSTANCE = """  {top} u_top (
    .clock(aclk), .reset(aresetn), .start_port(1'b1), .done_port(),
    .{source}_dout(in_data), .{source}_empty_n(in_valid), .{source}_read(in_ready),
    .{sink}_din(out_data), .{sink}_write(out_valid), .{sink}_full_n(out_ready)
  );
"""


def write_bambu_top(flow: Dataflow, folder: Path, project: str, target: Path) -> list[Path]:
    """Copy the generated Verilog into ``target``, with a wrapper ``<project>_bambu``.

    Bambu gives every FIFO three places, and a network deadlocks with them. In the copy all have
    room for the longest wait in the network; a simulation need not save memory.

    Returns:
        The sources without our ``hyq_axis_*`` modules.

    Raises:
        SimulationError: no Verilog, or a top module, ports or FIFOs that are unknown.
    """
    verilog = folder / BAMBU_DIR / f"{project}.v"
    if not verilog.is_file():
        raise SimulationError(
            f'no Verilog of Bambu in {verilog}; convert with hls="bambu" and run build() first, '
            'which needs the tool, or simulate our own RTL with rtl="hyq"'
        )
    text = verilog.read_text(encoding="utf-8")
    top = _top_module(text, project)
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    _check_width(top, source, f"{source.name}_dout")
    _check_width(top, sink, f"{sink.name}_din")
    deep, count = _FIFO_SIZE.subn(rf"\g<1>{fifo_places(flow).bit_length()}", text)
    if "dataflow_fifo" in text and not count:
        raise SimulationError(
            f"{verilog}: its FIFOs have no parameter QUEUESIZE_LOG, so their depth cannot be set; "
            "Bambu 2024.10 writes one"
        )
    target.mkdir(parents=True, exist_ok=True)
    copy = target / verilog.name
    copy.write_text(deep, encoding="utf-8")
    name = top.split()[1].rstrip("(")
    instance = _INSTANCE.format(top=name, source=source.name, sink=sink.name)
    bits = (source.type.quantization.bits, sink.type.quantization.bits)
    return [copy, write_axis_top(flow, target, project, "Bambu", instance, bits)]


def _top_module(text: str, project: str) -> str:
    """Return the text of the top module, whose name may be the mangled one of the function."""
    mangled = f"_Z{len(project)}{project}"
    pattern = rf"^module (?:{project}|{mangled}\w*)\s*\(.*?^endmodule"
    found = re.findall(pattern, text, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise SimulationError(
            f"Bambu's Verilog has {len(found)} modules {project} or {mangled}..., one is wanted"
        )
    return str(found[0])


def _check_width(top: str, stream: Stream, port: str) -> None:
    """Refuse a port that does not carry all lanes of a word, packed."""
    wanted = stream.lanes * stream.type.quantization.bits
    declared = re.search(rf"\b(?:input|output)\s+(?:\[(\d+):0\]\s+)?{port}\s*;", top)
    found = None if declared is None else int(declared[1] or 0) + 1
    if found != wanted:
        has = "is missing" if found is None else f"has {found} bits"
        raise SimulationError(
            f"{port} {has} in the top module of Bambu; {wanted} bits are wanted, for "
            f"{stream.lanes} codes of {stream.type.quantization.bits} bits"
        )
