"""The HLS pragmas of the Vitis HLS user guide (UG1399) that these templates may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Where a pragma stands: directly in the body of a loop, of a function, of either, or anywhere in
#: the function that owns the variable it names.
LOOP, FUNCTION, EITHER, ANYWHERE = "loop", "function", "loop or function", "function that owns"

NAME, NUMBER = "a name", "a number"
Value = str | tuple[str, ...]


@dataclass(frozen=True)
class Pragma:
    """One pragma: its place and its options.

    Args:
        scope: where it may stand.
        options: values of ``name=value`` options; a tuple lists the words that are allowed.
        positional: words that may stand alone (the older form of an option, or a switch).
        required: options that must be there.
    """

    scope: str
    options: Mapping[str, Value] = field(default_factory=dict)
    positional: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()


_PARTITION = Pragma(
    ANYWHERE,
    {
        "variable": NAME,
        "type": ("cyclic", "block", "complete"),
        "factor": NUMBER,
        "dim": NUMBER,
        "off": ("true", "false"),
    },
    frozenset({"cyclic", "block", "complete"}),
    ("variable",),
)

PRAGMAS: dict[str, Pragma] = {
    "AGGREGATE": Pragma(
        ANYWHERE,
        {"variable": NAME, "compact": ("bit", "byte", "none", "auto")},
        required=("variable",),
    ),
    "ARRAY_PARTITION": _PARTITION,
    "ARRAY_RESHAPE": Pragma(
        ANYWHERE, _PARTITION.options, _PARTITION.positional | {"object"}, ("variable",)
    ),
    "BIND_OP": Pragma(
        ANYWHERE,
        {
            "variable": NAME,
            "op": ("mul", "add", "sub"),
            "impl": ("dsp", "fabric"),
            "latency": NUMBER,
        },
        required=("variable", "op"),
    ),
    "BIND_STORAGE": Pragma(
        ANYWHERE,
        {
            "variable": NAME,
            "type": (
                *("fifo", "ram_1p", "ram_1wnr", "ram_2p", "ram_s2p", "ram_t2p"),
                *("rom_1p", "rom_2p", "rom_np"),
            ),
            "impl": ("bram", "bram_ecc", "lutram", "uram", "uram_ecc", "srl", "memory", "auto"),
            "latency": NUMBER,
        },
        required=("variable", "type"),
    ),
    "DATAFLOW": Pragma(EITHER, positional=frozenset({"disable_start_propagation"})),
    "DEPENDENCE": Pragma(
        ANYWHERE,
        {
            "variable": NAME,
            "class": ("array", "pointer"),
            "type": ("inter", "intra"),
            "direction": ("raw", "war", "waw"),
            "distance": NUMBER,
            "dependent": ("true", "false"),
        },
        frozenset({"inter", "intra", "raw", "war", "waw", "true", "false", "array"}),
        ("variable",),
    ),
    "DISAGGREGATE": Pragma(ANYWHERE, {"variable": NAME}, required=("variable",)),
    "INLINE": Pragma(FUNCTION, positional=frozenset({"off", "recursive"})),
    "INTERFACE": Pragma(
        FUNCTION,
        {
            "mode": (
                *("axis", "m_axi", "s_axilite", "ap_none"),
                *("ap_ctrl_none", "ap_ctrl_hs", "ap_ctrl_chain"),
            ),
            "offset": ("off", "direct", "slave"),
            "port": NAME,
            "register_mode": ("both", "forward", "reverse", "off"),
        },
        frozenset(
            {"axis", "ap_none", "s_axilite", "ap_ctrl_none", "ap_ctrl_hs", "ap_ctrl_chain"}
            | {"register"}
        ),
        ("port",),
    ),
    "LATENCY": Pragma(EITHER, {"min": NUMBER, "max": NUMBER}),
    "LOOP_FLATTEN": Pragma(LOOP, positional=frozenset({"off"})),
    "LOOP_TRIPCOUNT": Pragma(
        LOOP, {"min": NUMBER, "max": NUMBER, "avg": NUMBER}, required=("max",)
    ),
    "PIPELINE": Pragma(
        EITHER,
        {"ii": NUMBER, "style": ("stp", "flp", "frp")},
        frozenset({"off", "rewind"}),
    ),
    "STABLE": Pragma(FUNCTION, {"variable": NAME}, required=("variable",)),
    "STREAM": Pragma(
        ANYWHERE,
        {"variable": NAME, "depth": NUMBER, "type": ("fifo", "pipo", "shared", "unsync")},
        required=("variable",),
    ),
    "UNROLL": Pragma(
        LOOP,
        {"factor": NUMBER, "off": ("true", "false")},
        frozenset({"skip_exit_check"}),
    ),
}
