"""C++ constructs that Vitis HLS does not synthesize, or that these templates do not use."""

from __future__ import annotations

from collections.abc import Iterator

from clang.cindex import Cursor, CursorKind, StorageClass, TLSKind, Type, TypeKind

from verif.subset.finding import Findings
from verif.subset.libclang import ADDRESS_OF, DEREFERENCE, unary_operator
from verif.subset.loops import WANTED as WANTED_LOOP
from verif.subset.loops import check_loop
from verif.subset.unit import FUNCTIONS, Unit, bare, body, key, place, walk

_K, _T = CursorKind, TypeKind

_POINTER = "an array with its size, or a reference"
_FORBIDDEN: dict[CursorKind, tuple[str, str, str]] = {
    _K.CXX_NEW_EXPR: ("heap", "new", "an array of constant size"),
    _K.CXX_DELETE_EXPR: ("heap", "delete", "an array of constant size"),
    _K.CXX_THROW_EXPR: ("exception", "throw", "static_assert"),
    _K.CXX_TRY_STMT: ("exception", "try", "static_assert"),
    _K.GOTO_STMT: ("goto", "goto", "loops and conditions"),
    _K.INDIRECT_GOTO_STMT: ("goto", "goto", "loops and conditions"),
    _K.WHILE_STMT: ("loop form", "while", WANTED_LOOP),
    _K.DO_STMT: ("loop form", "do", WANTED_LOOP),
    _K.CXX_FOR_RANGE_STMT: ("loop form", "a range-based for", WANTED_LOOP),
    _K.CXX_DYNAMIC_CAST_EXPR: ("virtual", "dynamic_cast", "a template parameter"),
    _K.CXX_TYPEID_EXPR: ("virtual", "typeid", "a template parameter"),
    _K.CXX_REINTERPRET_CAST_EXPR: ("pointer", "reinterpret_cast", "ap_int::range"),
    _K.CXX_NULL_PTR_LITERAL_EXPR: ("pointer", "nullptr", _POINTER),
    _K.ASM_STMT: ("assembly", "asm", "C++"),
    _K.MS_ASM_STMT: ("assembly", "asm", "C++"),
    _K.LAMBDA_EXPR: ("function pointer", "a lambda", "a function"),
}
_HEAP = frozenset({"malloc", "calloc", "realloc", "free", "aligned_alloc", "alloca"})
_FLOATS = frozenset({_T.HALF, _T.FLOAT, _T.DOUBLE, _T.LONGDOUBLE, _T.FLOAT128})
_ARRAYS = frozenset(
    {_T.CONSTANTARRAY, _T.DEPENDENTSIZEDARRAY, _T.INCOMPLETEARRAY, _T.VARIABLEARRAY}
)
#: Expressions that make a pointer; the decay of an array that is passed on is none of them.
_POINTER_EXPRESSIONS = frozenset(
    {_K.BINARY_OPERATOR, _K.COMPOUND_ASSIGNMENT_OPERATOR, _K.UNARY_OPERATOR}
    | {_K.CONDITIONAL_OPERATOR, _K.CSTYLE_CAST_EXPR, _K.CXX_STATIC_CAST_EXPR}
    | {_K.CXX_CONST_CAST_EXPR, _K.CXX_FUNCTIONAL_CAST_EXPR}
)
#: libclang calls the pointer that an array parameter is by the type the parameter was written with.
_POINTERS = _ARRAYS | {_T.POINTER}
_DECLARATIONS = frozenset({_K.VAR_DECL, _K.PARM_DECL, _K.FIELD_DECL})


