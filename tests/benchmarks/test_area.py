"""benchmarks/area.py: records of real synthesis, kept; what cannot be mapped is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import area
from benchmarks.circuits import softmax
from hyq_hls.tools.yosys import mapping

FIELDS = {
    *("kind", "circuit", "regime", "n", "lut", "ff", "dsp", "bram18", "carry", "delay_ns"),
    *("cycles", "max_error", "mean_error"),
}


@pytest.mark.slow
def test_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {point.name: point for point in softmax.points()}
    good = points["softmax_linear_tight_16"]
    bad = replace(good, circuit="bad", parameters={**good.parameters, "Beats": 0})
    records = area.measure([good, bad], tmp_path)
    assert [row["circuit"] for row in records] == ["linear"]
    (row,) = records
    assert set(row) == FIELDS
    assert 100 < row["lut"] < 300
    assert row["dsp"] == row["bram18"] == 0
    assert 0 < row["mean_error"] < row["max_error"] < 0.5
    assert "softmax_bad_tight_16: Yosys failed" in capsys.readouterr().err
    # The second time nothing is synthesized.
    monkeypatch.setattr(mapping, "run_yosys", None)
    assert area.measure([good], tmp_path) == records


def test_sizes_that_no_circuit_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["area.py", "--kind", "softmax", "--n", "17"])
    with pytest.raises(SystemExit):
        area.main()
    assert "no circuit has --n [17]; there are [16, 64, 256]" in capsys.readouterr().err
