"""Tables of the accuracy benchmark on made-up records: means, winners, gaps, errors, goals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _accuracy_goals, figure_accuracy
from benchmarks import _accuracy_tables as tables
from benchmarks._ablations import ABLATIONS, EXCHANGED
from benchmarks._accuracy_spread import spread_tables
from benchmarks._pages import with_section
from benchmarks.figure_accuracy import BEGIN, END
from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.quant.presets import best


def record(preset: str, drop: float, sqnr: float | None = 20.0, **others: Any) -> dict[str, Any]:
    key = {"model": "a", "variant": "plain", "preset": preset, "setting": "W8A8", "seed": 0}
    values = {"top1": 90 - drop, "drop": drop, "sqnr_db": sqnr, "seconds": 2.0, "images": 100}
    return {**key, **values, **others}


def failed(preset: str, **others: Any) -> dict[str, Any]:
    key = {"model": "a", "variant": "plain", "preset": preset, "setting": "W8A8", "seed": 0}
    return {**key, "error": "QuantizationError: no table", **others}


def row_of(lines: Iterable[str], name: str) -> list[str]:
    (line,) = (line for line in lines if line.startswith(f"| `{name}` |"))
    return [part.strip() for part in line.strip("|").split("|")]


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records), "utf-8")
    return path


def test_a_mean_is_over_networks_and_their_seeds_count_once() -> None:
    records = [
        record("omse", 1.0),
        record("omse", 2.0, seed=1),
        record("omse", 3.0, seed=2),
        record("omse", 6.0, model="b"),
    ]
    found = tables.cell(records, "omse", "W8A8", "plain", "drop")
    assert found.values == {"a": 2.0, "b": 6.0}
    assert found.mean == 4.0
    assert found.complete
    assert found.text(2) == "4.00"


def test_the_winner_is_bold_whoever_it_is() -> None:
    records = [
        record("minmax", 0.5, 30.0),
        record("best", 0.4, 29.0),
        record("brevitas-layerwise", 0.1, 28.0),
    ]
    lines = tables.setting_table(records, "W8A8")
    assert lines[0].split(" | ")[3:] == ["points lost, plain", "SQNR [dB], plain", "s |"]
    assert row_of(lines, "minmax")[3:] == ["0.50", "**30.0**", "2"]
    assert row_of(lines, "best")[1:4] == ["yes", "yes", "0.40"]
    assert row_of(lines, "brevitas-layerwise")[1:4] == ["no: functions in float", "no", "**0.10**"]
    assert row_of(lines, "minmax")[1:3] == ["yes", "no"]


def test_what_prints_alike_wins_together() -> None:
    lines = tables.setting_table([record("minmax", 0.101), record("best", 0.104)], "W8A8")
    assert [row_of(lines, name)[3] for name in ("minmax", "best")] == ["**0.10**"] * 2


def test_missing_networks_are_counted_and_do_not_win() -> None:
    records = [
        record("minmax", 0.5),
        record("minmax", 0.7, model="b"),
        record("best", 0.1),
        record("best", 0.2, setting="W6A6"),
        record("omse", 0.3, variant="natural"),
    ]
    lines = tables.setting_table(records, "W8A8")
    assert row_of(lines, "minmax")[3:5] == ["**0.60**", "-"]
    assert row_of(lines, "best")[3:5] == ["0.10 (1 of 2)", "-"]
    assert row_of(lines, "omse")[3:5] == ["-", "0.30 (1 of 2)"]


def test_a_network_apart_has_its_own_table_and_no_part_in_means() -> None:
    others = [record("omse", 9.0, model="long80"), record("best", 8.0, model="long80")]
    lines = figure_accuracy.report([record("omse", 1.0), *others]).splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("### ")]
    assert lines[heads[0]] == "### W8A8"
    assert row_of(lines[heads[0] : heads[1]], "omse")[3] == "**1.00**"
    assert lines[heads[1]] == "### Rows of attention of 100 and 25: `long80`, W8A8"
    assert row_of(lines[heads[1] : heads[2]], "best")[3] == "**8.00**"
    assert "at most 1.00" not in "".join(lines[heads[2] :])


def test_errors_are_shown_with_a_footnote() -> None:
    records = [
        failed("hyq"),
        record("minmax", 0.5),
        record("minmax", 0.7, model="b"),
        record("omse", 0.1),
        failed("omse", model="b"),
    ]
    lines = tables.setting_table(records, "W8A8")
    assert row_of(lines, "omse")[3] == "0.10 (1 of 2) <sup>1</sup>"
    assert row_of(lines, "hyq")[3] == "error <sup>2</sup>"
    assert row_of(lines, "minmax")[3] == "**0.60**"
    assert "<sup>1</sup> `omse` on b: QuantizationError: no table" in lines
    assert "<sup>2</sup> `hyq` on a: QuantizationError: no table" in lines


def test_equal_logits_have_infinite_sqnr() -> None:
    lines = tables.setting_table([record("minmax", 0.0, None), record("best", 0.0, 40.0)], "W8A8")
    assert row_of(lines, "minmax")[4] == "**inf**"


def test_a_duel_counts_what_both_have() -> None:
    records = [
        record("best", 0.2, 25.0),
        record("best", 1.0, 20.0, model="b"),
        record("best", 9.0, setting="W6A6"),
        record("omse", 0.5, 24.0),
        record("omse", 0.9, 22.0, model="b"),
        failed("omse", setting="W6A6"),
        record("omse", 50.0, model="c"),
    ]
    found = _accuracy_goals.duel(records, "omse")
    assert sorted(found.drop) == [-0.1, 0.3]
    assert sorted(found.sqnr_db) == [-2.0, 1.0]
    assert found.text() == "+0.10 (1 : 1)"
    assert row_of(_accuracy_goals.duel_table(records), "omse")[1:] == [
        "+0.10 (1 : 1)",
        "-",
        "+0.10 (1 : 1)",
    ]


def test_seeds_of_a_row_count_once() -> None:
    records = [
        *(record("best", 0.2, 25.0, seed=seed) for seed in range(3)),
        *(record("omse", 0.2 + seed / 10, 22.0 + seed, seed=seed) for seed in range(3)),
        record("best", 1.0, 20.0, model="b"),
        record("omse", 0.7, 21.0, model="b"),
        record("omse", 9.0, 1.0, model="b", seed=1),
    ]
    found = _accuracy_goals.duel(records, "omse")
    assert found.drop == [0.1, -0.3]
    assert found.sqnr_db == [2.0, -1.0]
    assert found.text() == "-0.10 (1 : 1)"


def test_parts_of_ours_have_a_table_of_their_own() -> None:
    records = [
        record("best", 0.2, 25.0),
        record("best", 0.5, 19.0, setting="W6A6"),
        record("best-dyadic", 0.3, 24.5),
        record("best-dyadic", 0.4, 19.5, setting="W6A6"),
        record("best-per-tensor", 0.7, 18.0, setting="W6A6"),
    ]
    assert tables.presets_of(records) == ["best"]
    lines = _accuracy_goals.ablation_table(records)
    assert row_of(lines, "best-dyadic")[2:] == ["+0.10", "+0.50", "-0.10", "-0.50", "2"]
    assert row_of(lines, "best-per-tensor")[2:] == ["-", "-", "+0.20", "+1.00", "1"]
    assert "### Parts of `best`" in figure_accuracy.report(records)
    assert _accuracy_goals.ablation_table(records[:2]) == []
    assert "### Parts" not in figure_accuracy.report(records[:2])


def test_seeds_have_a_mean_and_a_standard_deviation() -> None:
    records = [
        record("best", 0.1, 25.0),
        record("best", 0.3, 26.0, seed=1),
        record("best", 0.5, 27.0, seed=2),
        record("best", 0.7, 20.0, setting="W6A6"),
        record("omse", 1.0, 20.0, setting="W6A6"),
        record("omse", 1.0, None, setting="W6A6", seed=1),
        record("minmax", 3.0),
        failed("omse", seed=1),
    ]
    lines = spread_tables(records)
    assert [line for line in lines if "`a`" in line] == [
        "Points of top-1 lost, `a`:",
        "SQNR [dB], `a`:",
    ]
    drops, ratios = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    assert row_of(drops, "best")[1:] == ["0.30 ± 0.20 (3)", "-"]
    assert row_of(drops, "omse")[1:] == ["-", "1.00 ± 0.00 (2)"]
    assert row_of(ratios, "best")[1:] == ["26.0 ± 1.0 (3)", "-"]
    assert row_of(ratios, "omse")[1:] == ["-", "inf"]
    assert "minmax" not in "".join(lines)
    assert "### Seeds" in figure_accuracy.report(records)
    assert spread_tables(records[3:5]) == []
    assert "### Seeds" not in figure_accuracy.report(records[3:5])


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_part_exchanged_is_another_recipe(name: str) -> None:
    config = ABLATIONS[name](8, 8)
    assert config.to_json() != best(8, 8).to_json()
    assert (config.weight_bits, config.activation_bits) == (8, 8)
    assert name in EXCHANGED


def verdicts(records: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {goal.text: (goal.found, goal.verdict) for goal in _accuracy_goals.goals(records)}


def test_losses_are_judged_by_the_worst_network() -> None:
    text = "W8A8, plain: at most 0.2 points lost"
    records = [record("best", 0.1), record("best", 0.2, model="b")]
    assert verdicts(records)[text] == ("at most 0.20 (b), mean 0.15", "met by 0.00 points")
    records.append(record("best", 0.45, model="c"))
    assert verdicts(records)[text][1] == "**missed** by 0.25 points"
    records.append(failed("best", model="d"))
    assert verdicts(records)[text] == ("error on d", "**missed**: it fails")


def test_leads_are_judged_by_the_strongest_baseline_of_each_kind() -> None:
    records = [
        record("best", 0.4, 20.0, setting="W6A6"),
        record("minmax", 0.9, 12.0, setting="W6A6"),
        record("omse", 0.6, 16.5, setting="W6A6"),
        record("brevitas-layerwise", 0.3, 18.0, setting="W6A6"),
    ]
    found = verdicts(records)
    lead = "W6A6, plain: 3 dB more SQNR than "
    assert found[lead + "every integer baseline"] == (
        "+3.50 dB against `omse` (1 row)",
        "met by 0.50 dB",
    )
    assert found[lead + "brevitas (functions in float)"][1] == "**missed** by 1.00 dB"
    assert found[lead + "torchao (float between grids)"] == ("-", "not measured")
    ahead = "accuracy, mean over all: ahead of "
    assert found[ahead + "every integer baseline"][1] == "met by 0.20 points"
    assert found[ahead + "brevitas (functions in float)"][1] == "**missed** by 0.10 points"


def test_shifts_may_lose_a_little_to_any_real_scale() -> None:
    text = "shifts only: within 0.2 points of any real scale"
    records = [record("best", 0.4), record("best-dyadic", 0.2)]
    assert verdicts(records)[text] == (
        "-0.20 points against `best-dyadic` (1 row)",
        "met by 0.00 points",
    )
    records += [record("best", 0.9, model="b"), record("best-dyadic", 0.2, model="b")]
    assert verdicts(records)[text] == (
        "-0.45 points against `best-dyadic` (2 rows)",
        "**missed** by 0.25 points",
    )


def test_being_level_is_not_being_ahead() -> None:
    found = verdicts([record("best", 0.4), record("omse", 0.4)])
    verdict = found["accuracy, mean over all: ahead of every integer baseline"][1]
    assert verdict == "**missed** by 0.00 points"


def test_every_goal_is_unmeasured_without_records_of_ours() -> None:
    assert {goal.verdict for goal in _accuracy_goals.goals([record("omse", 0.1)])} == {
        "not measured"
    }


def test_files_must_not_contradict_each_other(tmp_path: Path) -> None:
    first = written(tmp_path / "accuracy.json", [record("omse", 0.1)])
    again = written(tmp_path / "accuracy-2.json", [record("omse", 0.2)])
    with pytest.raises(InputError, match="both have a record of a, plain, omse, W8A8, 0"):
        tables.load([first, again])
    other = written(tmp_path / "accuracy-3.json", [record("best", 0.2, images=7)])
    with pytest.raises(InputError, match="same number"):
        tables.load([first, other])
    with pytest.raises(InputError, match="'tensor', which is no preset"):
        tables.load([written(tmp_path / "old.json", [record("tensor", 0.2)])])
    with pytest.raises(InputError, match="same number"):
        tables.load([])


def test_reasons_of_failed_graph_modes_are_no_accuracy(tmp_path: Path) -> None:
    key = {"model": "a", "variant": "plain", "preset": "brevitas-graph", "setting": "W8A8"}
    reasons = {**key, "seed": 0, "images": 100, "errors": {"fx": "no"}, "seconds": 1.0}
    path = written(tmp_path / "tools.json", [reasons, record("torchao-minmax", 0.3)])
    assert [r["preset"] for r in tables.load([path])] == ["torchao-minmax"]


def test_kept_results_stand_in_for_what_a_build_lacks(tmp_path: Path) -> None:
    build, results = tmp_path / "build", tmp_path / "results"
    with pytest.raises(InputError, match=r"run python -m benchmarks\.accuracy"):
        figure_accuracy.sources(build, results)
    kept = [written(results / name, []) for name in ("accuracy.json", "tools.json")]
    assert figure_accuracy.sources(build, results) == kept
    own = [written(build / name, []) for name in ("accuracy-b.json", "accuracy-a.json")]
    assert figure_accuracy.sources(build, results) == [own[1], own[0], kept[1]]


def test_only_what_stands_between_the_markers_changes() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    found = with_section(document, BEGIN, END, "new\n")
    assert found == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_section(found, BEGIN, END, "new\n") == found
    for wrong in ("", document * 2, document.replace(END, "")):
        with pytest.raises(FileFormatError, match="once"):
            with_section(wrong, BEGIN, END, "new")


@pytest.mark.slow
def test_tables_and_plots_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        record("best", 0.1),
        record("best", 0.3, 14.0, setting="W6A6", variant="natural"),
        record("torchao-minmax", 60.0, -1.0, setting="W6A6", variant="outliers 64"),
        failed("hyq"),
    ]
    written(tmp_path / "build" / "accuracy.json", records)
    document = tmp_path / "accuracy.md"
    markers = (figure_accuracy.SHORT_BEGIN, figure_accuracy.SHORT_END, BEGIN, END)
    document.write_text("\n".join(("# A", *markers, "")), "utf-8")
    folders = {"build": "build", "results": "none", "images": "images", "document": "accuracy.md"}
    options = [part for k, v in folders.items() for part in (f"--{k}", str(tmp_path / v))]
    assert figure_accuracy.main(options) == 0
    table = (tmp_path / "build" / "accuracy.md").read_text("utf-8")
    assert "### W6A6" in table
    page = document.read_text("utf-8")
    assert table in page
    assert "| recipe | integers only |" in page.partition(BEGIN)[0]
    assert table in capsys.readouterr().out
    for name in ("accuracy_drop.png", "accuracy_sqnr.png"):
        assert (tmp_path / "images" / name).read_bytes().startswith(b"\x89PNG")
