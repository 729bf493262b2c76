"""Cost points of the engine: not stale, and the law between them as exact as it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.characterize_engine import SMALL as BASE
from benchmarks.characterize_engine import unchanged, work
from hyq_hls.engine.cost import engine_utilization
from hyq_hls.engine.cost.points import (
    POINTS_FILE,
    Point,
    cost_points,
    module_hash,
    read_points,
    utilization_of,
)
from hyq_hls.engine.cost.units import Unit, units
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.rtl import module_sources, rtl_folders
from hyq_hls.errors import ConversionError
from hyq_hls.tools.yosys import Utilization

POINTS = cost_points()


def unit_of(module: str, sizes: Sizes) -> Unit:
    (found,) = (unit for unit in units(sizes) if unit.module == module)
    return found


def point_of(unit: Unit) -> Point:
    """The point with all parameters of a unit, or else with those that it is known by."""
    alike = [p for p in POINTS if p.module == unit.module]
    wanted = {n: v for n, v in unit.parameters.items() if n not in unit.ignored}
    exact = [p for p in alike if p.parameters == unit.parameters]
    (found, *_) = exact or [p for p in alike if wanted.items() <= p.parameters.items()]
    return found


def estimated_without(unit: Unit, point: Point) -> Utilization:
    return utilization_of(unit, [p for p in POINTS if p is not point])


def test_the_table_belongs_to_these_sources() -> None:
    recorded = json.loads(POINTS_FILE.read_text(encoding="utf-8"))["sources"]
    stale = [module for module, known in recorded.items() if module_hash(module) != known]
    assert not stale, "run benchmarks/characterize_engine.py: these modules have changed since"
    assert {unit.module for unit in units(BASE)} == set(recorded)


def test_only_what_has_changed_is_mapped_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = work()
    data = json.loads(POINTS_FILE.read_text(encoding="utf-8"))
    data["sources"]["hyq_engine_registers"] = "another"
    table = tmp_path / "points.json"
    table.write_text(json.dumps(data))
    kept = unchanged(table, wanted)
    assert kept == [point for point in POINTS if point.module != "hyq_engine_registers"]
    assert len(wanted) == len(POINTS)
    assert unchanged(tmp_path / "none.json", wanted) == []
    monkeypatch.setattr("benchmarks.characterize_engine.yosys_version", lambda: "another")
    assert unchanged(POINTS_FILE, wanted) == []


def test_all_modules_of_the_engine_are_counted_once() -> None:
    """What is in no unit by itself is in exactly one."""
    found = units(BASE)
    assert len({unit.module for unit in found}) == len(found)
    apart = [name for unit in found for name in unit.apart]
    assert sorted([*apart, "hyq_engine"]) == sorted(unit.module for unit in found)
    everything = {path.stem for path in module_sources(["hyq_engine"], rtl_folders())}
    assert set(apart) < everything


def test_block_rams_by_words_and_width_are_those_of_synthesis() -> None:
    seen = 0
    for sizes in (
        BASE,
        replace(BASE, feature_words=8192, weight_words=2048),
        replace(BASE, feature_words=65536, weight_words=16384, parameter_groups=256),
        replace(BASE, softmax_length=1024, norm_channels=1024),
        replace(BASE, softmax_lanes=2, norm_lanes=2, multiplier=True),
        replace(BASE, softmax_lanes=4, norm_lanes=4),
    ):
        for unit in units(sizes):
            try:
                point = point_of(unit)
            except ValueError:  # no such point
                continue
            assert unit.bram18 == point.utilization.bram18, unit
            seen += 1
    assert seen > 60


def test_the_array_has_a_dsp_slice_for_two_products() -> None:
    for pixels in (2, 4, 8):
        array = unit_of("hyq_engine_array", replace(BASE, pixels=pixels))
        assert utilization_of(array, POINTS).dsp == 16 * 3 * pixels // 2


@pytest.mark.parametrize(
    ("module", "changes", "lut"),
    [
        ("hyq_engine_feature", {"feature_words": 8192}, 0.01),
        ("hyq_engine_sequencer", {"weight_words": 2048}, 0.01),
        ("hyq_engine_feature", {"pixels": 8, "feature_words": 8192}, 0.07),
        *(
            (module, {"pixels": 8}, 0.02)
            for module in (
                "hyq_engine_load",
                "hyq_engine_sequencer",
                "hyq_engine_writer",
                "hyq_engine_registers",
            )
        ),
    ],
)
def test_the_estimate_at_points_that_were_left_out(
    module: str, changes: dict[str, Any], lut: float
) -> None:
    unit = unit_of(module, replace(BASE, **changes))
    point = point_of(unit)
    assert point.parameters == unit.parameters
    found, wanted = estimated_without(unit, point), point.utilization
    assert found.lut == pytest.approx(wanted.lut, rel=lut, abs=4)
    assert found.ff == pytest.approx(wanted.ff, rel=0.03, abs=4)
    assert (found.dsp, found.bram18) == (wanted.dsp, wanted.bram18)


def test_two_axes_multiply_or_add_where_the_base_has_none() -> None:
    """Twice the words and three times the pixels take six times as much, not four times."""

    def point(words: int, pixels: int, lut: int, dsp: int) -> Point:
        return Point("m", {"Words": words, "Pixels": pixels}, Utilization(lut=lut, dsp=dsp))

    points = [point(8, 1, 100, 0), point(16, 1, 200, 5), point(8, 2, 300, 7)]
    unit = Unit("row", "m", {"Words": 16, "Pixels": 2}, scaled=("Words", "Pixels"))
    found = utilization_of(unit, points)
    assert (found.lut, found.dsp) == (600, 12)


def test_at_a_point_it_is_the_point() -> None:
    for unit in units(BASE):
        assert utilization_of(unit, POINTS) == point_of(unit).utilization


def larger_pixels(sizes: Sizes) -> Sizes:
    return replace(sizes, pixels=2 * sizes.pixels)


@pytest.mark.parametrize(
    "larger",
    [
        larger_pixels,
        lambda s: replace(s, softmax_lanes=2 * s.softmax_lanes),
        lambda s: replace(s, norm_lanes=2 * s.norm_lanes),
        lambda s: replace(s, multiplier=True),
        lambda s: replace(s, feature_words=2 * s.feature_words),
        lambda s: replace(s, weight_words=2 * s.weight_words),
        lambda s: replace(s, parameter_groups=2 * s.parameter_groups),
        lambda s: replace(s, norm_channels=2 * s.norm_channels),
    ],
)
def test_a_larger_engine_takes_more(larger: Callable[[Sizes], Sizes]) -> None:
    sizes = Sizes(pixels=4, softmax_lanes=1, norm_lanes=1, multiplier=False)
    before = engine_utilization(sizes).total
    after = engine_utilization(larger(sizes)).total
    assert after.ff > before.ff
    assert after.lut > 0.999 * before.lut  # mapping finds a few LUTs more or less
    assert after.bram18 >= before.bram18
    assert after.dsp >= before.dsp


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_words": 256}, r"feature memory .*Words=256: .*cover Words from 512 to 65536"),
        ({"weight_words": 32768}, r"array control .*WordBits=15: .*cover WordBits from 8 to 14"),
        ({"parameter_groups": 8}, r"parameter memory .*cover Groups from 16 to 256"),
        ({"norm_channels": 2048}, r"norm unit .*cover Channels from 128 to 1024"),
        ({"softmax_length": 32}, r"softmax unit .*cover Length from 64 to 1024"),
    ],
)
def test_nothing_is_continued_beyond_the_points(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        engine_utilization(replace(BASE, **changes))


def test_a_unit_without_points() -> None:
    with pytest.raises(ConversionError, match=r"magic \(hyq_magic\) .*no synthesis result"):
        utilization_of(Unit("magic", "hyq_magic", {"Spell": 1}), POINTS)


def test_damaged_table(tmp_path: Path) -> None:
    path = tmp_path / "points.json"
    path.write_text('{"points": [{}]}')
    with pytest.raises(ConversionError, match=r"is damaged .*characterize_engine\.py makes it"):
        read_points(path)
