"""Headers and generated projects compile without a warning: native, bit-accurate, synthesis."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from hyq_hls.support import template_dir
from tests.stream.hls.hybrid import write_hybrid

pytestmark = pytest.mark.slow

#: Pragmas and labels are for Vitis HLS. ap_types are system headers, but two warnings about them
#: appear where our code inlines them: their constructors read what they are about to set.
WARNINGS = (
    *("-std=c++14", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"),
    *("-Wno-uninitialized", "-Wno-maybe-uninitialized"),
)
#: Includes before the code. The open ap_types refuse __SYNTHESIS__, so it is defined after them.
MODES = {
    "native": "",
    "bit-accurate": "#define HYQ_BIT_ACCURATE\n",
    "synthesis": "#define __SYNTHESIS__\n",
}
HEADERS = sorted(path.name for path in template_dir().glob("*.h"))


@dataclass(frozen=True)
class Compiler:
    """g++ with the vendor's types compiled ahead, which is most of the work for a small header."""

    project: Path
    ahead: Path

    def errors(self, source: Path, mode: str) -> str:
        """What g++ says about ``source`` in one of the modes."""
        define = self.ahead / f"{mode}.h"
        define.write_text(MODES[mode])
        firmware = self.project / "firmware"
        types = ["-isystem", str(firmware / "ap_types"), "-I", str(firmware)]
        headers = ["-I", str(self.ahead), "-include", "types_ahead.h", "-include", str(define)]
        return gxx(*headers, *types, "-Winvalid-pch", "-fsyntax-only", "-x", "c++", str(source))

    def errors_of_the_optimizer(self, source: Path) -> str:
        """What g++ says when it makes native code: warnings that follow the control flow too."""
        firmware = self.project / "firmware"
        types = ["-isystem", str(firmware / "ap_types"), "-I", str(firmware)]
        return gxx(*types, "-O2", "-c", str(source), "-o", str(self.ahead / "native.o"))


def gxx(*arguments: str) -> str:
    """Standard error of g++, empty when all is well."""
    command = ["g++", *WARNINGS, *arguments]
    english = {**os.environ, "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=english)
    assert bool(result.returncode) == bool(result.stderr), result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    folder = tmp_path_factory.mktemp("headers")
    project = write_hybrid(folder / "project")
    types = folder / "types_ahead.h"
    types.write_text('#include "ap_int.h"\n#include "hls_stream.h"\n')
    include = ["-isystem", str(project / "firmware" / "ap_types")]
    assert gxx(*include, "-x", "c++-header", str(types), "-o", f"{types}.gch") == ""
    types.write_text('#error "the header that was compiled ahead is not used"\n')
    return Compiler(project, folder)


@pytest.mark.parametrize("header", HEADERS)
def test_header_compiles_on_its_own(compiler: Compiler, header: str) -> None:
    """What it includes depends on no mode; the project below has all of them."""
    # Included by a source file: g++ warns of unused inline functions only in a main file.
    source = compiler.ahead / f"{header}.cpp"
    source.write_text(f'#include "hyq/{header}"\n')
    assert compiler.errors(source, "native") == ""


@pytest.mark.parametrize("mode", ["bit-accurate", "synthesis"])
def test_generated_project_compiles(compiler: Compiler, mode: str) -> None:
    """Templates warn when they are instantiated."""
    assert compiler.errors(compiler.project / "firmware" / "hybrid.cpp", mode) == ""


def test_generated_project_compiles_to_native_code(compiler: Compiler) -> None:
    source = compiler.project / "firmware" / "hybrid.cpp"
    assert compiler.errors_of_the_optimizer(source) == ""


def test_headers_bring_the_types_they_use(compiler: Compiler) -> None:
    """Without anything compiled ahead; every header includes target.h, directly or not."""
    firmware = compiler.project / "firmware"
    types = ["-isystem", str(firmware / "ap_types"), "-fsyntax-only", "-x", "c++"]
    assert gxx(*types, str(firmware / "hyq" / "requantize.h")) == ""
    for header in HEADERS:
        reached, waiting = set(), [header]
        while waiting:
            name = waiting.pop()
            reached.add(name)
            text = (template_dir() / name).read_text()
            waiting += [h for h in HEADERS if f'#include "{h}"' in text and h not in reached]
        assert "target.h" in reached, f"{header} does not include target.h"


def test_one_header_knows_the_target(compiler: Compiler) -> None:
    """Another HLS compiler is another target.h; headers and generated code are the same."""
    firmware = compiler.project / "firmware"
    written = [*template_dir().glob("*.h"), *firmware.glob("*.h"), *firmware.glob("*.cpp")]
    assert len(written) > len(HEADERS)
    for path in written:
        found = re.findall(r"#pragma|_Pragma|\bhls::|\bap_u?int\b", _code(path.read_text()))
        assert bool(found) == (path.name == "target.h"), f"{path.name}: {found}"


def _code(text: str) -> str:
    """C++ without its comments."""
    return re.sub(r"//.*", "", text)


@pytest.mark.parametrize(
    ("code", "warning"),
    [
        ("inline int f(int unused) { return 1; }", "unused parameter"),
        (
            "template <int n> bool f(int i) { return i < unsigned(n); }\nbool g = f<3>(1);",
            "comparison of integer expressions of different signedness",
        ),
        ("ap_int<8> f() { return undeclared; }", "'undeclared' was not declared"),
    ],
)
def test_warnings_are_errors(compiler: Compiler, code: str, warning: str) -> None:
    source = compiler.ahead / "faulty.cpp"
    source.write_text(f'#include "hyq/types.h"\n{code}\n')
    assert warning in compiler.errors(source, "native")


def test_warnings_of_the_optimizer_are_errors(compiler: Compiler) -> None:
    source = compiler.ahead / "flow.cpp"
    source.write_text("int a[2];\nint f() { return a[2]; }\nint g(int i) { if (i) return 1; }\n")
    found = compiler.errors_of_the_optimizer(source)
    assert "is above array bounds" in found
    assert "control reaches end of non-void function" in found


def test_modes_differ(compiler: Compiler) -> None:
    """Each mode sees its own types, so that three modes check three things."""
    source = compiler.ahead / "mode.cpp"
    source.write_text('#include "hyq/types.h"\nhyq::integer<9> x = 0;\nint n = x.length();\n')
    assert "non-class type" in compiler.errors(source, "native")
    assert compiler.errors(source, "bit-accurate") == compiler.errors(source, "synthesis") == ""
