"""Synthesis of modules: counted right, kept, and one failure does not hinder others."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.instances import instances
from hyq_hls.stream.synthesis import synthesize_design, template_job
from hyq_hls.tools.yosys import (
    Job,
    Utilization,
    count_cells,
    mapping,
    run_yosys,
    synthesize_module,
    synthesize_modules,
)
from tests.stream.hls.conftest import small_graph

SLICE = template_job("hyq_fifo", {"Width": 5, "Depth": 2})
FIFO = template_job("hyq_fifo", {"Width": 24, "Depth": 40})
WRONG = template_job("hyq_fifo", {"Width": 5, "Depth": 0})  # raises $error


class Bar:
    """What tqdm shows."""

    total: float | None = None
    count = 0.0

    def update(self, n: float | None = 1) -> None:
        self.count += n or 0


def no_yosys(commands: Sequence[str], log: Path, cwd: Path) -> None:
    raise AssertionError(f"nothing is to be synthesized, found {commands}")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the results of ``SLICE`` and ``FIFO``, each by itself; not to be changed."""
    folder = tmp_path_factory.mktemp("results")
    for job in (SLICE, FIFO):
        synthesize_module(job.sources, job.top, job.parameters, folder)
    return folder


@pytest.mark.smoke
@pytest.mark.slow
def test_known_circuits(results: Path) -> None:
    """A register slice has two words and two flags; LUT-RAM is counted, four LUTs for 3 bits."""
    found, memory = synthesize_modules([SLICE, FIFO], results)
    assert isinstance(found, Utilization)
    assert isinstance(memory, Utilization)
    assert (found.ff, found.dsp, found.bram18) == (2 * 5 + 2, 0, 0)
    assert found.lut >= 5
    assert memory.lut >= 4 * 24 // 3
    assert memory.bram18 == 0
    assert found.delay_ns > 0


@pytest.mark.slow
def test_one_by_one_and_together_give_the_same(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # with more, each has a run of its own
    bar = Bar()
    together = synthesize_modules([SLICE, FIFO, SLICE], tmp_path, bar)
    assert (bar.total, bar.count) == (2, 2)
    assert len(list(tmp_path.glob("*.log"))) == 1
    assert together == synthesize_modules([SLICE, FIFO, SLICE], results)


@pytest.mark.slow
def test_results_are_kept(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Bar()
    monkeypatch.setattr(mapping, "run_yosys", no_yosys)
    first = synthesize_modules([SLICE], results, bar)
    assert synthesize_modules([SLICE, SLICE], results, bar) == first * 2
    assert (bar.total, bar.count) == (1, 2)


@pytest.mark.slow
def test_one_failure_does_not_hinder_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # with more, each has a run of its own
    bad, good = synthesize_modules([WRONG, SLICE], tmp_path)
    assert isinstance(good, Utilization)
    assert isinstance(bad, CompilationError)
    assert "Depth is at least 1" in str(bad)
    with pytest.raises(CompilationError, match="Depth is at least 1"):
        synthesize_module(WRONG.sources, WRONG.top, WRONG.parameters, tmp_path)


def test_an_interrupted_run_loses_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [template_job("hyq_fifo", {"Width": 5, "Depth": depth}) for depth in (2, 3, 4)]
    batches: list[int] = []

    def synthesize(batch: Mapping[str, Job], folder: Path) -> None:
        batches.append(len(batch))
        if len(batches) == 2:
            raise KeyboardInterrupt
        for name, job in batch.items():
            mapping._store(folder / f"{name}.json", job, Utilization(lut=1), {})

    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(mapping, "_synthesize", synthesize)
    with pytest.raises(KeyboardInterrupt):
        synthesize_modules(jobs, tmp_path, batch=2)
    assert synthesize_modules(jobs, tmp_path, batch=2) == [Utilization(lut=1)] * 3
    assert batches == [2, 1, 1]


def test_damaged_result(tmp_path: Path) -> None:
    (tmp_path / f"{SLICE.name}.json").write_text("{")
    with pytest.raises(CompilationError, match=r"is damaged .*; remove it"):
        synthesize_modules([SLICE], tmp_path)


def test_unusable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CompilationError, match="cannot write to"):
        synthesize_modules([SLICE], tmp_path / "file")


def test_unknown_cells_are_no_nothing() -> None:
    cells = {
        "LUT6": 2,
        "RAM64M": 1,
        "RAM64X1S": 5,
        "SRL16E": 3,
        "DSP48E1": 1,
        "RAMB36E1": 1,
        "RAMB18E1": 1,
    }
    assert count_cells(cells) == Utilization(lut=14, dsp=1, bram18=3)
    with pytest.raises(CompilationError, match=r"cells \['URAM288'\] of the netlist are not known"):
        count_cells({"URAM288": 1})


@pytest.mark.slow
def test_design_is_the_sum_of_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = build_dataflow(small_graph(), {})
    write_rtl(flow, tmp_path / "rtl", "net")
    design = synthesize_design(flow, tmp_path / "rtl", tmp_path / "synthesis")
    assert list(design.operations) == list(flow.graph.nodes)
    total = sum([*design.operations.values(), *design.plumbing.values()], Utilization())
    assert design.total == total
    assert total.dsp == 3  # one product at a time in each of three dense layers
    kinds = {"AXI4-Stream ports", "FIFOs", "forks", "width converters"}
    assert set(design.plumbing) <= kinds
    everything = list(instances(flow))
    assert len(everything) == len(flow.stages) + len(flow.streams) + 2

    fails = "hyq_global_average_pool"
    run = run_yosys

    def failing(commands: Sequence[str], log: Path, cwd: Path) -> None:
        if f"  {fails} #(" in (cwd / "batch.sv").read_text():
            raise CompilationError("Yosys ran out of memory")
        run(commands, log, cwd)

    shutil.copytree(tmp_path / "synthesis", tmp_path / "again")
    for result in (tmp_path / "again").glob(f"{fails}-*.json"):
        result.unlink()
    monkeypatch.setattr(mapping, "run_yosys", failing)
    message = rf"1 of \d+ modules were not synthesized: pool \({fails}\); .* ran out of memory"
    with pytest.raises(CompilationError, match=message):
        synthesize_design(flow, tmp_path / "rtl", tmp_path / "again")
    monkeypatch.setattr(mapping, "run_yosys", run)
    assert synthesize_design(flow, tmp_path / "rtl", tmp_path / "again") == design