class Constructs:
    """Checks declarations one by one, and everything that is reachable from a top function."""

    def __init__(self, unit: Unit, findings: Findings) -> None:
        self._unit, self._findings = unit, findings
        self._records: set[tuple[int, str]] = set()

    def check_reachable(self, top: Cursor) -> list[Cursor]:
        """Check every function of ours that ``top`` calls; templates as they are instantiated.

        Returns:
            These functions, ``top`` first.
        """
        reached = {key(top): top}
        calls: dict[tuple[int, str], list[tuple[Cursor, tuple[int, str]]]] = {}
        waiting = [top]
        while waiting:
            function = waiting.pop()
            self.check_function(function, templated=False)
            calls[key(function)] = []
            for call, callee in self._callees(function):
                calls[key(function)].append((call, key(callee)))
                if key(callee) not in reached:
                    reached[key(callee)] = callee
                    waiting.append(callee)
        self._check_recursion(key(top), calls, reached)
        return list(reached.values())

    def check_function(self, function: Cursor, templated: bool) -> None:
        """Check one function; ``templated`` when it depends on template parameters."""
        if function.kind not in (_K.CONSTRUCTOR, _K.DESTRUCTOR):
            self._check_type(function.result_type, function, f"{function.spelling}()")
        if function.kind in (_K.DESTRUCTOR, _K.CXX_METHOD):
            self._check_virtual(function)
        for cursor, parent in walk(function):
            if cursor.kind in _FORBIDDEN:
                self._findings.add(place(cursor), *_FORBIDDEN[cursor.kind])
            elif cursor.kind == _K.FOR_STMT:
                check_loop(cursor, parent, templated, self._findings)
            elif cursor.kind in _DECLARATIONS:
                self._check_type(cursor.type, cursor, cursor.spelling)
                self._check_state(cursor)
            elif cursor.kind == _K.CALL_EXPR:
                self._check_call(cursor)
            elif cursor.kind == _K.DECL_REF_EXPR:
                self._check_reference(cursor)
            if cursor != function:
                self._check_expression(cursor)

    def check_variable(self, variable: Cursor) -> None:
        """Check a variable at file scope or a static member."""
        self._check_type(variable.type, variable, variable.spelling)
        self._check_state(variable)

    def check_record(self, record: Cursor) -> None:
        """Check bases, virtual methods and fields of a record."""
        for child in record.get_children():
            if child.kind == _K.CXX_BASE_SPECIFIER:
                text = " ".join(t.spelling for t in child.get_tokens())
                if "virtual" in text.split():
                    self._findings.add(place(child), "virtual", text, "an ordinary base")
            elif child.kind in FUNCTIONS:
                self._check_virtual(child)
            elif child.kind == _K.FIELD_DECL:
                self._check_type(child.type, child, child.spelling)

    def _callees(self, function: Cursor) -> Iterator[tuple[Cursor, Cursor]]:
        for cursor, _ in walk(function):
            if cursor.kind != _K.CALL_EXPR:
                continue
            callee = cursor.referenced
            if callee is None or callee.kind not in FUNCTIONS or not self._unit.is_ours(callee):
                continue
            definition = _definition(callee)
            # The compiler's own copies of arrays have loops; nobody wrote them.
            if definition is not None and not definition.is_default_method():
                yield cursor, definition

    def _check_recursion(
        self,
        top: tuple[int, str],
        calls: dict[tuple[int, str], list[tuple[Cursor, tuple[int, str]]]],
        reached: dict[tuple[int, str], Cursor],
    ) -> None:
        done: set[tuple[int, str]] = set()

        def visit(function: tuple[int, str], path: list[tuple[int, str]]) -> None:
            for call, callee in calls[function]:
                if callee in path:
                    cycle = [*path[path.index(callee) :], callee]
                    names = " -> ".join(reached[f].spelling for f in cycle)
                    self._findings.add(place(call), "recursion", names, "a loop")
                elif callee not in done:
                    visit(callee, [*path, callee])
            done.add(function)

        visit(top, [top])

    def _check_call(self, call: Cursor) -> None:
        callee = call.referenced
        if callee is None or self._unit.is_vendor(callee):
            return
        name = f"{callee.spelling}()"
        if callee.kind in _DECLARATIONS:
            self._findings.add(place(call), "function pointer", f"a call of {name}", "a function")
        elif callee.kind not in FUNCTIONS:
            return
        elif callee.spelling in _HEAP:
            self._findings.add(place(call), "heap", name, "an array of constant size")
        elif not self._unit.is_ours(callee):
            found = f"a call of {name} of the C++ library"
            self._findings.add(place(call), "library", found, "ap_int, hls::stream and C++")
        elif callee.kind == _K.FUNCTION_DECL and _definition(callee) is None:
            wanted = "a function in the headers"
            self._findings.add(place(call), "definition", f"{name} without a body", wanted)

    def _check_reference(self, reference: Cursor) -> None:
        target = reference.referenced
        if target is None or target.kind != _K.VAR_DECL:
            return
        if not self._unit.is_ours(target) and not self._unit.is_vendor(target):
            found = f"{target.spelling} of the C++ library"
            self._findings.add(place(reference), "library", found, "ap_int, hls::stream and C++")

    def _check_virtual(self, method: Cursor) -> None:
        if method.is_virtual_method():
            found = f"virtual {method.spelling}()"
            self._findings.add(place(method), "virtual", found, "a template parameter")

    def _check_state(self, variable: Cursor) -> None:
        if variable.kind != _K.VAR_DECL:
            return
        kept = variable.storage_class in (StorageClass.STATIC, StorageClass.EXTERN)
        is_global = variable.semantic_parent.kind not in FUNCTIONS
        if variable.tls_kind != TLSKind.NONE:
            found = f"thread_local {variable.spelling}"
            self._findings.add(place(variable), "state", found, "a local variable")
        elif (kept or is_global) and not _is_const(variable.type):
            found = f"{variable.spelling}, which keeps its value between calls"
            self._findings.add(place(variable), "state", found, "a local variable, or const")

    def _check_expression(self, cursor: Cursor) -> None:
        kind = cursor.type.get_canonical().kind
        if kind in _FLOATS and cursor.kind not in _DECLARATIONS:
            found = f"an expression of type {cursor.type.spelling}"
            self._findings.add(place(cursor), "float", found, "integers")
        if cursor.kind not in _POINTER_EXPRESSIONS:
            return
        operands = [bare(c) for c in cursor.get_children()]
        if unary_operator(cursor) == DEREFERENCE:
            if operands[0].kind == _K.CXX_THIS_EXPR:
                return
            self._findings.add(place(cursor), "pointer", "unary *", _POINTER)
        elif unary_operator(cursor) == ADDRESS_OF:
            self._findings.add(place(cursor), "pointer", "unary &", _POINTER)
        elif any(t.get_canonical().kind in _POINTERS for t in (cursor.type, *_types(cursor))):
            found = f"an expression of type {cursor.type.spelling} made of pointers"
            self._findings.add(place(cursor), "pointer", found, _POINTER)

    def _check_type(self, found: Type, where: Cursor, name: str) -> None:
        t = found.get_canonical()
        described = f"{name} of type {found.spelling}"
        if t.kind in _FLOATS:
            self._findings.add(place(where), "float", described, "an integer type")
        elif t.kind in _ARRAYS:
            if t.kind == _T.VARIABLEARRAY:
                self._findings.add(place(where), "array size", described, "a constant size")
            elif t.kind == _T.INCOMPLETEARRAY:
                self._findings.add(place(where), "pointer", described, _POINTER)
            self._check_type(t.element_type, where, name)
        elif t.kind in (_T.LVALUEREFERENCE, _T.RVALUEREFERENCE):
            self._check_type(t.get_pointee(), where, name)
        elif t.kind == _T.MEMBERPOINTER or (
            t.kind == _T.POINTER and t.get_pointee().kind == _T.FUNCTIONPROTO
        ):
            self._findings.add(place(where), "function pointer", described, "a function call")
        elif t.kind == _T.POINTER:
            self._findings.add(place(where), "pointer", described, _POINTER)
        elif t.kind == _T.RECORD:
            self._check_record_type(t, where, described)

    def _check_record_type(self, t: Type, where: Cursor, described: str) -> None:
        declaration = t.get_declaration()
        if not self._unit.is_ours(declaration) and not self._unit.is_vendor(declaration):
            wanted = "ap_int, hls::stream, arrays and structures of these templates"
            self._findings.add(place(where), "library", described, wanted)
            return
        if key(declaration) in self._records:
            return
        self._records.add(key(declaration))
        for i in range(max(0, t.get_num_template_arguments())):
            argument = t.get_template_argument_type(i)
            if argument.kind != _T.INVALID:
                self._check_type(argument, where, f"a template argument of {t.spelling}")
        if self._unit.is_ours(declaration):
            for field in t.get_fields():
                self._check_type(field.type, field, field.spelling)


def _is_const(t: Type) -> bool:
    t = t.get_canonical()
    return t.is_const_qualified() or (t.kind in _ARRAYS and _is_const(t.element_type))


def _types(expression: Cursor) -> list[Type]:
    return [operand.type for operand in expression.get_children()]


def _definition(function: Cursor) -> Cursor | None:
    """The function with its body; an instantiation has it in the cursor that a call refers to."""
    return function if body(function) is not None else function.get_definition()
