"""C++ identifiers for the names of a graph."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Reserved words, and names that the generated files use themselves.
_RESERVED = frozenset(
    (
        "alignas",
        "alignof",
        "and",
        "asm",
        "auto",
        "bitand",
        "bitor",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "compl",
        "const",
        "constexpr",
        "continue",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "nullptr",
        "operator",
        "or",
        "private",
        "protected",
        "public",
        "register",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_assert",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "while",
        "xor",
        "hyq",
        "hls",
        "nnet",
        "input",
        "result",
        "std",
        "main",
    )
)


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """Map names such as ``stages.0.0.conv`` to distinct C++ identifiers, readably and stably."""
    taken: set[str] = set()
    mapping = {}
    for name in names:
        base = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "node"
        if base[0].isdigit() or base in _RESERVED:
            base = f"n_{base}"
        identifier, count = base, 1
        while identifier in taken:
            count += 1
            identifier = f"{base}_{count}"
        taken.add(identifier)
        mapping[name] = identifier
    return mapping
