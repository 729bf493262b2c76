"""Building libraries, keeping them, and telling what is wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.tools.verilator import RtlSimulation, build_cosimulation, verilator
from hyq_hls.tools.verilator.compiler import Log, compile_objects, grouped
from hyq_hls.tools.verilator.optimization import MANY_CYCLES
from hyq_hls.tools.verilator.runtime import runtime_header, runtime_objects
from tests.tools.verilator.conftest import ADD_ONE, INPUT, OUTPUT, QUICK, frames


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The design in a folder whose name Verilator would expand."""
    (tmp_path / "a$HOME").mkdir()
    return Path(shutil.copy(ADD_ONE, tmp_path / "a$HOME"))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by the top's name with every build that is not answered from the folder."""
    built: list[str] = []
    real = verilator._build

    def build(files: list[Path], recipe: Any, *rest: Any) -> Path:
        built.append(recipe.top)
        return real(files, recipe, *rest)

    monkeypatch.setattr(verilator, "_build", build)
    return built


@pytest.fixture
def runtime(tmp_path: Path) -> list[Path]:
    """Small sources in the place of Verilator's own."""
    sources = [tmp_path / f"verilated{part}.cpp" for part in ("", "_threads")]
    for i, path in enumerate(sources):
        path.write_text(f"int variable{i};\n")
    return sources


def minus_one() -> str:
    """The design with another function."""
    text = ADD_ONE.read_text()
    assert text.count("])) + 1'b1;") == 1
    return text.replace("])) + 1'b1;", "])) - 1'b1;")


# --- the library ---


@pytest.mark.slow
def test_build_is_kept_until_something_changes(
    source: Path, tmp_path: Path, compiled: list[str]
) -> None:
    folder = tmp_path / "build"

    def build(**options: Any) -> Path:
        options = {"parameters": {"Beats": 4}, "flags": QUICK, **options}
        return build_cosimulation(source, "add_one", folder, **options)

    library = build()
    assert library == folder / "libadd_one.so"
    assert sorted(p.name for p in folder.iterdir()) == [
        "libadd_one.so",
        "verilator.log",
    ]
    first = library.stat()
    assert build() == library
    assert library.stat().st_mtime_ns == first.st_mtime_ns
    assert compiled == ["add_one"]

    source.write_text(minus_one())
    build()
    codes = frames(2)
    assert np.array_equal(RtlSimulation(library, INPUT, OUTPUT).run(codes).outputs, codes - 1)
    assert compiled == ["add_one"] * 2


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """As ``compiled``, but every build writes any bytes as its library; it keeps the recipes."""
    built: list[Any] = []

    def build(files: list[Path], recipe: Any, scratch: Path, *rest: Any) -> Path:
        built.append(recipe)
        library = scratch / "library.so"
        library.write_bytes(bytes(20_000))
        return library

    monkeypatch.setattr(verilator, "_build", build)
    return built


@pytest.mark.slow
def test_parameters_flags_and_damage_make_a_new_build(
    source: Path, tmp_path: Path, pretended: list[Any]
) -> None:
    def build(beats: int, *flags: str) -> Path:
        options: dict[str, Any] = {"parameters": {"Beats": beats}, "flags": flags}
        for _ in range(2):  # the second time the library is there
            library = build_cosimulation(source, "add_one", tmp_path / "build", **options)
        return library

    build(4)
    build(5)
    library = build(5, "-g0")
    assert len(pretended) == 3
    for damage in (library.read_bytes()[:5000], b""):
        library.write_bytes(damage)
        build(5, "-g0")
    assert len(pretended) == 5


@pytest.mark.slow
def test_few_cycles_are_not_worth_an_optimized_build(tmp_path: Path, pretended: list[Any]) -> None:
    def flags(cycles: int, *given: str) -> tuple[str, ...]:
        build_cosimulation(ADD_ONE, "add_one", tmp_path, cycles=cycles, flags=given)
        recipe: tuple[str, ...] = pretended[-1].flags
        return recipe

    assert flags(1_000) == ("-O0",)
    assert flags(700_000) == ("-O0",), "what is there takes no time to build"
    assert flags(MANY_CYCLES) == ("-O1",)
    assert flags(1_000) == ("-O1",)
    assert flags(1_000, "-O2") == ("-O2",)
    assert flags(1_000) == ("-O0",), "nobody knows how fast -O2 is"
    assert flags(MANY_CYCLES, "-g0") == ("-g0", "-O1")
    assert len(pretended) == 5


