"""Two implementations of ap_int agree: the headers of hls4ml, and ``_BitInt`` through clang.

Both run the same templates. The tests of each operation compare ``_BitInt`` with its reference,
constant memories of exact width included, because clang compiles it in a fraction of the time; here
the headers of hls4ml are compared with the same references, for some cases of every operation.
"""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.graph import Operation
from hyq_hls.ops import OPERATIONS
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.hls.project import build_model
from tests.golden.network import FOLDINGS, golden_graph
from tests.ops import (
    test_add,
    test_attention_scores,
    test_attention_values,
    test_average_pool,
    test_channel_affine,
    test_concat,
    test_concat_constant,
    test_concat_positions,
    test_constant,
    test_conv2d,
    test_dense,
    test_depthwise_conv2d,
    test_fold,
    test_global_average_pool,
    test_group_norm,
    test_grouped_conv2d,
    test_layer_norm,
    test_linear_softmax,
    test_max_pool,
    test_maximum,
    test_multiply,
    test_permute_positions,
    test_requantize,
    test_select_positions,
    test_separable_context,
    test_shift_swish,
    test_table,
    test_table_softmax,
    test_transpose,
    test_unfold,
    test_upsample,
)
from tests.ops.direct import EXACT, Case, compile_cases, compile_with_gxx
from tests.ops.harness import BIT_ACCURATE, random_codes, reference
from tests.stream.hls.ap_int_words import random_program
from verif.clang import BITINT, ClangError, clang, compile_library, run_clang
from verif.vitis_subset import hls4ml_types

SEEDS = range(3)
#: Widths of 2 to 16 bits, random shapes and lanes: cases of the tests of the operations.
CASES: list[Case[Operation]] = [
    *test_add.CASES[::3],
    *map(test_attention_scores.random_case, SEEDS),
    *map(test_attention_values.random_case, SEEDS),
    *test_average_pool.CASES[::4],
    *test_channel_affine.CASES[:3],
    *test_concat.CASES[::3],
    *test_concat_constant.CASES[::5],
    *test_concat_positions.CASES[::5],
    *map(test_constant.random_case, SEEDS),
    *map(test_conv2d.random_case, SEEDS),
    *test_dense.CASES[::5],
    *(test_depthwise_conv2d.random_case(seed)[0] for seed in SEEDS),
    *test_fold.CASES[:1],
    *test_global_average_pool.CASES[:3],
    *map(test_group_norm.random_case, SEEDS),
    *(test_grouped_conv2d.random_case(seed)[0] for seed in SEEDS),
    *map(test_layer_norm.random_case, SEEDS),
    *map(test_linear_softmax.random_case, SEEDS),
    *test_maximum.CASES[::3],
    *test_max_pool.CASES[:2],
    *test_multiply.CASES[::5],
    *test_permute_positions.CASES[::4],
    *test_requantize.CASES[:3],
    *test_select_positions.CASES[::3],
    *map(test_separable_context.random_case, SEEDS),
    *(test_shift_swish.CASES[i] for i in (0, 2, 5, 9)),
    *test_table.CASES[:3],
    *map(test_table_softmax.random_case, SEEDS),
    *test_transpose.CASES[:1],
    *test_unfold.CASES[:1],
    *test_upsample.CASES[:2],
]
#: Compilations that share the cases: g++ needs much memory for the headers of hls4ml.
PARTS = 6


def test_every_operation_is_among_the_cases() -> None:
    assert {type(case.operation) for case in CASES} == set(OPERATIONS.values())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_operations_equal_their_references(part: int, tmp_path: Path) -> None:
    rng, cases = np.random.default_rng(0), CASES[part::PARTS]
    functions = compile_cases(cases, tmp_path, BIT_ACCURATE, compile_with_gxx)
    for case, csim in zip(cases, functions, strict=True):
        codes = [random_codes(x, rng) for x in case.inputs]
        wanted = case.operation.reference(*(codes or [np.empty(1, np.int64)]))
        assert np.array_equal(csim(*codes), wanted), case


@pytest.mark.slow
def test_a_network_equals_its_reference(tmp_path: Path) -> None:
    """A convolution, an attention and an addition with width converters, as one library."""
    graph = golden_graph()
    build_model(
        build_dataflow(graph, FOLDINGS), tmp_path / "net", "net", "xc7z020clg400-1", 150
    ).write()
    source, library = tmp_path / "net" / "whole.cpp", tmp_path / "net.so"
    source.write_text('#include "firmware/net.cpp"\n#include "net_bridge.cpp"\n')
    firmware = tmp_path / "net" / "firmware"
    compile_library(source, library, [firmware / "hyq" / "csim", firmware], EXACT)
    codes = random_codes(graph.input_type, np.random.default_rng(1))
    found = np.empty((len(codes), *graph.output_type.shape), np.int32)
    message = ctypes.create_string_buffer(512)
    inputs = np.ascontiguousarray(codes, np.int32)
    status = ctypes.CDLL(str(library)).hyq_predict(
        *(ctypes.c_void_p(a.ctypes.data) for a in (inputs, found)),
        ctypes.c_ulong(len(codes)),
        message,
        ctypes.c_ulong(512),
    )
    assert status == 0, message.value
    assert np.array_equal(found, reference(graph, codes))


@pytest.mark.slow
def test_operators_equal_those_of_hls4ml(tmp_path: Path) -> None:
    """Random operands of random widths: every operator gives the same width, sign and value."""
    source = tmp_path / "words.cpp"
    source.write_text(random_program(np.random.default_rng(0)))
    vendor, second = tmp_path / "vendor", tmp_path / "second"
    include = ["-isystem", str(hls4ml_types())]
    command = ["g++", "-std=c++14", "-w", *include, str(source), "-o", str(vendor)]
    subprocess.run(command, check=True)
    run_clang(["-O0", "-w", f"-I{BITINT}", "-c", source, "-o", f"{second}.o"])
    subprocess.run(["g++", f"{second}.o", "-o", str(second)], check=True)
    lines = [
        subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
        for program in (vendor, second)
    ]
    assert len(lines[0]) > 1000
    wrong = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
    assert not wrong, wrong[:3]


def test_a_missing_clang_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    clang.cache_clear()
    try:
        with pytest.raises(ClangError, match="found no clang; pip install ziglang, or clang"):
            clang()
    finally:
        clang.cache_clear()


@pytest.mark.slow
def test_an_error_in_the_cpp_is_shown(tmp_path: Path) -> None:
    source = tmp_path / "wrong.cpp"
    source.write_text("int f() { return nothing; }\n")
    with pytest.raises(ClangError, match=r"wrong.cpp:1:.*undeclared identifier 'nothing'"):
        run_clang(["-fsyntax-only", source])
