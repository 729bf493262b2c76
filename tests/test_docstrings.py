"""Docstrings of the package and the benchmarks: fields are explained, summaries are sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    path.relative_to(ROOT).as_posix()
    for room in ("hyq_hls", "benchmarks")
    for path in sorted((ROOT / room).rglob("*.py"))
]
#: Openings that leave the reader to guess the noun or the verb.
RIDDLES = re.compile(r"(Of|That which|Those|Where|As|So|What|How|Who)\b")


def documented(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every module, class and function that has a docstring, and the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, text


def is_dataclass(node: ast.ClassDef) -> bool:
    """Whether a class is a dataclass or a ``NamedTuple``."""
    decorators = " ".join(map(ast.unparse, node.decorator_list))
    return "dataclass" in decorators or "NamedTuple" in map(ast.unparse, node.bases)


def fields(node: ast.ClassDef) -> list[str]:
    """Public fields that a dataclass itself declares."""
    return [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and "ClassVar" not in ast.unparse(statement.annotation)
        and not statement.target.id.startswith("_")
    ]


def attributes(docstring: str) -> set[str]:
    """Names that the section ``Attributes:`` explains."""
    section = re.search(r"^Attributes:\n((?: .*\n|\n)*)", docstring + "\n", re.MULTILINE)
    heads = re.findall(r"^    ([\w, ]+):", section[1], re.MULTILINE) if section else []
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("source", SOURCES)
def test_every_field_is_explained(source: str) -> None:
    for node, text in documented(ast.parse((ROOT / source).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and is_dataclass(node):
            missing = [name for name in fields(node) if name not in attributes(text)]
            assert not missing, f"{source}: Attributes: of {node.name} lacks {missing}"


@pytest.mark.parametrize("source", SOURCES)
def test_summaries_are_no_riddles(source: str) -> None:
    for node, text in documented(ast.parse((ROOT / source).read_text(encoding="utf-8"))):
        summary, name = text.split("\n")[0], getattr(node, "name", "the module")
        assert not RIDDLES.match(summary), f"{source}: {name}: {summary}"


def test_a_field_without_words_is_found() -> None:
    code = '''
@dataclass
class Pair:
    """Two.

    Attributes:
        a, b: numbers.
    """
    a: int
    b: int
    c: int
    kind: ClassVar[str] = "pair"
'''
    (pair,) = ast.parse(code).body
    assert isinstance(pair, ast.ClassDef)
    assert is_dataclass(pair)
    assert fields(pair) == ["a", "b", "c"]
    assert attributes(ast.get_docstring(pair) or "") == {"a", "b"}