@pytest.mark.slow
def test_a_failed_build_leaves_the_old_library_out_of_use(
    source: Path, tmp_path: Path, compiled: list[str]
) -> None:
    good = source.read_text()
    build_cosimulation(source, "add_one", tmp_path / "build", flags=QUICK)
    source.write_text(good.replace("endmodule", "endmodul"))
    for _ in range(2):
        with pytest.raises(CompilationError):
            build_cosimulation(source, "add_one", tmp_path / "build", flags=QUICK)
    assert len(compiled) == 3
    source.write_text(good)
    build_cosimulation(source, "add_one", tmp_path / "build", flags=QUICK)
    assert len(compiled) == 3, "that of the good sources was still there"


@pytest.mark.slow
def test_two_libraries_live_in_one_process(tmp_path: Path) -> None:
    """Same class names, other sources: each keeps its own code and data."""
    changed = tmp_path / "other.sv"
    changed.write_text(minus_one())
    other = build_cosimulation(changed, "add_one", tmp_path / "b", flags=QUICK)
    plain = build_cosimulation(ADD_ONE, "add_one", tmp_path / "a", flags=QUICK)
    codes = frames(4)
    for _ in range(2):
        assert np.array_equal(RtlSimulation(plain, INPUT, OUTPUT).run(codes).outputs, codes + 1)
        assert np.array_equal(RtlSimulation(other, INPUT, OUTPUT).run(codes).outputs, codes - 1)


