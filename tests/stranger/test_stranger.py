"""Parts of the stranger's path that are quick: its files, what it reads of a page, its steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.cli.workflow.checks import check
from hyq_hls.cli.workflow.configuration import load
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.engine.machine_sizes import WORD
from hyq_hls.engine.predict import Rates
from hyq_hls.stream.rtl.project import MEMORY_DIR
from tests.stranger.__main__ import main
from tests.stranger.place.engine_words import (
    FRAMES,
    EnginePage,
    EnginePageError,
    Layout,
    beats,
    write,
)
from tests.stranger.place.engine_words import compare as compare_outputs
from tests.stranger.place.words import Page, PageError, Words, compare, packets
from tests.stranger.steps import PLACE, RECORD, STEPS, Place, Step, StrangerError, remaining, walk
from tests.stream.hls.conftest import small_graph


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stranger") / "net"
    convert(QuantizedModel(small_graph()), output_dir=folder)
    return folder


def test_the_page_says_what_the_design_has(project: Path) -> None:
    page = Page.read((project / "integration.md").read_text())
    streams = json.loads((project / "board" / "streams.json").read_text())
    for words, stream in ((page.source, streams["input"]), (page.sink, streams["output"])):
        assert words.bits == 8 * words.lanes * words.code.itemsize
        assert (words.lanes, words.signed) == (stream["lanes"], stream["signed"])
        assert words.words * words.lanes == np.prod(stream["shape"])
    assert f"PageCycles = {page.cycles};" in page.package(project / "rtl" / MEMORY_DIR)


def test_a_page_without_a_line_is_refused(project: Path) -> None:
    text = (project / "integration.md").read_text()
    with pytest.raises(PageError, match=r"no line like .*A frame takes"):
        Page.read(text.replace("A frame takes", "A picture takes"))
    with pytest.raises(PageError, match="no row 'bits of a word'"):
        Page.read(text.replace("bits of a word", "width"))


def test_codes_survive_the_words() -> None:
    words = Words(bits=32, words=3, lanes=2, signed=True)
    codes = np.array([1, -2, 300, -400, 5, -6], np.int16)
    packed = words.pack(codes)
    assert packed[0] == "fffe0001"  # the first code lies lowest
    assert np.array_equal(words.unpack([int(word, 16) for word in packed]), codes)
    last = [f"{int(word, 16) + ((i == 2) << 32):x}" for i, word in enumerate(packed)]
    (found,) = packets(["// comment", "@0", *last], words)
    assert np.array_equal(found, codes)
    with pytest.raises(PageError, match=r"packet 0 has 2 words, 3 are wanted"):
        packets(last[1:], words)
    with pytest.raises(PageError, match=r"2 words came after the last TLAST"):
        packets(packed[:2], words)


def test_every_packet_that_means_something_is_compared() -> None:
    wanted = np.arange(6).reshape(2, 3)
    assert compare([wanted[1], np.zeros(3), wanted[0]], [1, -1, 0], wanted) == 2
    with pytest.raises(PageError, match="packet 1, the result of frame 0, is"):
        compare([wanted[1], wanted[1]], [1, 0], wanted)
    with pytest.raises(PageError, match="1 packets came, 2 are meant"):
        compare([wanted[1]], [1, 0], wanted)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    folder = tmp_path_factory.mktemp("stranger") / "engine"
    return convert(QuantizedModel(small_graph()), output_dir=folder, architecture="engine")


def test_the_page_of_the_engine_says_where_codes_lie(engine: Accelerator) -> None:
    page = EnginePage.read((engine.folder / "integration.md").read_text())
    assert isinstance(engine.machine, EngineMachine)
    program = engine.machine.program
    random = np.random.default_rng(0)
    for found, layout in ((page.source, program.input), (page.sink, program.output)):
        shape = (layout.rows, layout.pixels, layout.channels)
        codes = random.integers(0, 1 << 8 * layout.planes, shape) + layout.qmin
        assert found.pack(codes) == layout.pack(codes).tobytes()
        assert np.array_equal(found.unpack(found.pack(codes)), codes)
    assert page.length == len(program.instructions)
    assert page.cycles == engine.estimate().cycles_per_frame
    assert page.latency == Rates().latency


def test_codes_of_two_bytes_and_of_many_channels_lie_where_the_engine_has_them() -> None:
    for channels, planes in ((3, 1), (10, 2), (17, 3)):
        layout = TensorLayout(2, 5, channels, planes, -7)
        pixel = WORD * layout.words
        found = Layout(2, 5, channels, pixel, layout.pitch, planes, -7)
        codes = np.random.default_rng(0).integers(0, 1 << 8 * planes, (2, 5, channels)) - 7
        assert found.pack(codes) == layout.pack(codes).tobytes()
        assert np.array_equal(found.unpack(found.pack(codes)), codes)


def test_buffers_of_the_engine_do_not_overlap(
    engine: Accelerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = EnginePage.read((engine.folder / "integration.md").read_text())
    places = [(a, a + page.buffers[r][1]) for r, a in page.addresses().items()]
    assert all(a[1] <= b[0] for a, b in pairwise(places))
    shape = (page.source.rows, page.source.pixels, page.source.channels)
    write(page, engine.folder, np.zeros((FRAMES, *shape), np.uint8))
    assert (
        len((tmp_path / "inputs.hex").read_text().split()) == FRAMES * page.buffers["BASE1"][1] // 8
    )
    wanted = np.random.default_rng(0).integers(0, 256, (FRAMES, page.sink.channels))
    lines = [
        line
        for frame in (*range(FRAMES), 0)
        for line in beats(page.sink.pack(wanted[frame] + page.sink.smallest))
    ]
    assert compare_outputs(page, lines, wanted + page.sink.smallest) == FRAMES + 1
    with pytest.raises(EnginePageError, match="output 4, of frame 0, is"):
        compare_outputs(page, [*lines[:-1], "f" * 16], wanted + page.sink.smallest)
    with pytest.raises(EnginePageError, match="bytes came"):
        compare_outputs(page, lines[1:], wanted)


def test_the_configuration_is_accepted(tmp_path: Path) -> None:
    for name in ("hyq.toml", "model.py", "digits.py"):
        (tmp_path / name).write_bytes((PLACE / name).read_bytes())
    for name in ("train", "test"):
        np.savez(tmp_path / f"{name}.npz", images=np.zeros((2, 8, 8, 1), np.uint8), labels=[0, 1])
    configuration = load(tmp_path / "hyq.toml")
    check(configuration)
    assert set(configuration.settings.targets.steps) >= {"cosim", "synthesize", "report"}


# --- steps ---


class Walk:
    """Three steps that note that they ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.broken = ""
        self.steps = {name: Step(name, self._step(name)) for name in "abc"}

    def _step(self, name: str) -> Callable[[Place], None]:
        def work(place: Place) -> None:
            self.ran.append(name)
            if name == self.broken:
                raise StrangerError("it is broken")

        return work


