"""Loops with compile-time trip counts and labels that directives and reports can name.

A loop whose first directive is ``HYQ_TRIPCOUNT`` may be compared with a value that is known when it
runs. Vitis HLS builds such a loop, and takes the directive for its reports.
"""

from __future__ import annotations

from itertools import islice

from clang.cindex import Cursor, CursorKind, TypeKind

from verif.subset.finding import Findings
from verif.subset.libclang import (
    ASSIGN,
    COMPARISONS,
    COMPOUND_ASSIGNMENTS,
    STEPS,
    binary_operator,
    constant,
    unary_operator,
)
from verif.subset.unit import bare, place, walk

#: Says that the bound of a loop is known when it runs.
_TRIPCOUNT = "HYQ_TRIPCOUNT"
WANTED = "for (unsigned i = first; i < count; i++) with constants"
_INTEGERS = frozenset(
    {TypeKind.INT, TypeKind.UINT, TypeKind.SHORT, TypeKind.USHORT, TypeKind.LONG, TypeKind.ULONG}
    | {TypeKind.LONGLONG, TypeKind.ULONGLONG}
)


def check_loop(loop: Cursor, parent: Cursor | None, templated: bool, findings: Findings) -> None:
    """Check one ``for`` statement.

    Args:
        loop: the statement.
        parent: what it stands in.
        templated: it stands in a template that is not instantiated, so that what depends on
            template parameters is taken for a constant.
        findings: receives what is wrong.
    """
    if parent is None or parent.kind != CursorKind.LABEL_STMT:
        findings.add(place(loop), "loop label", "a loop without a label", "Name: before the for")
    fault = _fault(loop, templated)
    if fault is not None:
        findings.add(place(loop), "loop bound", fault, WANTED)


def _fault(loop: Cursor, templated: bool) -> str | None:
    parts = list(loop.get_children())
    if len(parts) != 4:
        return "a loop that lacks its start, condition or step"
    start, condition, step, body = parts
    declared = list(start.get_children()) if start.kind == CursorKind.DECL_STMT else []
    if len(declared) != 1 or declared[0].type.get_canonical().kind not in _INTEGERS:
        return "a loop without one native integer variable of its own"
    variable = declared[0]
    initial = list(variable.get_children())
    fault = None
    if not initial or not _is_constant(initial[-1], templated):
        fault = "starts at what is no constant"
    elif not _compares(condition, variable, templated, _has_tripcount(body)):
        fault = "is not compared with a constant"
    elif not _steps(step, variable, templated):
        fault = "does not move by a constant step"
    elif any(_changes(cursor, variable) for cursor, _ in walk(body)):
        fault = "changes in the body"
    return fault and f"a loop whose {variable.spelling} {fault}"


def _has_tripcount(body: Cursor) -> bool:
    tokens = body.get_tokens()
    return [t.spelling for t in islice(tokens, 2)] == ["{", _TRIPCOUNT]


def _is_constant(expression: Cursor, templated: bool) -> bool:
    if constant(expression) is not None:
        return True
    # What depends on template parameters has no value yet; a variable never gets a fixed one.
    return templated and not any(_is_variable(c) for c, _ in walk(expression))


def _is_variable(cursor: Cursor) -> bool:
    if cursor.kind not in (CursorKind.DECL_REF_EXPR, CursorKind.MEMBER_REF_EXPR):
        return False
    target = cursor.referenced
    if target is None:
        return False
    if target.kind in (CursorKind.PARM_DECL, CursorKind.FIELD_DECL):
        return True
    return target.kind == CursorKind.VAR_DECL and not target.type.is_const_qualified()


def _refers(expression: Cursor, variable: Cursor) -> bool:
    target = bare(expression).referenced
    return target is not None and target == variable


def _compares(condition: Cursor, variable: Cursor, templated: bool, any_bound: bool) -> bool:
    operands = list(condition.get_children())
    if templated and condition.kind == CursorKind.CALL_EXPR and len(operands) == 3:
        del operands[1]  # an operator that is not resolved before the template is instantiated
    elif binary_operator(condition) not in COMPARISONS:
        return False
    left, right = operands
    if _refers(right, variable):
        left, right = right, left
    return _refers(left, variable) and (any_bound or _is_constant(right, templated))


def _steps(step: Cursor, variable: Cursor, templated: bool) -> bool:
    children = list(step.get_children())
    if not children or not _refers(children[0], variable):
        return False
    if unary_operator(step) in STEPS:
        return True
    return binary_operator(step) in COMPOUND_ASSIGNMENTS and _is_constant(children[1], templated)


def _changes(cursor: Cursor, variable: Cursor) -> bool:
    operator = binary_operator(cursor)
    writes = operator == ASSIGN or operator in COMPOUND_ASSIGNMENTS
    if not writes and unary_operator(cursor) not in STEPS:
        return False
    return _refers(next(cursor.get_children()), variable)