@pytest.mark.slow
def test_runtime_is_compiled_once_per_user_and_flags(
    runtime: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    log = Log(tmp_path / "log")
    first = runtime_objects(runtime, [], ["-O0"], tmp_path, log)
    assert [path.name for path in first] == ["verilated.o", "verilated_threads.o"]
    assert {path.parent.parent for path in first} == {tmp_path / "cache" / "hyq_hls"}
    assert all(path.is_file() for path in first)
    assert len(log.parts) == 2
    assert runtime_objects(runtime, [], ["-O0"], tmp_path, log) == first
    assert len(log.parts) == 2
    assert runtime_objects(runtime, [], ["-O1"], tmp_path, log) != first
    runtime[0].write_text("int changed;\n")
    assert runtime_objects(runtime, [], ["-O0"], tmp_path, log) != first
    assert len(list((tmp_path / "cache" / "hyq_hls").iterdir())) == 3, "no scratch is left"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_done_without(
    runtime: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    objects = runtime_objects(runtime, [], ["-O0"], tmp_path, Log(tmp_path / "log"))
    assert [path.name for path in objects] == ["verilated.o", "verilated_threads.o"]
    assert all(path.is_file() and path.parent.parent == tmp_path for path in objects)


@pytest.mark.slow
def test_the_compiled_header_is_read_and_made_anew_when_its_sources_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    log, source, headers = Log(tmp_path / "log"), tmp_path / "source.cpp", tmp_path / "headers"
    headers.mkdir()
    source.write_text("int f() { return variable; }\n")
    (headers / "own.h").write_text("static const int variable = 3;\n")
    flags = ["-O0", "-I", str(headers)]

    def ahead() -> list[str]:
        return runtime_header(["own.h"], headers, flags, tmp_path, log)

    include = ahead()
    assert ahead() == include
    assert len(log.parts) == 1
    Path(include[1]).write_text('#error "the compiled header is not read"\n')
    compile_objects([(source, [*flags, "-DOTHER=1", *include])], tmp_path, log)
    (headers / "own.h").write_text("static const int variable = 4;  // the design is new\n")
    os.utime(headers / "own.h", ns=(1, 1))
    assert ahead() != include


@pytest.mark.slow
def test_the_cache_forgets_what_nobody_used_for_a_week(
    runtime: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    log, cache = Log(tmp_path / "log"), tmp_path / "hyq_hls"
    old, used = (
        runtime_objects(runtime, [], [flag], tmp_path, log)[0].parent for flag in ("-O0", "-O1")
    )
    (cache / "notes").mkdir()
    for folder in (old, used, cache / "notes"):
        os.utime(folder, (1, 1))
    runtime_objects(runtime, [], ["-O1"], tmp_path, log)
    assert old.exists(), "only who adds something tidies up"
    new = runtime_objects(runtime, [], ["-O2"], tmp_path, log)[0].parent
    assert sorted(cache.iterdir()) == sorted([used, new, cache / "notes"])


def test_small_files_are_compiled_together(tmp_path: Path) -> None:
    sources = []
    for i, size in enumerate((100_000, 350_000, 900_000, 10, 20)):
        sources.append(tmp_path / f"source{i}.cpp")
        sources[-1].write_bytes(b" " * size)
    for cores, counts in ((1, [5]), (2, [2, 1, 2]), (64, [1, 1, 1, 2])):
        groups = [path.read_text() for path in grouped(sources, tmp_path, "group", cores)]
        assert [text.count("#include") for text in groups] == counts
        for source in sources:
            assert sum(f'#include "{source.name}"\n' in text for text in groups) == 1


@pytest.mark.slow
def test_a_quotation_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match="Verilator takes no text with a quotation mark"):
        build_cosimulation(ADD_ONE, "add_one", tmp_path, parameters={"Dir": 'a"b'})


# --- errors in what is built ---


@pytest.mark.slow
def test_errors_of_verilator_are_shown(source: Path, tmp_path: Path) -> None:
    source.write_text(
        source.read_text().replace("assign sum_wr_data = sum_q;", "assign sum_wr_data = nothing_q;")
    )
    with pytest.raises(CompilationError) as caught:
        build_cosimulation(source, "add_one", tmp_path / "build")
    message = str(caught.value)
    log = tmp_path / "build" / "verilator.log"
    assert f"verilator_bin failed, see {log}:" in message
    assert "%Error" in message
    assert "add_one.sv" in message
    assert "'nothing_q'" in message
    assert len(message.splitlines()) <= 6
    assert "%Error" in log.read_text()
    assert not (tmp_path / "build" / "libadd_one.so").exists()


@pytest.mark.slow
def test_warnings_are_errors(source: Path, tmp_path: Path) -> None:
    text = source.read_text().replace("sum_wr_data = sum_q;", "sum_wr_data = {1'b0, sum_q};")
    source.write_text(text)
    with pytest.raises(CompilationError, match=r"%Warning-WIDTHTRUNC: .*add_one\.sv"):
        build_cosimulation(source, "add_one", tmp_path / "build")


@pytest.mark.slow
def test_errors_of_the_compiler_are_shown(tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match=r"failed, see .*verilator\.log:\n.*no-such-flag"):
        build_cosimulation(ADD_ONE, "add_one", tmp_path, flags=("-no-such-flag",))


@pytest.mark.slow
@pytest.mark.parametrize("top", ["no_such_module", "no such name"])
def test_a_top_that_is_none(top: str, tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match=top):
        build_cosimulation(ADD_ONE, top, tmp_path)


def test_sources_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CompilationError, match=r"none found in .*/empty"):
        build_cosimulation(tmp_path / "empty", "add_one", tmp_path)
    with pytest.raises(CompilationError, match=r"nope\.sv does not exist"):
        build_cosimulation([ADD_ONE, tmp_path / "nope.sv"], "add_one", tmp_path)


@pytest.mark.slow
def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CompilationError, match=r"cannot build in .*file"):
        build_cosimulation(ADD_ONE, "add_one", tmp_path / "file")


def test_a_folder_gives_its_sources_in_order(tmp_path: Path) -> None:
    for name in ("b.sv", "a.v", "notes.txt", "c.svh"):
        (tmp_path / name).touch()
    assert [p.name for p in verilator.source_files(tmp_path)] == ["a.v", "b.sv"]


# --- the C++ around it ---


@pytest.mark.slow
def test_drivers_compile_without_warnings(tmp_path: Path) -> None:
    for driver in ("cosim_driver.cpp", "simulator_shim.cpp"):
        verilator.build_library(
            ADD_ONE,
            "add_one",
            tmp_path / driver,
            driver=driver,
            waves="fst" if driver == "simulator_shim.cpp" else "",
            definitions=["-DHYQ_WATCHED=nullptr"],
            configuration="`verilator_config\n",
            flags=("-O0", "-Wall", "-Wextra", "-Wno-unused", "-Wno-overloaded-virtual", "-Werror"),
        )
