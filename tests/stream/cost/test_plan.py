"""The plan of the HLS C++: loops, memories, and the report beside the RTL."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.machine import PlannedFunction
from hyq_hls.ops import AttentionScores, Conv2d, LinearSoftmax, Unfold
from hyq_hls.parts import part
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.circuits.process import Loop, Process, one_loop
from hyq_hls.stream.cost import estimate_report, plan_hls
from hyq_hls.stream.cost.hls_memories import (
    array_bram18,
    fifo_bram18,
    fifo_in_luts,
    inner_fifo_bram18,
    rom_place,
)
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.timing import Timing, frame_latency
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.yosys import Utilization
from tests.stream.hls.conftest import small_graph

ONE = np.array([1])


def test_a_single_loop_starts_again_at_once() -> None:
    """A report of Vitis HLS: 1,024 trips, depth 3, latency 1,027, interval 1,025."""
    process = one_loop(1024, 3)
    assert (process.iterations, process.cycles, process.latency) == (1024, 1025, 1027)


def test_loops_one_behind_the_other_drain() -> None:
    process = Process(5, (Loop(10), Loop(20, times=3)), wait=10)
    assert process.iterations == 70
    assert process.cycles == 70 + 4 * 5 + 1
    assert process.latency == 70 + 4 * 4 + 1
    assert process.lead == 15


@pytest.mark.parametrize(
    ("width", "depth", "blocks"),
    [
        *[(512, 2, 0), (8, 128, 0), (8, 129, 1)],
        # The sizes that a public study of FIFO_BRAM found, in RAMB18.
        *[(8, 2048, 1), (8, 2049, 2), (16, 1024, 1), (16, 1025, 2), (32, 512, 1), (32, 513, 2)],
        *[(64, 512, 2), (64, 513, 4), (512, 512, 15), (512, 1024, 29)],
    ],
)
def test_fifos_that_the_tool_places(width: int, depth: int, blocks: int) -> None:
    assert inner_fifo_bram18(Memory(width, depth)) == blocks


def test_fifos_lie_where_those_of_the_rtl_lie() -> None:
    """Small ones are shift registers anyway; a directive keeps middle ones in LUTs."""
    assert not fifo_in_luts(Memory(8, 128))
    assert fifo_in_luts(Memory(8, 129))
    assert fifo_bram18(Memory(8, 129)) == 0
    assert not fifo_in_luts(Memory(8, 2048))
    assert fifo_bram18(Memory(8, 2048)) == 1


def test_constant_memories_lie_where_those_of_the_rtl_lie() -> None:
    assert rom_place(Memory(8, 1024, constant=True)) == "lut"
    assert rom_place(Memory(8, 64, constant=True)) == ""
    assert rom_place(Memory(32, 1152, constant=True)) == "", "both choose block RAM"
    assert rom_place(Memory(8, 64, constant=True, luts_per_block=0)) == "block"


def test_arrays() -> None:
    assert array_bram18(Memory(8, 128)) == 0
    assert array_bram18(Memory(8, 129)) == 1
    assert array_bram18(Memory(96, 64)) == 3
    assert array_bram18(Memory(1000, 3)) == 0
    assert array_bram18(Memory(1000, 4)) == 28


def convolution(
    size: int, channels: int, outputs: int, kernel: tuple[int, int] = (3, 3), stride: int = 1
) -> Graph:
    """A convolution of a square map with a border for a kernel of 3 x 3."""
    q = Quantization(8, False)
    graph = Graph("image", TensorType((size, size, channels), q), {})
    weight, bias = np.ones((outputs, *kernel, channels), np.int64), np.zeros(outputs, np.int64)
    padding, requantize = (kernel[0] // 2, kernel[1] // 2), Requantize(q, np.array([6]), ONE)
    conv = Conv2d(weight, 8, bias, (stride, stride), padding, (0,), requantize)
    graph.add("conv", conv, "image")
    return graph


def test_a_convolution_is_one_loop() -> None:
    """3 x 3 on a map of 6 x 6 x 2 with a border: two rows, then six rows of windows."""
    circuit = build_dataflow(convolution(6, 2, 4), {}).operations[0].circuit
    (process,) = circuit.processes(Folding(2, 1))
    # The second row, less the three pixels that the first window reads of it, and the two rows of
    # the kernel above it; 32 stages of a pipeline are left.
    early = (16 - 3 * 2 + 1) + 2 * 6
    assert early < 32
    assert process.loops == (Loop(2 * 8 * 2 + 6 * (6 * 2 * 9 * 2)),)
    assert process.wait == 32
    (wide,) = circuit.processes(Folding(4, 2))
    assert wide.loops == (Loop(16 + 6 * 54),)
    assert wide.cycles == circuit.cycles(Folding(4, 2)) + 1


def test_a_large_convolution_begins_before_its_first_rows_are_whole() -> None:
    """So its C++ is as fast as its RTL, whose first rows come beside windows of another frame."""
    circuit = build_dataflow(convolution(8, 24, 40), {}).operations[0].circuit
    folding = Folding(4, 1)
    (process,) = circuit.processes(folding)
    early = (240 - 3 * 24 + 1) + 2 * (3 * 24) - 32
    assert process.wait == 2 * 240 - early
    assert process.loops == (Loop(2 * 240 - early + 8 * 8 * 10 * 9 * 24),)
    assert process.cycles <= circuit.cycles(folding)


def test_words_that_no_window_hides_take_iterations_of_their_own() -> None:
    graph = convolution(6, 4, 1, kernel=(1, 2), stride=2)
    circuit = build_dataflow(graph, {}).operations[0].circuit
    (process,) = circuit.processes(Folding(1, 4))
    assert process.loops == (Loop(8 + 3 * (2 * 8)),)


def test_a_reorder_sends_a_page_while_it_stores_the_next() -> None:
    graph = Graph("image", TensorType((4, 4, 2), Quantization(8, False)), {})
    graph.add("tokens", Unfold((2, 2)), "image")
    flow = build_dataflow(graph, {})
    assert [p.iterations for p in flow.operations[0].circuit.processes(Folding())] == [32, 32]
    plan = plan_hls(flow)
    assert plan.operations["tokens"].cycles == flow.operations[0].cycles + 1
    assert plan.latency > 2 * 32


def test_attention_collects_a_pixel_while_it_multiplies_another() -> None:
    """Four pixels of three tokens of eight channels, two heads: every word is stored and sent."""
    q = Quantization(8, False)
    tokens = TensorType((4, 3, 8), q)
    circuit = circuit_of(
        AttentionScores(2, (0, 0), Requantize(q, np.array([8]), ONE)), tokens, tokens
    )
    folding = Folding(3, 2)
    collect, multiply = circuit.processes(folding)
    assert collect.loops == (Loop(3 * 8 // 2, times=4), Loop(8 // 2, times=4))
    assert multiply.loops == (Loop(circuit.cycles(folding)),)
    assert circuit.inner_streams(folding) == [Memory(3 * 2 * 8, 2)]
    banks, (together, query) = circuit.arrays(folding)[:3], circuit.arrays(folding)[3:]
    assert banks == [Memory(2 * 8, 4)] * 3
    assert (together, query) == (Memory(6 * 9, 4), Memory(2 * 9, 2))


def test_a_softmax_is_three_processes_with_streams_between_them() -> None:
    graph = Graph("image", TensorType((4, 4, 64), Quantization(8, True)), {})
    graph.add("softmax", LinearSoftmax(4, 12, 4, "log2"), "image")
    stage = build_dataflow(graph, {}).operations[0]
    assert [p.iterations for p in stage.circuit.processes(stage.folding)] == [1024] * 3
    fifos = stage.circuit.inner_streams(stage.folding)
    constants = stage.arguments.constants
    assert [f.depth for f in fifos] == [
        *(constants["code_depth"] + 32, (constants["code_depth"] + 32) // 64 + 2),
        *(constants["exponential_depth"] + 32, (constants["exponential_depth"] + 32) // 64 + 2),
    ]
    latency = plan_hls(build_dataflow(graph, {})).operations["softmax"].latency
    assert latency > 1024 + 2 * 63


def test_the_sum_of_a_plan() -> None:
    flow = build_dataflow(small_graph(), {"a": Folding(4, 3), "b": Folding(2, 2)})
    plan = plan_hls(flow)
    assert set(plan.operations) == {"a", "b", "c", "pool", "head"}
    assert set(plan.plumbing) == {"forks", "width converters", "FIFOs"}
    assert plan.cycles_per_frame == plan.operations[plan.bottleneck].cycles
    for site in ("lut", "ff", "dsp", "bram18"):
        every = (*plan.operations.values(), *plan.plumbing.values())
        assert getattr(plan.total, site) == sum(getattr(f.used, site) for f in every)


def test_the_plan_stands_beside_the_estimate() -> None:
    flow = build_dataflow(small_graph(), {})
    report = estimate_report(flow, flow, part("xc7z020"), 100)
    head, a, *_ = str(report).splitlines()
    wanted = ["C++ cycles", "C++ LUT", "C++ FF", "C++ DSP", "C++ BRAM36"]
    assert head.split()[-10:] == " ".join(wanted).split()
    planned = plan_hls(flow).operations["a"]
    used = planned.used
    assert used.lut > 0
    cells = [planned.cycles, used.lut, used.ff, used.dsp]
    assert a.split()[-5:] == [*(f"{n:,}" for n in cells), f"{used.bram36:g}"]
    assert re.search(r"HLS C\+\+ by plan: fits xc7z020, the fullest is \w+, \d+%", str(report))


def test_a_design_fits_when_both_do() -> None:
    flow = build_dataflow(small_graph(), {})
    report = estimate_report(flow, flow, part("xc7z020"), 100)
    assert report.fits
    assert report.plan is not None
    needed = report.plan.total
    assert replace(report, part=replace(report.part, dsps=needed.dsp)).fits
    assert not replace(report, part=replace(report.part, dsps=needed.dsp - 1)).fits
    most = max(needed.lut, report.total.lut)
    assert replace(report, part=replace(report.part, luts=most)).fits
    assert not replace(report, part=replace(report.part, luts=most - 1)).fits
    many = PlannedFunction(1, 1, Utilization(bram18=2 * report.part.bram36 + 1))
    plan = replace(report.plan, operations={**report.plan.operations, "a": many})
    crowded = replace(report, plan=plan)
    assert not crowded.fits
    assert "estimate: fits xc7z020" in str(crowded)
    assert "HLS C++ by plan: does NOT fit xc7z020" in str(crowded)


def test_frame_latency_follows_the_slower_branch() -> None:
    """A stage that waits for a whole frame, beside one that does not, before a sum."""
    flow = build_dataflow(
        small_graph(), {"a": Folding(4, 3), "b": Folding(4, 4), "c": Folding(4, 4)}
    )
    times = {"b": Timing(16, 16)}
    latency = frame_latency(flow, lambda stage: times.get(stage.name, Timing(1, 16)))
    plain = frame_latency(flow, lambda stage: Timing(1, 16))
    assert latency == plain + 15
