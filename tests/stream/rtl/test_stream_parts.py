"""The stream parts under random stalls: words, order, cycles, handshake; and their lint."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stream.rtl.stream_bench import (
    PACKAGE,
    TEMPLATES,
    VERIF,
    Case,
    StreamBench,
    Traffic,
    Transfers,
    verilator,
)
from tests.stream.rtl.stream_cases import cases
from verif.formal.prove import run_yosys

CASES = {case.name: case for case in cases()}
FREE = Traffic(100, 100, 700)
TRAFFIC = {
    "balanced": Traffic(50, 50, 3000),
    "slow_source": Traffic(15, 90, 6000),
    "slow_sink": Traffic(95, 15, 7000),
    "reset_between": Traffic(60, 60, 3000, reset_cycle=101),
}
BROKEN = {"unstable", "waits_for_ready"}  # rules of the handshake
REGISTERED = ("hyq_register_slice", "hyq_fifo", "hyq_reorder_buffer")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> StreamBench:
    return StreamBench(list(CASES.values()), tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def free_run(bench: StreamBench) -> dict[str, Transfers]:
    return bench.run(FREE)


@pytest.fixture(scope="module", params=TRAFFIC)
def stalled_run(bench: StreamBench, request: pytest.FixtureRequest) -> dict[str, Transfers]:
    return bench.run(TRAFFIC[request.param], seed=7)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_lint_finds_nothing(case: Case, tmp_path: Path) -> None:
    binary, environment = verilator()
    values = [
        f"-G{name}={value}" if isinstance(value, int) else f'-G{name}="{value}"'
        for name, value in case.parameters.items()
    ]
    command = [str(binary), "--lint-only", "-Wall", "-y", str(TEMPLATES), str(PACKAGE), *values]
    result = subprocess.run(
        [*command, "--top-module", case.module, str(TEMPLATES / f"{case.module}.sv")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_yosys_reads_every_part(bench: StreamBench) -> None:
    read = f"read_slang --top bench -y {TEMPLATES} -y {VERIF} {PACKAGE} bench.sv"
    elaborated = [f"select -assert-any w:u_{name}.*" for name in CASES]
    log = run_yosys([read, "hierarchy -check -top bench", *elaborated], bench.folder)
    assert "0 errors, 0 warnings" in log


@pytest.mark.parametrize("name", CASES)
def test_every_word_comes_out_under_stalls(name: str, stalled_run: dict[str, Transfers]) -> None:
    transfers = stalled_run[name]
    assert transfers.outputs == CASES[name].outputs
    assert not transfers.seen & BROKEN
    assert len(transfers.in_cycles) == len(CASES[name].words)


@pytest.mark.parametrize("name", CASES)
def test_no_cycle_is_lost_without_stalls(name: str, free_run: dict[str, Transfers]) -> None:
    case, transfers = CASES[name], free_run[name]
    assert transfers.outputs == case.outputs
    assert transfers.in_cycles == list(case.in_cycles)
    assert transfers.out_cycles == [list(case.out_cycles)] * len(case.outputs)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.module in REGISTERED])
def test_both_sides_are_registered(name: str, free_run: dict[str, Transfers]) -> None:
    assert free_run[name].seen == set()


@pytest.mark.smoke
def test_paths_are_seen_where_they_are(free_run: dict[str, Transfers]) -> None:
    assert free_run["fork_5_2"].seen == {"ready_path", "valid_path"}


def test_buffers_fill_up_to_their_capacity(bench: StreamBench) -> None:
    accepted = {n: len(t.in_cycles) for n, t in bench.run(Traffic(100, 0, 300)).items()}
    for name, case in CASES.items():
        if case.module == "hyq_register_slice":
            assert accepted[name] == 2, name
        if case.module == "hyq_fifo":
            depth = case.parameters["Depth"]
            assert isinstance(depth, int)
            assert accepted[name] == (2 if depth <= 2 else depth + 1), name


# Seeded errors: a case, right text of its part, and wrong text.
SEEDED = {
    "unstable": ("fifo_5_3", "read || (out_valid_q && !out_ready_i)", "read"),
    "waits_for_ready": (
        "fifo_5_3",
        "out_valid_o = out_valid_q",
        "out_valid_o = out_valid_q && out_ready_i",
    ),
    "overflow": ("fifo_5_3", "in_ready_o = !full_q", "in_ready_o = 1'b1"),
    "spare": ("register_slice_5", "spare_valid_q ? spare_data_q : in_data_i", "in_data_i"),
    "twice": ("fork_5_3", "'0 : taken_q | out_ready_i", "'0 : taken_q"),
    "lanes": ("width_converter_5_2_6", "{in_data_i, stored_q}", "{stored_q, in_data_i}"),
    "enable": ("rom_1_33", "if (en_i) begin", "begin"),
    "round": ("replay_5_3", ".Count(Times)", ".Count(Times - 1)"),
    "read_ahead": ("replay_5_3", "read_address_i (next_beat_q)", "read_address_i (beat_q)"),
    "page": ("reorder_buffer_unfold", "read_ready && (", "("),
    "stride": ("reorder_buffer_unfold", "(Size[inner] - 1)", "Size[inner]"),
    "remainder": ("divider_9_3_9", "bit_of_quotient ? difference", "!bit_of_quotient ? difference"),
}


@pytest.fixture(scope="module")
def seeded_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Transfers]:
    seeded, sources = [], {}
    for seed, (name, right, wrong) in SEEDED.items():
        case = CASES[name]
        text = (TEMPLATES / f"{case.module}.sv").read_text(encoding="utf-8")
        assert text.count(right) == 1, seed
        module = f"{case.module}_{seed}"
        header = f"module {case.module} "
        assert header in text
        sources[module] = text.replace(right, wrong).replace(header, f"module {module} ")
        seeded.append(replace(case, name=seed, module=module))
    bench = StreamBench(seeded, tmp_path_factory.mktemp("seeded"), sources)
    return bench.run(TRAFFIC["slow_sink"])


@pytest.mark.parametrize("seed", SEEDED)
def test_a_seeded_error_is_seen(seed: str, seeded_run: dict[str, Transfers]) -> None:
    transfers = seeded_run[seed]
    if seed in BROKEN:
        assert seed in transfers.seen
    else:
        assert transfers.outputs != CASES[SEEDED[seed][0]].outputs
