"""Faults of the capture."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "a module's rounding to float32 is an error of the capture",
        "hyq_hls/capture/module_check.py",
        "else replace(plain, doubted=exact)",
        "else plain",
        "tests/capture/test_module_check.py",
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
        "a flat order comes before swapped tokens",
        "hyq_hls/capture/index_maps.py",
        "return swapped or flat",
        "return flat or swapped",
        "tests/capture/test_index_maps.py",
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
        "a part of a transposed convolution begins with its first row",
        "hyq_hls/capture/transposed_conv.py",
        "return _Remainder(taps, around, around + first, count)",
        "return _Remainder(taps, around, 0, count)",
        "tests/capture/test_transposed_conv.py",
    ),
    Mutant(
        "factors of heads that were channels multiply tokens in turn",
        "hyq_hls/capture/score_factors.py",
        "np.repeat(of_heads[:, 0], query.shape[1])",
        "np.tile(of_heads[:, 0], query.shape[1])",
        "tests/capture/test_turning.py",
    ),
    Mutant(
        "scores weigh values along their queries",
        "hyq_hls/capture/attention.py",
        "a, b = _of_keys(call, a), call.settled",
        "a, b = a, call.settled",
        "tests/capture/test_turning.py",
    ),
    Mutant(
        "codes that move have a stand-in of their own",
        "hyq_hls/inspection/preview.py",
        "if traits_of(node).keeps_scale:",
        "if False:",
        "tests/inspection/test_inspect.py",
    ),
]
