"""The replay of recorded processes: cycles, words that wait, deadlocks with names."""

from __future__ import annotations

import numpy as np
import pytest

from tests.stream.hls.replay import LATE, LEAVE, LOOK, READ, WRITE, Replay, Step, oracle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    return Replay(tmp_path_factory.mktemp("replay"))


def feed(stream: int, words: int) -> list[Step]:
    return [(1, stream, WRITE)] * words


def take(stream: int, words: int) -> list[Step]:
    return [(1, stream, READ)] * words


def test_a_word_takes_a_cycle_to_its_reader(replay: Replay) -> None:
    assert replay.run([feed(0, 3), take(0, 3)], [2]).ends == [4]
    slow = [(5, 0, READ)] * 3
    assert replay.run([feed(0, 3), slow], [2]).ends == [15], "words wait for the reader"
    assert replay.run([[(5, 0, WRITE)] * 3, take(0, 3)], [2]).ends == [16], "and it for words"


def test_a_place_of_a_full_queue_takes_a_cycle(replay: Replay) -> None:
    """With one place, a word and its place take turns: two cycles a word."""
    words = 10
    ends = [replay.run([feed(0, words), take(0, words)], [depth]).ends[0] for depth in (1, 2, 5)]
    assert ends == [2 * words, words + 1, words + 1]


def test_frames_follow_each_other_and_a_pace_holds_them_back(replay: Replay) -> None:
    processes = [feed(0, 4), take(0, 4)]
    assert replay.run(processes, [2], frames=3).ends == [5, 9, 13]
    assert replay.run(processes, [2], frames=3, pace=10).ends == [9, 19, 29]


def test_a_pipeline_keeps_its_words_while_it_waits(replay: Replay) -> None:
    """The words leave behind the next ones, and at the end of the loop."""
    copy: list[Step] = [(1, 0, READ), (0, 1, LATE)] * 6
    waits: list[Step] = [(1, 0, WRITE)] * 5 + [(100, 0, WRITE)]
    ends = [replay.run([waits, copy, take(1, 6)], [2, 2], [0, n, 0]).ends[0] for n in (0, 3)]
    assert ends == [107, 110]
    early = [*take(1, 2), (1, 2, WRITE), *take(1, 4)]
    asks: list[Step] = [*feed(0, 4), (1, 2, READ), *feed(0, 2)]
    fine = replay.run([asks, copy, early], [2, 2, 2], [0, 2, 0])
    stuck = replay.run([asks, copy, early], [2, 2, 2], [0, 3, 0])
    assert fine.deadlock == ""
    assert stuck.deadlock.startswith("deadlock in frame 0: ")
    drained = [*copy[:4], (0, 0, LEAVE), *copy[4:]]
    assert replay.run([asks, drained, early], [2, 2, 2], [0, 3, 0]).deadlock == ""


def test_a_pair_of_pages_is_written_and_read_at_a_time(replay: Replay) -> None:
    """The slower side sets the pace; a third page is not begun before the first one was read."""
    for fill, send in ((8, 3), (3, 8), (5, 5)):
        store: list[Step] = [*take(0, fill), (0, 2, WRITE)]
        give: list[Step] = [(0, 2, LOOK), *feed(1, send), (0, 2, READ)]
        run = replay.run([feed(0, fill), store, give, take(1, send)], [2, 2, 1], frames=6)
        assert run.deadlock == ""
        between = run.ends[-1] - run.ends[-2]
        assert max(fill, send) <= between <= max(fill, send) + 2


def test_a_deadlock_names_all_who_wait(replay: Replay) -> None:
    """Both ways of a fork are joined, and the longer one takes three words before it gives one."""
    fork: list[Step] = [(1, 0, READ), (0, 2, WRITE), (0, 1, WRITE)] * 9
    batch: list[Step] = ([(1, 1, READ)] * 3 + [(1, 3, WRITE)] * 3) * 3
    join: list[Step] = [(1, 3, READ), (0, 2, READ), (0, 4, WRITE)] * 9
    processes = [feed(0, 9), fork, batch, join, take(4, 9)]
    assert replay.run(processes, [2, 2, 3, 2, 2]).deadlock == ""
    message = replay.run(processes, [2, 2, 2, 2, 2]).deadlock
    circle, others = message.split("\nbehind them wait:")
    assert circle.startswith("deadlock in frame 0: ")
    assert circle.endswith("; raise the depth of s2")
    for who in (
        "p1 writes s2, which is full (depth 2)",
        "p2 reads s1, which is empty",
        "p3 reads s3, which is empty",
    ):
        assert who in circle
    assert "p0 writes s0, which is full (depth 2)" in others
    assert "p4 reads s4, which is empty" in others


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_run_as_hardware_would(seed: int, replay: Replay) -> None:
    """Cycles, peaks and deadlocks are those of a simulation cycle by cycle."""
    rng = np.random.default_rng(seed)
    processes, streams = random_network(rng)
    depths = rng.integers(1, 5, streams).tolist()
    wanted = oracle(processes, depths, frames=3)
    found = replay.run(processes, depths, frames=3)
    if wanted.deadlock:
        assert found.deadlock
    else:
        assert found.deadlock == ""
        assert found.ends == wanted.ends
        assert found.peaks == wanted.peaks


def test_the_random_networks_are_of_both_kinds(replay: Replay) -> None:
    stuck = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        processes, streams = random_network(rng)
        stuck += bool(replay.run(processes, rng.integers(1, 5, streams).tolist()).deadlock)
    assert 5 <= stuck <= 35


def random_network(rng: np.random.Generator) -> tuple[list[list[Step]], int]:
    """A chain in which every process also has streams to later ones; words in random order."""
    count, words = int(rng.integers(3, 7)), int(rng.integers(2, 12))
    edges = [(i, i + 1) for i in range(count - 1)]
    edges += [(i, j) for i in range(count) for j in range(i + 2, count) if rng.random() < 0.4]
    processes = []
    for process in range(count):
        inputs = [s for s, (_, reader) in enumerate(edges) if reader == process]
        outputs = [s for s, (writer, _) in enumerate(edges) if writer == process]
        keeps = int(rng.integers(0, words)) if inputs and outputs else 0
        steps: list[Step] = []
        for word in range(words + keeps):
            ticks = int(rng.integers(0, 4)) if word else 1
            chosen = [(s, READ) for s in inputs] if word < words else []
            chosen += [(s, WRITE) for s in outputs] if word >= keeps else []
            steps += [(ticks * (i == 0), s, kind) for i, (s, kind) in enumerate(chosen)]
        processes.append(steps)
    return processes, len(edges)
