"""The Verilog that Vitis HLS generated, behind the ports of our own top level.

No vendor tool was at hand when this was written: the port names and the
two layouts of TDATA are those that its documentation describes, and anything else is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from hyq_hls.errors import SimulationError
from hyq_hls.stream.flow import Dataflow, Stream
from hyq_hls.stream.hls.axis_top import write_axis_top

_INSTANCE = """  {project} u_top (
    .ap_clk(aclk), .ap_rst_n(aresetn), .ap_start(1'b1),
    .ap_done(), .ap_ready(), .ap_idle(),
    .{source}_TDATA(in_data), .{source}_TVALID(in_valid), .{source}_TREADY(in_ready),
    .{sink}_TDATA(out_data), .{sink}_TVALID(out_valid), .{sink}_TREADY(out_ready)
  );
"""


def generated_verilog(folder: Path, project: str) -> Path:
    """Return the folder of the Verilog that ``build()`` left.

    Raises:
        SimulationError: there is none.
    """
    verilog = folder / f"{project}_prj" / "solution1" / "syn" / "verilog"
    if not (verilog / f"{project}.v").is_file():
        raise SimulationError(
            f"no Verilog of Vitis HLS in {verilog}; run build() first, which needs the vendor's "
            'tool, or simulate our own RTL with rtl="hyq"'
        )
    return verilog


def write_vitis_top(flow: Dataflow, folder: Path, project: str, target: Path) -> list[Path]:
    """Copy the generated Verilog into ``target``, with a wrapper ``<project>_vitis``.

    Paths of memory files become absolute, because a simulation may run anywhere.

    Returns:
        The sources without our ``hyq_axis_*`` modules.

    Raises:
        SimulationError: no Verilog, or ports of unknown names or widths.
    """
    verilog = generated_verilog(folder, project)
    target.mkdir(parents=True, exist_ok=True)
    sources = []
    for path in sorted(verilog.glob("*.*v")):
        text = path.read_text(encoding="utf-8")
        text = text.replace('$readmemh("./', f'$readmemh("{verilog.resolve()}/')
        sources.append(target / path.name)
        sources[-1].write_text(text, encoding="utf-8")
    top = (verilog / f"{project}.v").read_text(encoding="utf-8")
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    lane_bits = (_lane_bits(top, source), _lane_bits(top, sink))
    instance = _INSTANCE.format(project=project, source=source.name, sink=sink.name)
    sources.append(write_axis_top(flow, target, project, "Vitis HLS", instance, lane_bits))
    return sources


def _lane_bits(top: str, stream: Stream) -> int:
    """Return the bits of a code in the vendor's TDATA, where codes are packed or in bytes."""
    found = re.search(rf"\[\s*(\d+)\s*:\s*0\s*\]\s*{stream.name}_TDATA\b", top)
    bits = stream.type.quantization.bits
    if found is not None:
        width = int(found.group(1)) + 1
        for lane_bits in (bits, 8 * -(-bits // 8)):
            if width == lane_bits * stream.lanes:
                return lane_bits
    raise SimulationError(
        f"{stream.name}: TDATA of {found.group(1) if found else 'unknown'} as its highest bit does "
        f"not hold {stream.lanes} codes of {bits} bits, packed or in whole bytes"
    )
