"""Faults of the engine: its forms, its compiler, its simulator and its predictions."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "the output stage saturates one code too low",
        "hyq_hls/engine/forms/output_stage.py",
        "(1 << bits) - 1)",
        "(1 << bits) - 2)",
        "tests/engine/test_operations.py",
    ),
    Mutant(
        "the engine takes sums of 33 bits",
        "hyq_hls/engine/forms/output_stage.py",
        "bounds.bits > SUM_BITS",
        "bounds.bits > SUM_BITS + 1",
        "tests/engine/test_forms.py",
    ),
    Mutant(
        "digits of weights come lowest first",
        "hyq_hls/engine/forms/sums.py",
        "np.stack(found[::-1])",
        "np.stack(found)",
        "tests/engine/test_operations.py",
    ),
    Mutant(
        "the bias does not count for the bounds of a sum",
        "hyq_hls/engine/forms/sums.py",
        "low, high = total_low + self.stage.bias, total_high + self.stage.bias",
        "low, high = total_low, total_high",
        "tests/engine/test_forms.py",
    ),
    Mutant(
        "the rows below a map have no border",
        "hyq_hls/engine/compiler/tiles.py",
        "            (y1 - top, height, first, last),\n",
        "",
        "tests/engine/test_operations.py",
    ),
    Mutant(
        "a tile inside of a row has no room for the column before it",
        "hyq_hls/engine/compiler/tiles.py",
        "inside = width << 8 if width < pixels else 0",
        "inside = 0",
        "tests/engine/test_places.py",
    ),
    Mutant(
        "a tensor goes when one of its readers is done",
        "hyq_hls/engine/compiler/compile.py",
        "any(reader.name not in self.done",
        "all(reader.name not in self.done",
        "tests/engine/test_networks.py",
    ),
    Mutant(
        "a gap between tensors may be too small",
        "hyq_hls/engine/compiler/storage.py",
        "if start + needed <= begin:",
        "if start + ALIGNMENT <= begin:",
        "tests/engine/test_places.py",
    ),
    Mutant(
        "a query of two bytes is read as one",
        "hyq_hls/engine/forms/attention_scores.py",
        '    check_byte(query, "queries")\n',
        "",
        "tests/engine/test_forms.py",
    ),
    Mutant(
        "bytes of codes meet digits of weights",
        "hyq_hls/engine/forms/sums.py",
        "    if planes > 1:\n",
        "    if planes > 2:\n",
        "tests/engine/test_forms.py",
    ),
    Mutant(
        "DRAM ends behind the last tensor that was placed",
        "hyq_hls/engine/compiler/storage.py",
        "max(self.size, start + needed)",
        "start + needed",
        "tests/engine/test_places.py",
    ),
    Mutant(
        "the simulator reads dead tensors",
        "hyq_hls/engine/simulate/memories.py",
        "            self.dram[isa.SCRATCH].forget(region.start, region.stop)\n",
        "            pass\n",
        "tests/engine/test_simulator.py",
    ),
    Mutant(
        "the simulator takes any pair of products for one multiplier",
        "hyq_hls/engine/simulate/array.py",
        "largest <= _HALF and wide",
        "largest <= _LARGEST_CODE and wide",
        "tests/engine/test_simulator.py",
    ),
    Mutant(
        "a wait may name the instruction itself",
        "hyq_hls/engine/simulate/simulator.py",
        "(count - wait) & 0xFFFF >= 1 << 15",
        "(count - wait + 1) & 0xFFFF >= 1 << 15",
        "tests/engine/test_simulator.py",
    ),
    Mutant(
        "the last columns of a plane are cut",
        "hyq_hls/engine/layout.py",
        "return ceil_div(self.pixels * self.words * WORD, BEAT) * BEAT",
        "return self.pixels * self.words * WORD // BEAT * BEAT",
        "tests/engine/test_operations.py",
    ),
    Mutant(
        "a value may be one more than its field holds",
        "hyq_hls/engine/isa.py",
        "value <= field.largest",
        "value <= field.largest + 1",
        "tests/engine/test_isa.py",
    ),
    Mutant(
        "a row that ends inside of a beat is read in part",
        "hyq_hls/engine/predict.py",
        "return i.rows * ceil_div(i.pixels * i.words * WORD, BEAT) * BEAT",
        "return i.rows * i.pixels * i.words * WORD",
        "tests/engine/test_predict.py",
    ),
]
