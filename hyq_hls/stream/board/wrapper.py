"""Wrap the core, in Verilog, in ports that a DMA and a block design can take.

A block design takes no SystemVerilog as the top of a module reference, hence plain Verilog here.
"""

from __future__ import annotations

from hyq_hls.stream.board.words import WordFormat

#: The scripts replace it with the path of the memory files.
MEMORY_DIR = "memory"

_WRAPPER = """\
// {banner}
//
// {core} for a DMA: words of a power of two bytes, and TLAST once per transfer of frames_i frames.
module {project}_dma{parameters} (
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis, ASSOCIATED_RESET aresetn" *)
  input  wire aclk,
  input  wire aresetn,
  // Frames of the next transfer; constant while one is under way.
  input  wire [31:0] frames_i,
  // Counts transfers to the core that did not have frames_i whole frames.
  output wire [31:0] transfer_errors_o,
  // {input_comment}
  input  wire [{input_high}:0] s_axis_tdata,
  input  wire [{input_keep_high}:0] s_axis_tkeep,
  input  wire s_axis_tvalid,
  output wire s_axis_tready,
  input  wire s_axis_tlast,
  // {output_comment}
  output wire [{output_high}:0] m_axis_tdata,
  output wire [{output_keep_high}:0] m_axis_tkeep,
  output wire m_axis_tvalid,
  input  wire m_axis_tready,
  output wire m_axis_tlast
);

  wire input_last, output_last;
  assign m_axis_tkeep = ~{output_word_bytes}'d0;
  // Its wrong frames are those of wrong transfers, which are counted below.
  wire [15:0] unused_errors;
{input_padding}{output_padding}
  {core} {values}u_core (
    .aclk(aclk),
    .aresetn(aresetn),
    .s_axis_tdata(s_axis_tdata[{input_port_high}:0]),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_axis_tready),
    .s_axis_tlast(input_last),
    .m_axis_tdata(m_axis_tdata[{output_port_high}:0]),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready),
    .m_axis_tlast(output_last),
    .frame_errors(unused_errors)
  );

  hyq_dma_frames #(.InputBeats({beats})) u_frames (
    .clk_i(aclk),
    .rst_ni(aresetn),
    .frames_i(frames_i),
    .s_valid_i(s_axis_tvalid),
    .s_ready_i(s_axis_tready),
    .s_whole_i(&s_axis_tkeep),
    .s_last_i(s_axis_tlast),
    .s_last_o(input_last),
    .m_valid_i(m_axis_tvalid),
    .m_ready_i(m_axis_tready),
    .m_last_i(output_last),
    .m_last_o(m_axis_tlast),
    .transfer_errors_o(transfer_errors_o)
  );

endmodule
"""


def wrapper_v(
    project: str, core: str, banner: str, source: WordFormat, sink: WordFormat, memories: bool
) -> str:
    """Return the module ``<project>_dma`` around the module ``core``.

    Args:
        project: name of the project.
        core: a top level with the ports of ``<project>.sv``.
        banner: first line.
        source: words of ``s_axis``.
        sink: words of ``m_axis``.
        memories: whether ``core`` has the parameter ``MemoryDir``.
    """
    return _WRAPPER.format(
        banner=banner,
        project=project,
        core=core,
        parameters=f' #(\n  parameter MemoryDir = "{MEMORY_DIR}"\n)' if memories else "",
        values="#(.MemoryDir(MemoryDir)) " if memories else "",
        input_comment=_comment(source),
        output_comment=_comment(sink),
        input_high=8 * source.word_bytes - 1,
        input_keep_high=source.word_bytes - 1,
        output_high=8 * sink.word_bytes - 1,
        output_keep_high=sink.word_bytes - 1,
        output_word_bytes=sink.word_bytes,
        input_port_high=8 * source.beat_bytes - 1,
        output_port_high=8 * sink.beat_bytes - 1,
        input_padding=_unused(source),
        output_padding=_zeros(sink),
        beats=source.beats,
    )


def _comment(word: WordFormat) -> str:
    shape = " x ".join(map(str, word.shape))
    return f"{shape}: {word.beats} words of {word.lanes} code(s), {word.code_bytes} byte(s) each"


def _unused(word: WordFormat) -> str:
    if word.word_bytes == word.beat_bytes:
        return ""
    bits = f"s_axis_tdata[{8 * word.word_bytes - 1}:{8 * word.beat_bytes}]"
    return f"  wire unused_bytes = ^{bits};\n"


def _zeros(word: WordFormat) -> str:
    padding = 8 * (word.word_bytes - word.beat_bytes)
    if not padding:
        return ""
    bits = f"m_axis_tdata[{8 * word.word_bytes - 1}:{8 * word.beat_bytes}]"
    return f"  assign {bits} = {padding}'d0;\n"
