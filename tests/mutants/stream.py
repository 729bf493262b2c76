"""Faults of the streaming machine."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "a simulation that lies there is built again",
        "hyq_hls/tools/verilator/optimization.py",
        "(0 if level in built else speed.build)",
        "speed.build",
        "tests/tools/verilator/test_optimization.py",
    ),
    Mutant(
        "a memory that several lanes read has one port",
        "hyq_hls/stream/hls/text.py",
        "rom.lookups > 1",
        "rom.lookups > 2",
        "tests/stream/hls/test_text.py",
    ),
    Mutant(
        "a field of a requantization overlaps the next one",
        "hyq_hls/stream/arguments.py",
        "lowest += bits",
        "lowest += bits - 1",
        "tests/stream/circuits/test_requantization.py",
    ),
    Mutant(
        "a join does not wait for the longer path",
        "hyq_hls/stream/flow/depths.py",
        "(1 + max(ahead, Fraction(0)))",
        "1",
        "tests/stream/flow",
    ),
    Mutant(
        "a constant counts as a way from the image",
        "hyq_hls/stream/flow/depths.py",
        "if not others or name not in least:",
        "if not others:",
        "tests/ops/test_constant.py",
    ),
    Mutant(
        "a name may own another name's derived ones",
        "hyq_hls/stream/flow/names.py",
        "        or any(identifier + ending in taken for ending in endings)\n",
        "",
        "tests/stream/hls/test_names.py",
    ),
    Mutant(
        "of equally many multipliers any folding is taken",
        "hyq_hls/stream/choose/balance.py",
        "min(fitting, key=size)",
        "min(fitting, key=lambda folding: size(folding)[0])",
        "tests/stream/choose",
    ),
    Mutant(
        "the folding program is not integral",
        "hyq_hls/stream/choose/solve.py",
        "integral[: len(self.choices)] = 1",
        "integral[:] = 0",
        "tests/stream/choose",
    ),
    Mutant(
        "the shorter way keeps as many words as the longer one",
        "hyq_hls/stream/flow/depths.py",
        "least, most = _frames_kept(flow, 0), _frames_kept(flow, pipeline)",
        "least = most = _frames_kept(flow, pipeline)",
        "tests/stream/hls/test_timed.py",
    ),
    Mutant(
        "the C++ gets the FIFO depths of the RTL",
        "hyq_hls/stream/machine.py",
        "build_model(self.hls_flow, folder",
        "build_model(self.flow, folder",
        "tests/stream/hls/test_timed.py",
    ),
    Mutant(
        "vectors fill pipelines as positions do",
        "hyq_hls/stream/flow/depths.py",
        "        return _vectors_inside(flow, stage)\n",
        "        pass\n",
        "tests/stream/flow/test_build.py",
    ),
    Mutant(
        "corners of an average pooling are divided as edges are",
        "hyq_hls/stream/circuits/average_pool.py",
        "np.outer(high, wide) - 1",
        "np.maximum.outer(high, wide) - 1",
        "tests/ops/test_average_pool.py",
    ),
    Mutant(
        "wide constants dissolve too",
        "hyq_hls/stream/cost/memories.py",
        "memory.width < 12",
        "memory.width < 16",
        "tests/stream/cost/test_memories.py",
    ),
    Mutant(
        "the FuseSoC core forgets the memories",
        "hyq_hls/block/files.py",
        'if name != "extras"',
        'if name == "rtl"',
        "tests/stream/board/test_block.py",
    ),
    Mutant(
        "a project forgets a part of its user",
        "hyq_hls/project_file.py",
        "        known = False\n",
        "        known = True\n",
        "tests/stream/board/test_project.py",
    ),
    Mutant(
        "a part may have no look-up tables",
        "hyq_hls/parts/file.py",
        '"luts": 1',
        '"luts": 0',
        "tests/parts/test_parts.py",
    ),
    Mutant(
        "windows that are far apart wait no longer for their words",
        "hyq_hls/stream/circuits/line_buffer.py",
        " + last_row * kernel_row_taps - closer",
        " + last_row * kernel_row_taps",
        "tests/stream/circuits/test_tap_schedule.py",
    ),
    Mutant(
        "the last kernel row reads the last row of a map that is shorter than the kernel",
        "hyq_hls/stream/circuits/line_buffer.py",
        "last_row = (operation.padding[0] + first_rows - 1) // operation.dilation[0]",
        "last_row = operation.window[0] - 1",
        "tests/stream/circuits/test_tap_schedule.py",
    ),
]
