"""hyq_packed_product: two products that share a DSP48E1, exact for every input."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hyq_hls.tools.verilator.compiler import Log
from hyq_hls.tools.yosys import run_yosys, yosys_share
from tests.stream.rtl.stream_bench import TEMPLATES, VERIF, bench_runtime, verilator

pytestmark = pytest.mark.slow

MODULE = "hyq_packed_product"
SOURCES = [str(TEMPLATES / f"{name}.sv") for name in (MODULE, "hyq_product")]
#: Bits of weight and operand, and its sign, to the DSP slices that two products take.
PACKED = {(8, 8, False): 1, (8, 8, True): 1, (4, 16, False): 1, (8, 9, False): 2}


def parameters(weight_bits: int, operand_bits: int, signed: bool) -> dict[str, int]:
    return {
        "WeightBits": weight_bits,
        "OperandBits": operand_bits,
        "OperandSigned": int(signed),
    }


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Verilator's runtime, which takes longer to compile than a model."""
    folder = tmp_path_factory.mktemp("runtime")
    include = Path(verilator()[1]["VERILATOR_ROOT"]) / "include"
    return list(map(str, bench_runtime(include, folder, Log(folder / "log"))))


def compile_cpp(arguments: list[str], folder: Path) -> None:
    compiler = shutil.which("g++")
    assert compiler is not None
    subprocess.run([compiler, "-std=c++17", "-O1", "-pthread", *arguments], cwd=folder, check=True)


def compiled(
    folder: Path, runtime: list[str], values: dict[str, int], sources: list[str], *flags: str
) -> Path:
    """The bench around the Verilated ``sources``."""
    binary, environment = verilator()
    subprocess.run(
        [str(binary), "--cc", "-O3", "--top-module", MODULE, "--Mdir", "model", *flags, *sources],
        cwd=folder,
        env=environment,
        check=True,
    )
    include = Path(environment["VERILATOR_ROOT"]) / "include"
    width = ("WEIGHT_BITS", "OPERAND_BITS", "OPERAND_SIGNED")
    defines = [f"-D{n}={v}" for n, v in zip(width, values.values(), strict=True)]
    # Verilator's headers take longer to compile than the model: it is one file with the bench.
    parts = [*sorted((folder / "model").glob("*.cpp")), VERIF / "products.cpp"]
    (folder / "unit.cpp").write_text("".join(f'#include "{part}"\n' for part in parts))
    includes = ["-Imodel", f"-I{include}", f"-I{include / 'vltstd'}"]
    compile_cpp(["-o", "products", *defines, *includes, "unit.cpp", *runtime], folder)
    return folder / "products"


def run(program: Path, inputs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), inputs], capture_output=True, text=True, check=False)


def generics(values: dict[str, int]) -> list[str]:
    return [f"-G{name}={value}" for name, value in values.items()]


@pytest.mark.parametrize(
    ("widths", "inputs"),
    [
        ((8, 8, False), "all"),
        ((8, 8, True), "all"),
        ((2, 2, True), "all"),
        ((3, 6, False), "all"),
        ((4, 16, True), "ends"),  # widest packed operand and multiplier
        ((4, 16, False), "ends"),
        ((8, 9, True), "ends"),  # too wide to be packed
    ],
)
def test_products_are_exact(
    widths: tuple[int, int, bool], inputs: str, runtime: list[str], tmp_path: Path
) -> None:
    values = parameters(*widths)
    result = run(compiled(tmp_path, runtime, values, SOURCES, *generics(values)), inputs)
    assert result.returncode == 0, result.stdout
    weights = 1 << widths[0] if inputs == "all" else 8
    assert int(result.stdout) == weights**2 << widths[1]


def test_a_seeded_error_is_seen(runtime: list[str], tmp_path: Path) -> None:
    """Without the constant, a negative product borrows from the other one."""
    values = parameters(4, 4, True)
    text = (TEMPLATES / f"{MODULE}.sv").read_text()
    assert text.count(" + (BothBits'(1) << (Shift - 1))") == 1
    wrong = tmp_path / f"{MODULE}.sv"
    wrong.write_text(text.replace(" + (BothBits'(1) << (Shift - 1))", ""))
    result = run(
        compiled(tmp_path, runtime, values, [str(wrong), SOURCES[1]], *generics(values)), "all"
    )
    assert result.returncode == 1
    assert "wrong products" in result.stdout


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of one run of Yosys over all of ``PACKED``: ``stat.json`` and ``netlist.v``."""
    folder = tmp_path_factory.mktemp("mapped")
    parts = [f"part{i}" for i in range(len(PACKED))]
    kept = "".join(f"(* keep *) {part} u_{part} ();\n" for part in parts)
    (folder / "kept.v").write_text(f"module kept;\n{kept}endmodule\n")
    commands = []
    for part, widths in zip(parts, PACKED, strict=True):
        values = " ".join(generics(parameters(*widths)))
        commands += [
            f"read_slang --top {MODULE} {values} {' '.join(SOURCES)}",
            f"rename {MODULE} {part}",
        ]
    commands += [
        "read_verilog kept.v",
        f"setattr -mod -set keep_hierarchy 1 {' '.join(parts)}",
        "synth_xilinx -family xc7 -flatten -noiopad -top kept",
        "tee -q -o stat.json stat -json",
        f"rename part0 {MODULE}",
        f"select {MODULE}",
        "write_verilog -noattr -selected netlist.v",
    ]
    run_yosys(commands, folder / "log", folder)
    return folder


@pytest.mark.parametrize("part", range(len(PACKED)))
def test_yosys_packs_two_products_into_one_dsp(part: int, mapped: Path) -> None:
    """Both additions are the DSP's own: no LUT beside it but for inverted sign bits."""
    modules = json.loads((mapped / "stat.json").read_text())["modules"]
    cells = modules[f"\\part{part}"]["num_cells_by_type"]
    assert cells.pop("DSP48E1") == list(PACKED.values())[part]
    assert not cells.keys() & {"CARRY4", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6"}


def test_the_cell_computes_the_products(mapped: Path, runtime: list[str], tmp_path: Path) -> None:
    """The netlist, with Yosys' model of a DSP48E1."""
    netlist, cells = str(mapped / "netlist.v"), str(yosys_share() / "xilinx" / "cells_sim.v")
    # What Verilator says about the models of the cells is not ours to mend.
    flags = ("-Wno-lint", "-Wno-SPECIFYIGN", "-Wno-INITIALDLY", "-Wno-COMBDLY")
    values = parameters(*next(iter(PACKED)))
    result = run(compiled(tmp_path, runtime, values, [netlist, cells], *flags), "ends")
    assert result.returncode == 0, result.stdout
    assert int(result.stdout) == 64 << 8
