"""The page that an engineer reads who puts the network into a design of his own."""

from __future__ import annotations

from hyq_hls.block import Component
from hyq_hls.block.markdown import file_table, port_table, register_table, table
from hyq_hls.graph import Quantization
from hyq_hls.machine.output_meaning import meaning_of_codes
from hyq_hls.stream.board.words import WordFormat
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.flow.dataflow import OperationStage, Stage
from hyq_hls.stream.flow.timing import Timing, frame_latency

#: Cycles that the FIFO behind every stage adds.
_FIFO_LATENCY = 1
#: Scales or zero points that a page prints; a longer list is in streams.json.
_MOST = 8


def rtl_latency(flow: Dataflow) -> int:
    """Estimate the cycles from the first input word of a frame to its last output word."""
    return frame_latency(flow, lambda stage: _timing(flow, stage))


def _timing(flow: Dataflow, stage: Stage) -> Timing:
    """Return when a stage alone gives its first word, and for how long it gives words."""
    if not isinstance(stage, OperationStage):
        return Timing(1 + _FIFO_LATENCY, flow.cycles(stage))
    latency, cycles = stage.circuit.latency(stage.folding), stage.cycles
    lead = max(1, latency - cycles + 1)
    return Timing(lead + _FIFO_LATENCY, max(latency - lead, 0))


def integration_page(flow: Dataflow, component: Component, clock_mhz: float) -> str:
    """Return ``integration.md``."""
    source, sink = (WordFormat.of(flow.streams[name]) for name in (flow.source, flow.sink))
    cycles, latency = flow.cycles_per_frame, rtl_latency(flow)
    meaning = meaning_of_codes(flow.graph)
    project = component.project
    sections = [
        f"# {project} in a design of your own",
        component.banner,
        "## Files",
        file_table(
            component,
            [
                (f"`rtl/{project}.sv`", "the network alone: its two streams and no registers"),
                (f"`block/{component.top}.v`", "the network with AXI4-Lite registers"),
                (
                    "`block/hyq_video_input.sv`",
                    "AXI4-Stream video to frames of the network; see its first lines",
                ),
            ],
        ),
        f"## Ports of {component.top}",
        port_table(component),
        "## Clock and reset",
        f"There is one clock, `aclk`, made for {clock_mhz:g} MHz; every port belongs to it. "
        "`aresetn` is active low. It resets at once, without a clock edge (asynchronous "
        "assertion), and must be released synchronously to `aclk`, 1 cycle or more after it "
        "began; AXI4 asks for 16 cycles where other blocks share it. The block takes words from "
        "the second cycle after the release on. The memories keep their content.",
        "## Streams",
        _stream_text(source, sink),
        "## Speed",
        f"- A frame takes {cycles:,} cycles after the one before it: "
        f"{clock_mhz * 1e6 / cycles:,.1f} frames/s at {clock_mhz:g} MHz. The slowest stage "
        "decides this number, and it is exact.\n"
        f"- About {latency:,} cycles ({latency / clock_mhz:,.1f} us) lie between the first input "
        "word of a frame and its last output word. This number is an estimate from the latencies "
        "of the stages; `hyq-hls cosim` measures it.",
        "## Words",
        "### Input",
        _words(source, flow.graph.input_type.quantization),
        "A model takes a byte of an image as this value: "
        f"{meaning['normalization']}. The code of a pixel is the byte itself; the network does "
        "the rest.",
        "### Output",
        _words(sink, flow.graph.output_type.quantization),
        _order(meaning["output_index"], meaning["class_names"]),
        "## Registers behind s_axi",
        "Registers have 32 bits. Writes are taken by the strobe of their lowest byte. An address "
        "without a register reads as zero, and every access is answered by OKAY.",
        register_table(component),
        "A soft reset breaks no stream. It begins when no word waits at `m_axis`. Then what is "
        "left of the frame at `s_axis` is taken and dropped, up to its TLAST, and a frame that "
        "`m_axis` has begun is completed by zeros. With bit 1 of CONTROL it waits for nobody; "
        "that is for a source and a sink that are reset as well. A reset takes 6 cycles or more; "
        "STATUS says when it is over. It clears the counters and leaves the interrupts alone.",
        "## Memories",
        _memory_text(component),
    ]
    return "\n\n".join([*sections, ""]).replace("\n\n\n", "\n\n")


def _stream_text(source: WordFormat, sink: WordFormat) -> str:
    return (
        "Both streams are AXI4-Stream: a word moves in a cycle with TVALID and TREADY. They have "
        "no TKEEP, TSTRB, TUSER, TID and TDEST: every byte of every word counts.\n\n"
        f"- `s_axis` takes {_words_of(source)} per frame. TLAST must come with the last word "
        "of a frame and only there. Where it comes early, zeros fill the frame; where it comes "
        "late, the words up to it are dropped. Such a frame is counted in FRAME_ERRORS, its "
        "result means nothing, and the frame after it is right again.\n"
        f"- `m_axis` gives {_words_of(sink)} per frame, TLAST with the last. It may stall for "
        "any time.\n"
        "- Frames follow each other without a gap. Results come in the order of the frames."
    )


def _words_of(word: WordFormat) -> str:
    return "1 word" if word.beats == 1 else f"{word.beats:,} words"


def _words(word: WordFormat, quantization: Quantization) -> str:
    signed = "signed, two's complement" if word.signed else "unsigned"
    extension = "by its sign" if word.signed else "by zeros"
    size = 8 * word.code_bytes
    code = f"{word.bits} bits, {signed}"
    if size != word.bits:
        code += f", extended {extension} to {size} bits"
    axes = " x ".join(map(str, word.shape))
    rows = [
        ("shape of a frame", f"{axes}; the last axis changes fastest"),
        ("code", code),
        ("codes of a word", f"{word.lanes}, the first in the lowest byte"),
        ("bits of a word", str(8 * word.beat_bytes)),
        ("words of a frame", f"{word.beats:,}"),
    ]
    if quantization.encoding == "log2":
        rows.append(("value", "2^-code; the largest code is zero"))
    else:
        rows += [
            ("value", "scale * (code - zero point)"),
            ("scale", _numbers(quantization.scale)),
            ("zero point", _numbers(quantization.zero_point)),
        ]
    return table(("", ""), rows)


def _numbers(values: tuple[float, ...]) -> str:
    if len(values) > _MOST:
        return (
            f"one per channel, {len(values)} of them: `scale`, `zero_point` in board/streams.json"
        )
    return ", ".join(f"{value:.9g}" for value in values)


def _order(output_index: list[int] | None, class_names: list[str] | None) -> str:
    order = (
        "The codes come in the order of the model's output."
        if output_index is None
        else "The model's output has another order: its element i is the code at place "
        "`output_index[i]` of the frame (`board/streams.json`)."
    )
    names = "" if class_names is None else " The names of the classes are in board/streams.json."
    return order + names


def _memory_text(component: Component) -> str:
    if not component.memories:
        return "All constants stand in the RTL; no file is read."
    return (
        f"The network reads {len(component.memories)} files with `$readmemh`, from the folder that "
        "the parameter `MemoryDir` names. By default that is `memory` in the folder in which the "
        "simulator runs; FuseSoC copies the files there. Otherwise give an absolute path to "
        "`rtl/memory` of this project: in Vivado as CONFIG.MemoryDir of the block, in Verilator "
        f"as `-GMemoryDir='\"/path/to/rtl/memory\"'`. Where no path is wanted, convert with "
        '`memories="embedded"` (`hyq-hls convert --memories embedded`): then the constants stand '
        "in the RTL."
    )
