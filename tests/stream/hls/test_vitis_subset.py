"""The checker of the Vitis HLS subset: our C++ has no findings, and every rule finds its fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hyq_hls.ops import OPERATIONS
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.support import template_dir
from tests.stream.hls import vitis_seeds as seeds
from tests.stream.hls.hybrid import hybrid_graph, write_hybrid
from verif.subset.unit import ParseError
from verif.vitis_subset import check_headers, check_project, main

_ROOT = Path(__file__).parents[3]


def functions_of_operations() -> set[str]:
    """The C++ functions of all operations; two operations may share one."""
    graph = hybrid_graph()
    nodes = graph.nodes.values()
    return {circuit_of(node.operation, *graph.input_types(node)).module for node in nodes}


def test_hybrid_has_every_operation() -> None:
    found = {node.operation.name for node in hybrid_graph().nodes.values()}
    assert found == set(OPERATIONS), (
        "tests/stream/hls/hybrid.py must use every registered operation"
    )


@pytest.mark.slow
def test_generated_project_is_synthesizable(tmp_path: Path) -> None:
    result = check_project(write_hybrid(tmp_path / "p"))
    assert not result.findings, "\n".join(map(str, result.findings))
    assert functions_of_operations() <= set(result.functions), (
        "a function of an operation was not reached"
    )
    # Only a project of somebody else includes the layers for hls4ml.
    headers = {path.name for path in template_dir().glob("*.h")} - {"hls4ml_layers.h"}
    assert headers <= {path.name for path in result.files}, "a header was not read"


@pytest.mark.slow
def test_headers_as_they_are_written() -> None:
    headers = sorted(template_dir().glob("*.h"))
    result = check_headers(headers)
    assert not result.findings, "\n".join(map(str, result.findings))
    assert functions_of_operations() <= set(result.functions)
    assert {path.name for path in result.files} == {path.name for path in headers}


@pytest.mark.slow
@pytest.mark.parametrize("name", seeds.FAULTS)
def test_fault_is_found(name: str, tmp_path: Path) -> None:
    source, wanted = seeds.edited(seeds.FAULTS[name])
    assert wanted, "the seed marks no line"
    result = check_project(seeds.write_project(tmp_path, source))
    found = {(f.line, f.rule) for f in result.findings}
    text = list(map(str, result.findings))
    assert wanted <= found, text
    assert {line for line, _ in found} == {line for line, _ in wanted}, text


@pytest.mark.slow
@pytest.mark.parametrize("name", seeds.LEGAL)
def test_legal_code_passes(name: str, tmp_path: Path) -> None:
    source, _ = seeds.edited(seeds.LEGAL[name])
    result = check_project(seeds.write_project(tmp_path, source))
    assert not result.findings, list(map(str, result.findings))


def test_every_rule_has_a_fault() -> None:
    """The help lists the rules; none of them may go untested."""
    with_help = subprocess.run(
        [sys.executable, "-m", "verif.vitis_subset", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT,
    ).stdout
    rules = {edits[0].rule for edits in seeds.FAULTS.values()}
    text = with_help.split("Rules: ")[1].split(".\n")[0]
    listed = {part.split("(")[0].strip() for part in _outside_brackets(" ".join(text.split()))}
    assert listed == rules


@pytest.mark.slow
def test_header_with_a_fault(tmp_path: Path) -> None:
    header = tmp_path / "bad.h"
    header.write_text(
        "template <class C> int f(int n) {\n    int sum = 0;\n"
        "    for (int i = 0; i < C::n; i++) {\n        sum += i * 0.5;\n    }\n"
        "L:\n    for (int i = 0; i < n; i++) {\n        sum++;\n    }\n    return sum;\n}\n"
    )
    found = [(f.line, f.rule) for f in check_headers([header]).findings]
    assert found == [(3, "loop label"), (4, "float"), (7, "loop bound")]


@pytest.mark.slow
def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = seeds.write_project(tmp_path / "clean", seeds.CLEAN)
    assert main([str(clean)]) == 0
    assert capsys.readouterr().out == "4 functions in 1 files: 0 findings\n"
    source, _ = seeds.edited(seeds.FAULTS["goto"])
    bad = seeds.write_project(tmp_path / "bad", source)
    assert main([str(clean), str(bad)]) == 1
    line = source.split("\n").index("    if (acc < 0) goto Lanes; ") + 1
    wanted = f"{bad / 'firmware' / 'top.cpp'}:{line}: goto: found goto; wanted loops and conditions"
    assert capsys.readouterr().out.split("\n")[0] == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("void top() { undeclared(); }", "undeclared identifier 'undeclared'"),
        ("void bottom() {}", "defines no function top; name it with --top"),
        (None, "file is wanted in .*, found none"),
    ],
)
def test_what_cannot_be_checked(
    source: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if source is not None:
        seeds.write_project(tmp_path, source)
    with pytest.raises(ParseError, match=message):
        check_project(tmp_path)
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def _outside_brackets(text: str) -> list[str]:
    """Parts between the commas that stand outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
