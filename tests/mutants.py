"""Mutation test of decisions: small faults by hand, each of which the nearest tests must find.

``python -m tests.mutants`` puts one fault after the other into a copy of the repository, runs the
tests nearest to it there, and says which faults survive. ``python -m tests.mutants WORD`` takes
only the faults that have the word in their names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """A fault as a replacement of text.

    Attributes:
        name: what is wrong then.
        path: the file, from the top of the repository.
        old: text that occurs exactly once in the file.
        new: the faulty text.
        tests: files or folders with the nearest tests.
    """

    name: str
    path: str
    old: str
    new: str
    tests: str

    def apply(self, root: Path) -> str:
        """Put the fault into the repository ``root`` and return the file's text without it.

        Raises:
            ValueError: the text occurs not at all, or several times.
        """
        path = root / self.path
        text = path.read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name!r}: {self.path} has {self.old!r} {count} times, once is "
                "wanted; write the mutant for the code as it is now"
            )
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text


MUTANTS = [
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
        "a map that tokens gate passes for tokens",
        "hyq_hls/capture/drafts.py",
        "shaping = inputs[:1] if isinstance(op, Multiply) else inputs",
        "shaping = inputs",
        "tests/capture/test_learned.py",
    ),
    Mutant(
        "a gate keeps its order before shuffled channels",
        "hyq_hls/capture/products.py",
        "operands = _taken(large, axis, places), _taken(small, axis, places)",
        "operands = _taken(large, axis, places), small",
        "tests/capture/test_learned.py",
    ),
    Mutant(
        "depthwise filters keep their order behind shuffled channels",
        "hyq_hls/capture/compute.py",
        "_by_group(values, op.groups)[order]",
        "_by_group(values, op.groups)",
        "tests/capture/test_learned.py",
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
        "preactivation bits are ignored",
        "hyq_hls/quant/config.py",
        "return max(self.activation_bits, least)",
        "return self.activation_bits",
        "tests/quant/test_decisions.py",
    ),
    Mutant(
        "minmax tries finer scales",
        "hyq_hls/quant/scales/ranges.py",
        '1 if config.observer == "minmax" else _FINER',
        "_FINER",
        "tests/quant/test_decisions.py tests/quant/test_ranges.py",
    ),
    Mutant(
        "zero may lie outside of a range",
        "hyq_hls/quant/scales/ranges.py",
        "min(float(low), 0.0), max(float(high), 0.0)",
        "float(low), float(high)",
        "tests/quant/test_decisions.py tests/quant/test_ranges.py",
    ),
    Mutant(
        "weights count the same whatever they meet",
        "hyq_hls/quant/scales/weights.py",
        "(power / np.square(np.broadcast_to(x.scale, power.size)))[channels]",
        "np.ones(power.size)[channels]",
        "tests/quant/test_decisions.py",
    ),
    Mutant(
        "the error of weights is not weighted",
        "hyq_hls/quant/scales/weights.py",
        "(squares * importance).sum(axis=1)",
        "squares.sum(axis=1)",
        "tests/quant/test_decisions.py",
    ),
    Mutant(
        "every batch leaves rows of the same positions",
        "hyq_hls/quant/scales/statistics.py",
        "flat[(7 * self._batch) % step :: step]",
        "flat[::step]",
        "tests/quant/test_decisions.py",
    ),
    Mutant(
        "classes of scales forget the ratio",
        "hyq_hls/quant/scales/scale_classes.py",
        "factor = ratio * theirs",
        "factor = theirs",
        "tests/quant/test_scale_classes.py",
    ),
    Mutant(
        "a flat order comes before swapped tokens",
        "hyq_hls/capture/index_maps.py",
        "return swapped or flat",
        "return flat or swapped",
        "tests/capture/test_index_maps.py",
    ),
    Mutant(
        "the largest logarithmic code is no zero",
        "hyq_hls/graph/types.py",
        "np.where(q == self.qmax, 0.0, np.exp2(-q.astype(np.float64)))",
        "np.exp2(-q.astype(np.float64))",
        "tests/graph/test_types.py",
    ),
    Mutant(
        "a tensor is freed after its first reader",
        "hyq_hls/emulate/emulator.py",
        "self._last_reader[name] = node.name",
        "self._last_reader.setdefault(name, node.name)",
        "tests/emulate",
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
        "a float holds one bit more than it has",
        "hyq_hls/emulate/exact.py",
        "largest <= 1 << bits",
        "largest <= 2 << bits",
        "tests/emulate",
    ),
    Mutant(
        "a float is chosen by the final sum",
        "hyq_hls/emulate/kernels.py",
        "op.bias, op.partial_sums(*inputs), op.requantize\n",
        "op.bias, node.accumulator, op.requantize\n",
        "tests/emulate",
    ),
    Mutant(
        "constants per position do not tie scales",
        "hyq_hls/quant/traits.py",
        "linear=True, ratios=_equal, adds=True, leading=1",
        "linear=True, ratios=_free, adds=True, leading=1",
        "tests/quant/test_channel_affine.py",
    ),
    Mutant(
        "constants per position end a stream of channel factors",
        "hyq_hls/quant/traits.py",
        "linear=True, ratios=_equal, adds=True, leading=1",
        "linear=True, ratios=_equal, leading=1",
        "tests/quant/test_channel_affine.py",
    ),
    Mutant(
        "the scale of a product does not follow its operands",
        "hyq_hls/quant/scales/scale_classes.py",
        "        if traits.multiplies and node.name not in known",
        "        if False and node.name not in known",
        "tests/quant/test_multiply.py",
    ),
    Mutant(
        "gammas forget that the elements of a frame are no power of two",
        "hyq_hls/quant/lowering/group_norm.py",
        "weight * growth / unit",
        "weight / unit",
        "tests/quant/test_mobilevitv2.py",
    ),
    Mutant(
        "vectors fill pipelines as positions do",
        "hyq_hls/stream/flow/depths.py",
        "        return _vectors_inside(flow, stage)\n",
        "        pass\n",
        "tests/stream/flow/test_build.py",
    ),
    Mutant(
        "a masked score lies one code too high",
        "hyq_hls/quant/hidden.py",
        "bits = (codes + distance - 1).bit_length()",
        "bits = (codes + distance // 2 - 1).bit_length()",
        "tests/quant/test_hidden.py",
    ),
    Mutant(
        "the table of a softmax goes on for masked scores",
        "hyq_hls/quant/lowering/lower.py",
        "np.pad(found.table, (0, codes - found.table.size))",
        'np.pad(found.table, (0, codes - found.table.size), "edge")',
        "tests/quant/test_hidden.py",
    ),
    Mutant(
        "masked scores widen the range of the others",
        "hyq_hls/quant/calibrate.py",
        "update(visible(graph[name].op, value))",
        "update(value)",
        "tests/quant/test_hidden.py",
    ),
    Mutant(
        "an upsample in the simulation is not rounded",
        "hyq_hls/quant/judge/simulate.py",
        "in (Codes.CHOSEN, Codes.BETWEEN)",
        "in (Codes.CHOSEN,)",
        "tests/quant/test_efficientformerv2.py",
    ),
    Mutant(
        "probabilities that are mixed are powers of two",
        "hyq_hls/quant/scales/assign.py",
        "not all(traits_of(r).reads_probabilities for r in readers)",
        "not readers",
        "tests/quant/test_efficientformerv2.py",
    ),
    Mutant(
        "mixed probabilities have any real step",
        "hyq_hls/quant/scales/assign.py",
        "scale_classes(graph, [*fraction, *mixed])",
        "scale_classes(graph, fraction)",
        "tests/quant/test_efficientformerv2.py",
    ),
    Mutant(
        "heads that were mixed are channels of the same number",
        "hyq_hls/quant/traits.py",
        "Transpose: replace(_MOVE, reads=(_NOTHING,)),",
        "Transpose: _MOVE,",
        "tests/quant/test_efficientformerv2.py",
    ),
    Mutant(
        "corners of an average pooling are divided as edges are",
        "hyq_hls/stream/circuits/average_pool.py",
        "np.outer(high, wide) - 1",
        "np.maximum.outer(high, wide) - 1",
        "tests/ops/test_average_pool.py",
    ),
    Mutant(
        "a part of the positions shows the first ones",
        "hyq_hls/capture/selection.py",
        "place = shown.cumsum(0) - 1",
        "place = torch.arange(len(shown)) % int(shown.sum())",
        "tests/capture/test_tokens.py",
    ),
    Mutant(
        "learned tokens come last",
        "hyq_hls/capture/joining.py",
        "first=True",
        "first=False",
        "tests/capture/test_tokens.py",
    ),
    Mutant(
        "a summand passes a pooling that loses it",
        "hyq_hls/capture/absorption.py",
        "place.behind(reader, _factors(affine) if reader.op.less_input else affine)",
        "place.behind(reader, affine)",
        "tests/capture/test_pooling.py",
    ),
    Mutant(
        "a factor per channel counts as the depthwise layer of a bottleneck",
        "hyq_hls/quant/judge/bottlenecks.py",
        "if not is_depthwise(node) or weighted(node).pointwise:",
        "if not is_depthwise(node):",
        "tests/quant/test_channel_affine.py",
    ),
    Mutant(
        "a dead channel gets a scale of its own",
        "hyq_hls/quant/scales/weights.py",
        "    candidates = [np.maximum(scale, unit * _FINEST) for scale in candidates]\n",
        "",
        "tests/quant/test_channel_affine.py",
    ),
    Mutant(
        "wide constants dissolve too",
        "hyq_hls/stream/cost/memories.py",
        "memory.width < 12",
        "memory.width < 16",
        "tests/stream/cost/test_memories.py",
    ),
]


def killed(mutant: Mutant, root: Path) -> bool:
    """Whether the nearest tests find the fault; ``root`` is a copy of the repository."""
    text = mutant.apply(root)
    try:
        return not passes(mutant.tests, root)
    finally:
        (root / mutant.path).write_text(text, encoding="utf-8")


def passes(tests: str, root: Path) -> bool:
    """Whether these tests are green.

    Raises:
        RuntimeError: pytest did not run them.
    """
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split()],
        cwd=root,
        # A mutant may have the size and the second of the text before it.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode not in (0, 1):
        raise RuntimeError(f"pytest {tests} did not run:\n{result.stdout}{result.stderr}")
    return result.returncode == 0


def main(word: str = "") -> int:
    """Try the mutants whose name has ``word``; returns the number of survivors."""
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "notebooks")
        shutil.copytree(REPOSITORY, root, ignore=ignored)
        chosen = [mutant for mutant in MUTANTS if word in mutant.name]
        if not passes(" ".join(sorted({m.tests for m in chosen})), root):
            raise RuntimeError("the nearest tests fail without any mutant; mend that first")
        for mutant in chosen:
            found = killed(mutant, root)
            survivors += not found
            print(f"{'killed  ' if found else 'SURVIVED'}  {mutant.name}", flush=True)
    print(f"{survivors} survived")
    return survivors


if __name__ == "__main__":
    sys.exit(min(1, main(*sys.argv[1:])))
