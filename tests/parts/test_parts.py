"""Parts by part, device and board name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hyq_hls import parts
from hyq_hls.errors import ConversionError
from hyq_hls.parts import all_parts, load, part
from hyq_hls.parts.file import fields_of_part, part_of_fields

DATA = json.loads(Path(parts.__file__).with_name("parts.json").read_text(encoding="utf-8"))

#: Counted a second time from the data sheets: logic blocks of 8 LUTs (DS190 gives LUTs), memory in
#: Mb as the overview tables print it, DSP slices.
SHEETS = {
    "xc7a35t": (2600, 1.8, 90),
    "xc7a100t": (7925, 4.86, 240),
    "xck26": (14640, 5.1, 1248),
    "xcu50": (108960, 47.3, 5952),
    "xc7z010": (2200, 2.1, 80),
    "xc7z020": (6650, 4.9, 220),
    "xc7z045": (27325, 19.2, 900),
    "xczu3eg": (8820, 7.6, 360),
    "xczu7ev": (28800, 11.0, 1728),
    "xczu9eg": (34260, 32.1, 2520),
    "xcku040": (30300, 21.1, 1920),
    "xcu250": (216000, 94.5, 12288),
}


@pytest.mark.parametrize("name", SHEETS)
def test_numbers_agree_with_the_other_units_of_the_data_sheets(name: str) -> None:
    blocks, megabits, dsps = SHEETS[name]
    found = part(name)
    assert (found.luts, found.ffs, found.dsps) == (8 * blocks, 16 * blocks, dsps)
    # The sheets divide by 1024 and round; DS190 also by 36/1000 where it says 4.9.
    assert min(abs(found.bram36 * 36 / k - megabits) for k in (1000, 1024)) <= 0.15
    assert found.source in DATA["sources"]


def test_every_part_is_checked_against_a_sheet_and_ordered_by_size() -> None:
    assert [p.name for p in all_parts()] == [
        *("xc7z010", "xc7a35t", "xc7z020", "xc7a100t", "xczu3eg", "xck26"),
        *("xc7z045", "xczu7ev", "xcku040", "xczu9eg", "xcu50", "xcu250"),
    ]
    assert {p.name for p in all_parts()} == set(SHEETS)
    for found in all_parts():
        assert 0 < found.min_clock_mhz < found.max_clock_mhz


@pytest.mark.parametrize(
    ("name", "short", "device"),
    [
        ("xc7z020", "xc7z020", "xc7z020clg400-1"),
        ("XC7Z020", "xc7z020", "xc7z020clg400-1"),
        ("xc7z020clg484-2", "xc7z020", "xc7z020clg484-2"),
        ("xczu9eg-ffvb1156-2-e", "xczu9eg", "xczu9eg-ffvb1156-2-e"),
        ("xcu250-figd2104-2L-e", "xcu250", "xcu250-figd2104-2L-e"),
        ("XCU250-FIGD2104-2L-E", "xcu250", "xcu250-figd2104-2L-e"),
        ("XC7Z020CLG484-2", "xc7z020", "xc7z020clg484-2"),
        ("pynq-z2", "xc7z020", "xc7z020clg400-1"),
        ("Zedboard", "xc7z020", "xc7z020clg484-1"),
        ("ZCU104", "xczu7ev", "xczu7ev-ffvc1156-2-e"),
        ("ultra96-v2", "xczu3eg", "xczu3eg-sbva484-1-i"),
        ("KV260", "xck26", "xck26-sfvc784-2LV-c"),
        ("aup-zu3", "xczu3eg", "xczu3eg-sfvc784-2-e"),
        ("arty-a7-35t", "xc7a35t", "xc7a35ticsg324-1L"),
        ("alveo-u50", "xcu50", "xcu50-fsvh2104-2-e"),
        ("alveo-u250", "xcu250", "xcu250-figd2104-2L-e"),
    ],
)
def test_names(name: str, short: str, device: str) -> None:
    found = part(name)
    assert (found.name, found.device) == (short, device)
    assert found.luts == part(short).luts


def test_every_board_carries_a_device_of_its_part() -> None:
    boards = [board for found in all_parts() for board in found.boards]
    assert len(boards) == len(set(boards)) >= 13
    for found in all_parts():
        for board in found.boards:
            assert part(board).name == part(part(board).device).name == found.name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("xc7z02", "xc7z020"),
        ("XC7Z20", "xc7z020"),
        ("pynq-z3", "pynq-z2"),
        ("zcu103", "zcu102"),
        ("xczu3", "xczu3eg"),
        ("xc7z020x y", "xc7z020"),
        ("xc7z020clg400", "xc7z020"),
        ("", "alveo-u250"),
    ],
)
def test_unknown_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(
        ConversionError, match=rf"unknown part {re.escape(repr(name))}; did you mean .*\b{near}\b"
    ):
        part(name)


KINTEX = """\
name = "xc7k325t"
device = "xc7k325tffg900-2"
family = "kintex-7"
luts = 203800
ffs = 407600
dsps = 840
bram36 = 445
clock_mhz = [50, 250]
"""


def described(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "my_part.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_part_in_a_file(tmp_path: Path) -> None:
    file = described(tmp_path, KINTEX)
    found = load(file)
    assert found == part(str(file)) == part(file)
    assert (found.name, found.device, found.family) == ("xc7k325t", "xc7k325tffg900-2", "kintex-7")
    assert (found.luts, found.ffs, found.dsps, found.bram36, found.uram) == (
        *(203800, 407600, 840, 445, 0),
    )
    assert (found.min_clock_mhz, found.max_clock_mhz) == (50.0, 250.0)
    assert part_of_fields(fields_of_part(found)) == found
    more = KINTEX + 'uram = 3\nboards = ["genesys-2"]\nsource = "DS180"\n'
    found = load(described(tmp_path, more))
    assert (found.uram, found.boards, found.source) == (3, ("genesys-2",), "DS180")
    assert part_of_fields(fields_of_part(found)) == found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "luts = 203800\n",
            "",
            "luts is missing; a part has the fields name, device, family, luts",
        ),
        ("luts", "LUTs", "LUTs is unknown"),
        ("luts = 203800\nffs", "lut = 1\nff", "ff, lut are unknown"),
        ("203800", "0", "luts = 0: a whole number of 1 or more is wanted"),
        ("203800", "2e5", r"luts = 200000.0: a whole number"),
        ("840", "-1", "dsps = -1: a whole number of 0 or more is wanted"),
        ("840", "true", "dsps = True: a whole number"),
        ("[50, 250]", "250", "clock_mhz = 250: two numbers such as"),
        ("[50, 250]", "[250, 50]", r"clock_mhz = \[250, 50\]: two numbers such as"),
        ("[50, 250]", '[50, "250"]', "two numbers such as"),
        ('"kintex-7"', "7", "family = 7: a text such as 'kintex-7' is wanted"),
        (
            '"xc7k325tffg900-2"',
            '"[exit]"',
            r"device = '\[exit\]': a text such as 'xc7k325tffg900-2'",
        ),
        ("clock_mhz", 'boards = "x"\nclock_mhz', "boards = 'x': a list of texts"),
        ("clock_mhz", "source = 7\nclock_mhz", "source = 7: a text"),
        ("luts = ", "luts ", "a TOML file is wanted: "),
    ],
)
def test_a_file_that_describes_no_part(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in KINTEX
    with pytest.raises(ConversionError, match=rf"my_part\.toml: .*{message}"):
        load(described(tmp_path, KINTEX.replace(old, new, 1)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="there is no such file"):
        part(str(tmp_path / "other.toml"))
