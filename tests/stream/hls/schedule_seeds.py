"""Loops with one fault each for the schedule check, and loops without."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Seed:
    """A function with a loop, and what the check must say of it.

    Attributes:
        body: statements of the function, which reads ``data`` and writes ``res``.
        wanted: a part of the reason that the check gives; "" for a clean loop.
    """

    body: str
    wanted: str = ""


_SLOW = "a cycle of dependences takes"
#: Reads a word and writes it again; ``{}`` stands between.
_LOOP = """
Words:
    for (unsigned i = 0; i < 100; i++) {{
        HYQ_PIPELINE(1)
        const word_t in = data.read();
        word_t out = in;
{}
        res.write(out);
    }}"""

SEEDS = {
    "wide_counter": Seed(
        "unsigned count = 0;"
        + _LOOP.format("count = count + 1 < 77 ? count + 1 : 0; out[0] = count;"),
        _SLOW,
    ),
    "chained_sum": Seed(
        "hyq::exact<24> total = 0;"
        + _LOOP.format("total += in[0]; total += in[0] * 3; total += in[1]; total += in[1] * 5;")
        + "word_t last; last[0] = last[1] = total; res.write(last);",
        _SLOW,
    ),
    "missing_pipeline": Seed(
        _LOOP.format("").replace("HYQ_PIPELINE(1)", ""),
        "no PIPELINE, though it moves words",
    ),
    "two_reads": Seed(_LOOP.format("out[1] = data.read()[0];"), "2 reads of stream data"),
    "two_writes": Seed(_LOOP.format("res.write(in);"), "2 writes of stream res"),
    "three_ports": Seed(
        "hyq::exact<8> table[256];"
        + _LOOP.format(
            "table[i] = in[0]; out[0] = table[(unsigned char)in[0]];"
            "out[1] = table[(unsigned char)in[1]];"
        ),
        "3 words of table in an iteration",
    ),
    "lanes_in_one_memory": Seed(
        "hyq::exact<8> table[100][4];"
        + _LOOP.format("for (unsigned l = 0; l < 4; l++) { HYQ_UNROLL table[i][l] = in[l & 1]; }")
        + "word_t last; last[0] = table[in_order(data)][1]; last[1] = 0; res.write(last);",
        "4 words of table in an iteration",
    ),
    "three_ports_of_a_branch": Seed(
        "hyq::exact<8> table[256][2]; HYQ_RESHAPE(table, 2)"
        + _LOOP.format(
            "if (in[0] > 3) { table[i][0] = in[0]; table[i + 100][1] = in[1]; }"
            "else { table[i][0] = in[1]; table[i][1] = 5; }"
            "out[0] = table[(unsigned char)in[0]][1];"
        ),
        "3 words of table in an iteration",
    ),
    "comparison_in_root": Seed(
        "hyq::exact<27> rest = 1; const hyq::exact<26> divisor = data.read()[0];"
        + _LOOP.format(
            "const hyq::exact<27> less = rest - divisor; const bool fits = less > divisor;"
            "rest = hyq::exact<27>(fits ? less : rest) << 1; out[0] = fits;"
        ),
        _SLOW,
    ),
    "read_modify_write": Seed(
        "hyq::exact<24> sums[128];"
        + _LOOP.format(
            "const hyq::exact<24> sum = sums[(unsigned char)in[0] & 127] + in[1];"
            "sums[(unsigned char)in[0] & 127] = sum; out[0] = sum;"
        ),
        _SLOW,
    ),
    "false_claim": Seed(
        "hyq::exact<24> line[128]; line[0] = 0;"
        + _LOOP.format(
            "HYQ_NO_DEPENDENCE(line) const hyq::exact<24> sum = line[i] + in[1];"
            "line[i + 3] = sum; out[0] = sum;"
        )
        + "word_t last; last[0] = line[in_order(data)]; last[1] = 0; res.write(last);",
        "the DEPENDENCE claimed of line is wrong",
    ),
    "loop_inside": Seed(
        _LOOP.format("for (unsigned l = 0; l < 40; l++) { out[0] += data.read()[1]; }"),
        "a loop inside it is not unrolled",
    ),
}
CLEAN = {
    "narrow_counter": Seed(
        "hyq::exact<7, false> count = 0;"
        + _LOOP.format("if (count == 76) { count = 0; } else { count += 1; } out[0] = count;")
    ),
    "tree_sum": Seed(
        "hyq::exact<24> total = 0;"
        + _LOOP.format(
            "const hyq::exact<24> sum = (in[0] + in[0] * 3) + (in[1] + in[1] * 5); total += sum;"
        )
        + "word_t last; last[0] = last[1] = total; res.write(last);",
    ),
    "either_read": Seed(
        _LOOP.format("if (in[0] > 3) { res.write(in); } else { res.write(out); }").replace(
            "\n        res.write(out);", ""
        )
    ),
    "lanes_in_one_word": Seed(
        "hyq::exact<8> table[100][4]; HYQ_RESHAPE(table, 2)"
        + _LOOP.format("for (unsigned l = 0; l < 4; l++) { HYQ_UNROLL table[i][l] = in[l & 1]; }")
        + "word_t last; last[0] = table[in_order(data)][1]; last[1] = 0; res.write(last);"
    ),
    "sign_in_root": Seed(
        "hyq::exact<27> rest = 1; const hyq::exact<26> divisor = data.read()[0];"
        + _LOOP.format(
            "const hyq::exact<27> less = rest - divisor; const bool fits = less >= 0;"
            "rest = hyq::exact<27>(fits ? less : rest) << 1; out[0] = fits;"
        )
    ),
    "rom_of_the_caller": Seed(
        _LOOP.format("out[0] = rom[(unsigned char)in[0]] + rom[(unsigned char)in[1]] + rom[i];")
    ),
    "far_dependence": Seed(
        "hyq::exact<24> sums[128];"
        + _LOOP.format(
            "HYQ_DEPENDENCE(sums, 4)"
            "const hyq::exact<24> sum = sums[(unsigned char)in[0] & 127] + in[1];"
            "sums[(unsigned char)in[0] & 127] = sum; out[0] = sum;"
        )
    ),
    "many_reads_of_rom": Seed(
        "HYQ_ROM(rom)"
        + _LOOP.format(
            "out[0] = rom[(unsigned char)in[0]] + rom[(unsigned char)in[1]] + rom[255 - i];"
        )
    ),
}


#: A directive that stands in the caller, as it does in the top function of a project.
_CALLER = """
const hyq::exact<8> table[256] = {1};
void caller(hyq::stream<word_t> &data, hyq::stream<word_t> &res) {
    HYQ_ROM(table)
    rom_of_the_caller(data, res, table);
}"""


def program(names: Collection[str] = (*SEEDS, *CLEAN)) -> str:
    """C++ with a process per seed."""
    lines = [
        '#include "hyq/types.h"',
        "typedef hyq::word<hyq::exact<8>, 2> word_t;",
        "inline unsigned in_order(hyq::stream<word_t> &data) { return data.read()[0] & 63; }",
    ]
    seeds = SEEDS | CLEAN
    for name in names:
        lines.append(
            f"void {name}(hyq::stream<word_t> &data, hyq::stream<word_t> &res, "
            f"const hyq::exact<8> rom[256]) {{\n{seeds[name].body}\n}}"
        )
    if "rom_of_the_caller" in names:
        lines.append(_CALLER)
    return "\n".join([*lines, ""])
