"""Wrong command lines: a row has a command, values for its ``{}``, and text of the message."""

from __future__ import annotations

from functools import partial

from benchmarks.situations.situation import Place, Situation, command

_QUANTIZE = "quantize --model model.py:small --images images.npy --output out.hyq"
_NUMBERS = "an integer from 2 to 16"

#: Command lines and a part of their message. Empty text: any message.
ROWS: tuple[tuple[str, tuple[object, ...], str], ...] = (
    ("{}", ("fly", "quantise", "--no-such-option", "3", "'convert net.hyq'"), "error"),
    ("", ("",), "required"),
    ("{}", ("verify", "cosim", "estimate", "evaluate"), "required"),
    ("{}", ("convert",), "one of a .hyq file and --model is wanted"),
    ("{} none.hyq", ("convert", "verify", "estimate"), "no such file"),
    ("{} half.hyq", ("convert", "verify", "estimate"), "damaged"),
    ("{} void.hyq", ("convert", "verify", "estimate"), "damaged"),
    ("{} images.npy", ("convert", "verify", "estimate"), "damaged"),
    ("{} notes", ("verify", "cosim", "estimate"), "is not a project"),
    ("cosim {}", ("none", "net.hyq", "images.npy"), "is not a project"),
    ("convert {}", ("notes", "net", "."), "a file is wanted"),
    ("convert net.hyq {}", ("extra", "--clock", "--part"), ""),
    ("convert net.hyq --part {}", ("xc7z21", "zynq", "''", "5", "XCVU999P"), "unknown part"),
    ("convert net.hyq --output p1 --clock-mhz {}", (0, -5, 1e6, "nan", "inf"), "clock"),
    ("convert net.hyq --clock-mhz {}", ("fast", "''", "1,5"), "invalid float"),
    ("convert net.hyq --output p2 --project {}", ("'a b'", "1a", "''", "é", "a-b", "../x"), "project name"),
    ("convert net.hyq --output p3 --project {}", ("int", "module", "hyq_net", "ap_int", "std"), "project name"),
    ("convert net.hyq --output p4 --project {}", ("a" * 65, "a" * 300), "project name"),
    ("convert net.hyq --output {}", ("notes", "images.npy", "net.hyq/p", "model.py", "net"), ""),
    ("convert net.hyq --overwrite --output {}", ("notes", "images.npy"), ""),
    ("convert net.hyq --output p5 --target-fps {}", (0, -1, "nan", 1e12), ""),
    ("convert net.hyq --output p6 --share {}", (0, -1, 2, "nan"), "share"),
    ("estimate net.hyq --part {}", ("xc7z21", "''"), "unknown part"),
    ("estimate net.hyq --report {}", ("no/report.json", "notes"), "cannot write"),
    ("estimate net --share {}", (0.5,), "is a project"),
    ("verify net.hyq --{}", ("rtl --images images.npy", "count 0", "trace 0", "count -3"), ""),
    ("verify net.hyq --images {}", ("none.npy", "text.npy", "scalar.npy", "flat.npy", "empty.npy"), ""),
    ("verify net.hyq --images images.npy --model {}", ("model.py:number", "model.py:none", "x"), ""),
    ("cosim net --count {}", (0, -1), "at least one image"),
    ("cosim net --images images.npy --idle {}", (1, -0.1, "nan"), "idle"),
    ("cosim net --images images.npy --backpressure {}", (1.5,), "backpressure"),
    ("cosim net --images images.npy --vcd {}", ("no/w.vcd", "notes"), "cannot write"),
    ("cosim net --images images.npy --report {}", ("no/r.json",), "cannot write"),
    (_QUANTIZE + " --weight-bits {}", (1, 17, -8), _NUMBERS),
    (_QUANTIZE + " --activation-bits {}", (0, 33), _NUMBERS),
    (_QUANTIZE + " --output-bits {}", (1,), _NUMBERS),
    (_QUANTIZE + " --softmax-bits {}", (1, 9), "softmax_bits"),
    (_QUANTIZE + " --weight-bits {}", ("many", "8.5"), "invalid int"),
    (_QUANTIZE + " --scale {}", ("octal",), "invalid choice"),
    (_QUANTIZE + " --calibration {}", (0, -5), "at least one image"),
    (_QUANTIZE + " --node-bits {}", ("4", "4=8", "=4/8", "4=4/40", "nothing=4/8"), ""),
    (_QUANTIZE + " --preset {}", ("bestest", "''"), ""),
    ("quantize --model {} --images images.npy", ("resnet50", "none.py:f", "model.py:none", "model.py:LIST"), ""),
    ("quantize --model {} --images images.npy", ("model.py:number", "model.py:fails", "syntax.py:f", ":f"), ""),
    ("quantize --model model.py:small --images {}", ("none.npy", "text.npy", "objects.npy", "named.npz"), ""),
    ("quantize --model model.py:small --images {}", ("scalar.npy", "flat.npy", "empty.npy", "nan.npy"), ""),
    ("quantize --model model.py:small --images {}", ("words.npy", "notes", "digits-none"), ""),
    (_QUANTIZE + " --output {}", ("no/out.hyq", "notes", "images.npy/x"), "cannot write"),
)  # fmt: skip


def lines() -> list[tuple[str, str]]:
    """Return every command line with its text."""
    return [(row.format(value), text) for row, values, text in ROWS for value in values]


def situations() -> list[Situation]:
    """Return all of them; none may be accepted."""
    return [
        Situation(line or "no command", partial(_act, line), text or ": error: ")
        for line, text in lines()
    ]


def _act(line: str, place: Place) -> None:
    command(place, line)
