"""Functions of libclang that its Python binding leaves out."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from clang.cindex import Cursor, conf

_INTEGER_RESULT = 1  # CXEval_Int

#: Numbers of CXBinaryOperatorKind.
COMPARISONS = frozenset({11, 12, 13, 14, 16})  # < > <= >= !=
ASSIGN = 22
COMPOUND_ASSIGNMENTS = frozenset(range(23, 33))
#: Numbers of CXUnaryOperatorKind.
STEPS = frozenset({1, 2, 3, 4})  # i++ i-- ++i --i
ADDRESS_OF, DEREFERENCE = 5, 6


def _bind(name: str, argument: Any, result: Any) -> Callable[..., Any]:
    function: ctypes._NamedFuncPointer = getattr(conf.lib, name)
    function.argtypes, function.restype = [argument], result
    return function


_binary = _bind("clang_getCursorBinaryOperatorKind", Cursor, ctypes.c_int)
_unary = _bind("clang_getCursorUnaryOperatorKind", Cursor, ctypes.c_int)
_evaluate = _bind("clang_Cursor_Evaluate", Cursor, ctypes.c_void_p)
_kind = _bind("clang_EvalResult_getKind", ctypes.c_void_p, ctypes.c_int)
_value = _bind("clang_EvalResult_getAsLongLong", ctypes.c_void_p, ctypes.c_longlong)
_dispose = _bind("clang_EvalResult_dispose", ctypes.c_void_p, None)


def binary_operator(cursor: Cursor) -> int:
    """Number of a built-in binary operator, 0 when ``cursor`` is none."""
    return int(_binary(cursor))


def unary_operator(cursor: Cursor) -> int:
    """Number of a built-in unary operator, 0 when ``cursor`` is none."""
    return int(_unary(cursor))


def constant(expression: Cursor) -> int | None:
    """Value of an integer constant expression; None when it is not one."""
    result = _evaluate(expression)
    if not result:
        return None
    try:
        return int(_value(result)) if _kind(result) == _INTEGER_RESULT else None
    finally:
        _dispose(result)
