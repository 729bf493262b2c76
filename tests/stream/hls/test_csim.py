"""The compiled C++ in this process: equal, loud when it goes wrong, never stale."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import GraphError, InputError, SimulationError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Add, AttentionScores, Concat, RequantizeTensor
from hyq_hls.stream.hls.csim import CSimulation
from tests.stream.hls.conftest import (
    BYTE,
    ONE,
    assert_cpp_equal,
    edit,
    expected,
    images,
    small_graph,
)

GRAPH = small_graph()
IMAGES = images(40)


@pytest.mark.smoke
@pytest.mark.slow
def test_equals_the_reference(project: Accelerator) -> None:
    found = project.codes(IMAGES)
    assert found.dtype == np.int64
    assert np.array_equal(found, expected(GRAPH, IMAGES))
    assert np.array_equal(project.codes(IMAGES[:1]), found[:1]), "a batch of one stays a batch"


@pytest.mark.slow
def test_trace_gives_every_stream(project: Accelerator) -> None:
    codes = IMAGES[3:4].astype(np.int64)
    found = project.trace(IMAGES[3])
    assert list(found) == list(GRAPH.nodes)
    for name, values in GRAPH.reference(codes):
        if name != "image":
            assert found[name].shape == values.shape
            assert np.array_equal(found[name], values), name
    assert np.array_equal(project.trace(IMAGES[3])["a"], found["a"]), "a trace starts empty"
    assert np.array_equal(project.codes(IMAGES), expected(GRAPH, IMAGES))


@pytest.mark.slow
def test_trace_of_the_input_of_copies_and_of_nothing(project: Accelerator) -> None:
    codes = IMAGES[:1].astype(np.int64)
    library = project.folder / f"{project.project}.so"

    def traced(streams: dict[str, tuple[str, TensorType]]) -> dict[str, np.ndarray]:
        return CSimulation(library, GRAPH.input_type, GRAPH.output_type, streams).trace(codes)

    streams = {n: (n, GRAPH.type("a")) for n in ("a", "a_copy1", "a_copy2")}
    found = traced({"in": ("image", GRAPH.input_type), **streams})
    assert np.array_equal(found["in"], codes)
    assert np.array_equal(found["a_copy1"], found["a"])
    assert np.array_equal(found["a_copy2"], found["a"])
    with pytest.raises(SimulationError, match="x: stream nope carried 0 codes, 64 are wanted"):
        traced({"x": ("nope", GRAPH.type("a"))})
    with pytest.raises(SimulationError, match="x: stream pool carried 4 codes, 64 are wanted"):
        traced({"x": ("pool", GRAPH.type("a"))})
    with pytest.raises(GraphError, match="one sample"):
        project.csim.trace(IMAGES[:2].astype(np.int64))


@pytest.mark.slow
def test_many_threads_at_once(project: Accelerator) -> None:
    """Each thread predicts and traces its own images, many times."""
    wanted = expected(GRAPH, IMAGES)
    values_of_a = dict(GRAPH.reference(IMAGES.astype(np.int64)))["a"]
    wrong: list[str] = []
    start = threading.Barrier(6)

    def work(i: int) -> None:
        mine = slice(5 * i, 5 * i + 10)
        start.wait()
        for _ in range(10):
            if not np.array_equal(project.codes(IMAGES[mine]), wanted[mine]):
                wrong.append(f"thread {i}, predict")
            if not np.array_equal(project.trace(IMAGES[5 * i])["a"][0], values_of_a[5 * i]):
                wrong.append(f"thread {i}, trace")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.full((1, 4, 4, 3), 256), r"csim input: codes in \[256, 256\] leave the range"),
        (np.full((1, 4, 4, 3), -1), r"csim input: codes in \[-1, -1\] leave the range"),
        (np.full((1, 4, 4, 3), 1 << 40), "leave the range"),
        (np.zeros((1, 4, 4, 3)), "integers are wanted, found dtype float64"),
        (np.zeros((1, 4, 4, 3), dtype=bool), "integers are wanted, found dtype bool"),
        (np.zeros((4, 4, 3), np.int64), r"shape \(batch, 4, 4, 3\) is wanted, found \(4, 4, 3\)"),
        (np.zeros((1, 3, 4, 4), np.int64), "is wanted, found"),
    ],
)
def test_input_codes(codes: np.ndarray, message: str, project: Accelerator) -> None:
    for use in (project.csim.predict, project.csim.trace):
        with pytest.raises(GraphError, match=message):
            use(codes)


@pytest.mark.slow
def test_images_are_checked(project: Accelerator) -> None:
    for unusable in (np.zeros((0, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), np.nan)):
        with pytest.raises(InputError):
            project.codes(unusable)


@pytest.mark.slow
def test_empty_batch_and_other_layouts(project: Accelerator) -> None:
    assert project.csim.predict(np.zeros((0, 4, 4, 3), np.int64)).shape == (0, 5)
    codes = IMAGES[:3].astype(np.int64)
    wanted = expected(GRAPH, IMAGES[:3])
    layouts = (codes[::-1][::-1], np.asfortranarray(codes), codes.astype(np.uint8))
    assert all(np.array_equal(project.csim.predict(c), wanted) for c in layouts)


@pytest.mark.slow
def test_progress(project: Accelerator) -> None:
    counts: list[int] = []
    project.csim.predict(IMAGES.astype(np.int64), counts.append)
    assert sum(counts) == len(IMAGES)
    assert len(counts) > 1


def test_not_compiled(tmp_path: Path) -> None:
    accelerator = convert(QuantizedModel(small_graph()), output_dir=tmp_path / "p")
    assert not accelerator.compiled
    for use in (accelerator.predict, accelerator.trace):
        with pytest.raises(SimulationError, match=r"not compiled; call compile\(\) first"):
            use(IMAGES[:1])


def survives(project: Accelerator) -> bool:
    """Whether this process still predicts right."""
    return np.array_equal(project.codes(IMAGES[:3]), expected(GRAPH, IMAGES[:3]))


@pytest.mark.slow
def test_reading_an_empty_stream(copied: Accelerator, project: Accelerator) -> None:
    """A producer is missing; exceptions cross into Python by name, image after image."""
    edit(copied, "firmware/sink.cpp", "hyq::fork<16>(", "hyq::fork<15>(")
    copied.compile("-O0")
    for _ in range(2):
        with pytest.raises(SimulationError, match="sample 0: stream a_copy1 is read while empty"):
            copied.codes(IMAGES)
    with pytest.raises(SimulationError, match="stream a_copy1 is read while empty"):
        copied.trace(IMAGES[0])
    assert survives(project)


@pytest.mark.slow
def test_words_left_over_and_exceptions(copied: Accelerator) -> None:
    """Everything that a top function can do wrong, chosen by the first pixel of an image."""
    top = copied.folder / "firmware/sink.cpp"
    top.write_text(
        '#include "sink.h"\n'
        "void sink(hls::stream<input_t> &image, hls::stream<result_t> &head) {\n"
        "    const input_t word = image.read();\n"
        '    hls::stream<input_t> inner("inner");\n'
        "    if (word[0] == 3) { inner.write(word); inner.write(word); }\n"
        "    if (word[0] == 4) { inner.read(); }\n"
        "    result_t out;\n"
        "    for (unsigned c = 0; c < 5; c++) { out[c] = word[0]; }\n"
        "    if (word[0] < 8) { while (!image.empty()) { image.read(); } }\n"
        "    if (word[0] < 9) { head.write(out); }\n"
        "    if (word[0] > 4) { head.write(out); }\n"
        "    if (word[0] == 7) { throw std::runtime_error(std::string(2000, 'x')); }\n"
        "}\n"
    )
    copied.compile("-O0")
    fine = np.zeros((1, 4, 4, 3), np.uint8)
    assert np.array_equal(copied.codes(fine), np.zeros((1, 5)))
    for value, message in (
        (3, "stream inner still holds 2 words that nobody read"),
        (4, "stream inner is read while empty"),
        (5, "stream head still holds 1 words"),
        (7, "x{400}"),
        (8, "stream (image|head) still holds"),
        (9, "stream image still holds 15 words"),
    ):
        batch = np.concatenate([fine, fine + np.uint8(value)])
        with pytest.raises(SimulationError, match=f"sample 1: .*{message}"):
            copied.codes(batch)
    assert np.array_equal(copied.codes(fine), np.zeros((1, 5)))


@pytest.mark.slow
def test_recompiling_gives_new_results(copied: Accelerator) -> None:
    """The same path, other numbers, also through objects that were opened before and after."""
    old = copied.codes(IMAGES[:4])
    before = Accelerator.open(copied.folder)
    opening = "head_bias[1][5] = {\n    {"
    edit(copied, "firmware/weights/head.h", opening, f"{opening}4096 + ")
    assert not Accelerator.open(copied.folder).compiled, "the library is older than its sources"
    copied.compile("-O0")
    new = copied.codes(IMAGES[:4])
    assert np.array_equal(new[:, 0], np.minimum(old[:, 0] + 16, 255))
    assert np.array_equal(new[:, 1:], old[:, 1:])
    assert np.array_equal(before.codes(IMAGES[:4]), old)
    assert np.array_equal(Accelerator.open(copied.folder).codes(IMAGES[:4]), new)


@pytest.mark.parametrize("readers", range(2, 10))
def test_forks_are_trees(readers: int) -> None:
    """Every copy is written once and read once."""
    from hyq_hls.stream.flow import build_dataflow  # noqa: PLC0415
    from hyq_hls.stream.flow.build import MAX_FORK  # noqa: PLC0415
    from hyq_hls.stream.hls.project import _layers  # noqa: PLC0415

    layers = _layers(build_dataflow(fan(readers), {}))
    forks = [d for d in layers if d["class_name"] == "HyqFork"]
    written = [o for d in layers for o in d.get("outputs", [d["name"]])]
    read = [i for d in layers for i in d.get("inputs", [])]
    assert len(set(written)) == len(written)
    assert sorted(read) == sorted(set(read)), "no stream has two readers"
    assert set(written) - set(read) == {layers[-1]["name"]}
    assert all(2 <= len(d["outputs"]) <= MAX_FORK for d in forks)


def fan(*readers: int) -> Graph:
    """For each number a tensor that so many nodes read, the first of them twice."""
    q = Quantization(12, True)
    graph = Graph("image", TensorType((2, 2, 3), BYTE))
    half = Requantize(q, ONE, ONE)
    previous = "image"
    for count in readers:
        source = graph.add(f"t{count}", RequantizeTensor((0,), half), previous).name
        previous = source
        for i in range(count - 1):
            other = source if i == 0 else previous
            node = graph.add(
                f"t{count}.{i}", Add((ONE, 3 * ONE), ((0,), (0,)), half), source, other
            )
            previous = node.name
    return graph


@pytest.mark.slow
def test_forks_and_one_tensor_read_twice(tmp_path: Path) -> None:
    """2, 4, 5 and 9 readers; add(x, x), concat(x, x), scores(x, x); the input has two readers."""
    graph = fan(2, 4, 5, 9)
    last = graph.output_name
    q = Quantization(12, True)
    same = Requantize(q, np.array([0]), ONE)
    graph.add("cat", Concat((same, same), ((0,), (0,))), last, last)
    graph.add("scores", AttentionScores(2, (0, 0), Requantize(q, np.array([6]), ONE)), "cat", "cat")
    codes = np.random.default_rng(0).integers(0, 256, (3, 2, 2, 3))
    assert_cpp_equal(graph, codes, tmp_path / "p")