def test_a_walk_goes_on_where_it_failed(tmp_path: Path) -> None:
    there, place = Walk(), Place(tmp_path)
    there.broken = "b"
    with pytest.raises(StrangerError, match=r"(?s)step b: it is broken.*--folder .*") as caught:
        walk(place, steps=there.steps)
    assert str(tmp_path) in str(caught.value)
    assert json.loads((tmp_path / RECORD).read_text()) == ["a"]
    there.broken = ""
    walk(place, steps=there.steps)
    assert there.ran == ["a", "b", "b", "c"]
    walk(place, "b", there.steps)
    assert there.ran[4:] == ["b", "c"]


def test_steps_after_one_that_is_new_run_again() -> None:
    assert remaining(["a", "c"], None, ["a", "b", "c"]) == ["b", "c"]
    assert remaining(["a", "b", "c"], None, ["a", "b", "c"]) == []


def test_a_command_that_ends_otherwise_stops_the_walk(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.run("false", status=1)
    with pytest.raises(StrangerError, match="false ended with 1, 0 is wanted"):
        place.run("false")
    with pytest.raises(StrangerError, match="no-such-program does not start"):
        place.run("no-such-program")
    with pytest.raises(StrangerError, match=r"a\.json was not written"):
        place.must_hold("a.json", ok=True)
    (tmp_path / "a.json").write_text('{"ok": false}')
    with pytest.raises(StrangerError, match=r"a\.json says ok = False; True is wanted"):
        place.must_hold("a.json", ok=True)


def test_nothing_of_the_repository_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    environment = Place(tmp_path).environment()
    assert "PYTHONPATH" not in environment
    assert environment["PATH"].startswith(str(tmp_path / "venv" / "bin"))


def test_a_folder_in_the_repository_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--folder", str(PLACE)])
    assert "lies in the repository" in capsys.readouterr().err


def test_the_help_lists_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in STEPS)
