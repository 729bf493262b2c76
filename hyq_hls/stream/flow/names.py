"""Identifiers of C++ and SystemVerilog for the names of a graph."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Words of C++ and SystemVerilog, names that the generated files use themselves, common macros.
_WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
class compl const const_cast constexpr continue decltype default delete do double dynamic_cast
else enum explicit export extern false float for friend goto if inline int long mutable namespace
new noexcept not not_eq nullptr operator or or_eq private protected public register
reinterpret_cast return short signed sizeof static static_assert static_cast struct switch
template this thread_local throw true try typedef typeid typename union unsigned using virtual
void volatile wchar_t while xor xor_eq hyq hls nnet input result std main assert errno null eof
stdin stdout stderr
accept_on alias always always_comb always_ff always_latch assign assume automatic before begin bind
bins bit buf bufif0 bufif1 byte casex casez cell chandle checker clocking cmos config constraint
context cover covergroup coverpoint cross deassign defparam design disable dist edge end endcase
endfunction endgenerate endmodule endtask event eventually expect extends final first_match force
foreach forever fork forkjoin function generate genvar global highz0 highz1 iff ifnone implements
implies import incdir include initial inout inside instance integer interconnect interface intersect
join join_any join_none large let liblist library local localparam logic longint macromodule
matches medium modport module nand negedge nettype nexttime nmos nor noshowcancelled notif0 notif1
null output package packed parameter pmos posedge primitive priority program property pull0 pull1
pulldown pullup pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release
repeat restrict rnmos rpmos rtran rtranif0 rtranif1 scalared sequence shortint shortreal
showcancelled small soft solve specify specparam string strong strong0 strong1 super supply0 supply1
sync_accept_on sync_reject_on table tagged task time timeprecision timeunit tran tranif0 tranif1
tri tri0 tri1 triand trior trireg type unique unique0 unsized until until_with untyped use uwire var
vectored wait wait_order wand weak weak0 weak1 wildcard wire with within wor xnor
aclk aresetn frame_errors s_axis m_axis
"""
_RESERVED = frozenset(_WORDS.split())
#: Macros of target.h begin with HYQ_, our SystemVerilog modules with hyq_, and the vendor's types
#: and ports with ap_.
_PREFIXES = ("hyq_", "ap_")
#: Identifiers are names of files too, whose names have 255 bytes; endings are appended to them.
_MOST_LETTERS = 96


def is_reserved(name: str) -> bool:
    """Return whether generated code must give ``name`` to nothing; case makes no difference."""
    return name in _RESERVED or name.lower() in _RESERVED or name.lower().startswith(_PREFIXES)


def comment(text: str) -> str:
    """Return ``text`` as a part of one comment line of C++, SystemVerilog or a shell script.

    Names and metadata may come from a file that somebody else made: no line break, backslash or
    trigraph in them may end the comment or continue it.
    """
    return re.sub(r"[^\w .,:()\[\]/+*-]", "_", text)


def identifiers(names: Iterable[str], suffixes: Iterable[str] = ()) -> dict[str, str]:
    """Map names such as ``stages.0.0.conv`` to distinct identifiers, readably and stably.

    They differ in more than case, because some are names of files too.

    Args:
        names: distinct names.
        suffixes: the generated files call types and memories ``<identifier>_<suffix>``, so no
            identifier is one of another's.
    """
    endings = tuple(f"_{suffix}" for suffix in suffixes)
    bases = {name: _base(name) for name in names}
    stems = {base.lower() for base in bases.values()}
    taken: set[str] = set()
    mapping = {}
    for name, base in bases.items():
        identifier, count = base, 1
        while _clashes(identifier.lower(), taken, stems, endings):
            count += 1
            identifier = f"{base}_{count}"
        taken.add(identifier.lower())
        stems.add(identifier.lower())
        mapping[name] = identifier
    return mapping


def _base(name: str) -> str:
    base = re.sub(r"[^A-Za-z0-9]+", "_", name)[: _MOST_LETTERS + 1].strip("_") or "node"
    return f"n_{base}" if base[0].isdigit() or is_reserved(base) else base


def _clashes(identifier: str, taken: set[str], stems: set[str], endings: tuple[str, ...]) -> bool:
    """Return whether it is taken, belongs to another identifier, or owns one that is taken."""
    return (
        identifier in taken
        or any(identifier.endswith(e) and identifier[: -len(e)] in stems for e in endings)
        or any(identifier + ending in taken for ending in endings)
    )
