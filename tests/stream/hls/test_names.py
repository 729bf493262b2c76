"""C++ identifiers of any names, and a project whose names all need care."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hyq_hls.graph import Graph, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Add, Table
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.names import identifiers, is_reserved
from hyq_hls.stream.hls.project import build_model
from tests.stream.hls.conftest import BYTE, ONE, assert_cpp_equal

_WORDS = """
alignas and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl
const const_cast constexpr continue decltype default delete do double dynamic_cast else enum
explicit export extern false float for friend goto if inline int long mutable namespace new
noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
wchar_t while xor xor_eq
"""
KEYWORDS = _WORDS.split()
COLLIDING = [
    *("a.b", "a_b", "a-b", "a b", "a_b_2", "A_B"),  # equal after cleaning, or on some file systems
    *("0", "0.1", "1e5", "_", "__x__", "...", "日本語", "größe", "naïve.é"),
    *(
        "fc",
        "fc_t",
        "fc_word",
        "fc_config",
        "fc_values",
        "fc_layer",
        "fc_fork",
        "fc_process",
        "fc_copy1",
        "fc_copy2",
        "fc_rest1",
    ),  # derived names
    *("input", "result", "hls", "hyq", "top", "nnet", "std", "main", "defines", "parameters"),
    *(
        "node",
        "kernel",
        "identifier",
        "input_types",
        "tensor",
        "name",
        "index",
        "inputs",
        "outputs",
    ),
    *("class_name", "function_cpp", "config_cpp", "result_t", "trace", "precision", "shape"),
    *("stream", "word", "integer", "table", "data", "NULL", "EOF", "assert", "errno", "ap_int"),
]


SUFFIXES = ("word", "config", "layer", "values")
ENDINGS = tuple(f"_{suffix}" for suffix in SUFFIXES)


def assert_usable(names: list[str]) -> list[str]:
    """Check the identifiers of names, and return them."""
    mapping = identifiers(names, suffixes=SUFFIXES)
    assert list(mapping) == names
    found = list(mapping.values())
    assert len({i.lower() for i in found}) == len(names), "distinct, also where case is ignored"
    for identifier in found:
        assert re.fullmatch(r"[A-Za-z]\w*", identifier, re.ASCII), identifier
        assert "__" not in identifier, f"{identifier} is reserved in C++"
        assert identifier not in KEYWORDS
    # What belongs to an identifier is not another one.
    taken = {identifier.lower() for identifier in found}
    assert not [i for i in found if any(i.lower() + ending in taken for ending in ENDINGS)]
    return found


def test_colliding_names_and_keywords() -> None:
    for identifier in assert_usable([*COLLIDING, *KEYWORDS]):
        assert not identifier.endswith(ENDINGS), identifier


@pytest.mark.slow
# A keyword of SystemVerilog, which becomes n_config.
@example(["config", "n"])
@example(["n", "config"])
@given(st.lists(st.text(max_size=6), unique=True, max_size=8))
def test_any_names(names: list[str]) -> None:
    assert_usable(names)


@given(st.lists(st.text(alphabet="aA_t2.0", max_size=5), unique=True, max_size=12))
def test_names_that_often_collide(names: list[str]) -> None:
    assert_usable(names)


@pytest.mark.parametrize("name", ["HYQ_PIPELINE", "HYQ_TOP", "hyq_fifo", "HYQ.UNROLL"])
def test_names_of_macros_and_modules_are_reserved(name: str) -> None:
    """Macros of ``target.h`` begin with ``HYQ_``, SystemVerilog modules with ``hyq_``."""
    assert is_reserved(name.replace(".", "_"))
    assert identifiers([name]) == {name: "n_" + name.replace(".", "_")}


def test_names_of_the_vendor_are_reserved() -> None:
    assert is_reserved("ap_int")
    assert is_reserved("AP_UINT")
    assert identifiers(["ap_int", "apple"]) == {"ap_int": "n_ap_int", "apple": "apple"}


def test_long_names_are_shortened_and_stay_different() -> None:
    """They are names of files too."""
    names = ["x" * 300, "x" * 300 + "y", "a" * 95 + "." * 200 + "b"]
    found = list(identifiers(names).values())
    assert len(set(found)) == 3
    assert all(len(identifier) < 100 for identifier in found)
    assert_usable(names)


def test_readable_and_stable() -> None:
    names = ["stages.0.conv1_1x1", "head.fc", "stages-0-conv1_1x1"]
    assert list(identifiers(names).values()) == [
        "stages_0_conv1_1x1",
        "head_fc",
        "stages_0_conv1_1x1_2",
    ]
    longer = [*names, "more"]
    assert list(identifiers(longer).values())[:3] == list(identifiers(names).values())


@pytest.mark.parametrize(
    "name", ["a\nint b;", "a\\", "a??/", "a\r\nb", "a\x0bb", "a\u2028b", "a`b$(c)"]
)
def test_a_name_cannot_leave_its_comment(name: str, tmp_path: Path) -> None:
    """Neither in C++ nor in the shell script, whose first lines carry the model's name."""
    graph = Graph("x", TensorType((2,), BYTE), {"model": name})
    graph.add(f"{name}.first", Table(np.arange(256), BYTE), "x")
    graph.add("last", Table(np.arange(256), BYTE), f"{name}.first")
    build_model(build_dataflow(graph, {}), tmp_path / "p", "top", "xc7z020clg400-1", 150).write()
    files = [f for f in (tmp_path / "p").rglob("*") if f.suffix in (".cpp", ".h", ".sh")]
    own = [f for f in files if not {"ap_types", "hyq"} & set(f.parts)]
    assert len(own) >= 8
    for file in own:
        content = file.read_text(encoding="utf-8")
        assert name not in content
        for line in content.splitlines():
            assert not line.endswith(("\\", "??/")), f"{file.name}: {line}"
            assert "int b;" not in line or line.lstrip().startswith(("//", "#")), line


@pytest.mark.slow
def test_project_of_troublesome_names(tmp_path: Path) -> None:
    """Every name becomes a node; ``fc`` has six readers, so that copies get names too."""
    rng = np.random.default_rng(0)
    graph = Graph("int", TensorType((2,), BYTE))
    previous = "int"
    for name in [*COLLIDING, *KEYWORDS[::8]]:
        graph.add(name, Table(rng.permutation(256), BYTE), previous)
        previous = name
    half = Requantize(BYTE, ONE, ONE)
    for i in range(5):
        graph.add(f"last{i}", Add((ONE, ONE), ((0,), (0,)), half), previous, "fc")
        previous = f"last{i}"
    codes = rng.integers(0, 256, (3, 2))
    assert_cpp_equal(graph, codes, tmp_path / "p")


def test_an_identifier_does_not_own_a_derived_name_that_is_taken() -> None:
    """``a_2`` would be free for the third name, but its type would be called as the first."""
    mapping = identifiers(["a_2_word", "a", "a."], suffixes=("word",))
    assert list(mapping.values()) == ["a_2_word", "a", "a_3"]
