"""Generated C++ as LLVM IR in which loops, streams and directives can still be told apart."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from pathlib import Path

from verif.clang import BITINT, ClangError, run_clang

_INCLUDE = Path(__file__).resolve().parent / "include"
#: Vitis HLS wants a directive in the body of its loop, clang wants it before the loop.
_UNROLLED = re.compile(r"\bfor \(([^{}]*)\) \{(\s*)HYQ_UNROLL\b")
#: LLVM inlines a function that has loops with directives only if nobody else can call it.
_INLINE = re.compile(r"^inline\b", re.MULTILINE)
#: LLVM puts the constants of a caller into a process only if nobody else can call it. So does an
#: HLS compiler with constant memories of one entry.
_PROCESS = re.compile(r"^void (?=\w+\()", re.MULTILINE)
_ONLY_HERE = "static __attribute__((noinline)) void "
_FLAGS = (
    *("-O2", "-w", "-S", "-emit-llvm", "-D__SYNTHESIS__", "-DHYQ_SCHEDULE"),
    *("-gline-tables-only", "-fno-discard-value-names", "-fno-exceptions"),
    # Sums and loops stay as they are written. Only loops whose directive says so are unrolled.
    *("-fno-unroll-loops", "-fno-vectorize", "-fno-slp-vectorize", "-fno-builtin"),
    *("-mllvm", "-opt-disable=reassociate"),
    # Stores to two parts of a split memory stay two, each with a constant part.
    *("-mllvm", "-simplifycfg-sink-common=false"),
    *("-mllvm", "-indvars-widen-indvars=false", "-mllvm", "-pragma-unroll-threshold=1000000"),
    # Processes stay functions; everything that is marked inline becomes a part of its process.
    *("-finline-hint-functions", "-mllvm", "-inline-threshold=1000000"),
)


def project_ir(firmware: Path, source: str, *, with_constants: bool = False) -> str:
    """Return the LLVM IR of a project's C++.

    Args:
        firmware: folder with the C++ and the templates in ``hyq/``.
        source: name of the C++ file in it.
        with_constants: put the values of constant memories into the processes that read them, as
            an HLS compiler does; else every process stands for itself.

    Raises:
        ClangError: the C++ does not compile, a directive to unroll stands at a wrong place, or the
            pinned clang is not installed. Another version would give other figures.
    """
    if importlib.util.find_spec("ziglang") is None:
        raise ClangError("the clang of the package ziglang is wanted: pip install ziglang")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "firmware"
        _copy(firmware, copy)
        for folder in (firmware / "hyq", firmware / "hyq" / "engine"):
            if folder.is_dir():
                _copy(folder, copy / folder.relative_to(firmware))
        for path in (copy / "hyq").glob("*.h") if with_constants else ():
            text = path.read_text(encoding="utf-8")
            path.write_text(_PROCESS.sub(_ONLY_HERE, text), encoding="utf-8")
        if (firmware / "weights").exists():
            (copy / "weights").symlink_to((firmware / "weights").resolve())
        result = copy / "top.ll"
        include = [f"-I{folder}" for folder in (BITINT, _INCLUDE, copy)]
        # Places in the project are relative to this folder, those in our own headers are not.
        run_clang([*_FLAGS, *include, source, "-o", result], copy)
        return result.read_text(encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    """Copy C++ files with directives that clang understands; lines keep their numbers."""
    target.mkdir(parents=True)
    for path in (p for p in source.iterdir() if p.suffix in (".h", ".cpp")):
        text = _UNROLLED.sub(r"HYQ_UNROLL for (\1) {\2", path.read_text(encoding="utf-8"))
        text = _INLINE.sub("static inline", text)
        if path.name == "target.h":
            text = re.sub(r"#endif\s*$", '#include "directives.h"\n#endif\n', text)
        elif wrong := re.search(r"^\s*HYQ_UNROLL\s*$", text, re.MULTILINE):
            line = text.count("\n", 0, wrong.end()) + 1
            raise ClangError(f"{path}:{line}: HYQ_UNROLL must come first in the body of its loop")
        (target / path.name).write_text(text, encoding="utf-8")
