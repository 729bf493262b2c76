"""Damaged and foreign files give FileFormatError, or what was saved, and nothing else."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import FileFormatError
from hyq_hls.graph import Graph
from hyq_hls.graph.archive import Limits
from hyq_hls.graph.file import load, save
from hyq_hls.ops import OPERATIONS
from hyq_hls.stream.circuits import circuit_of
from tests.ops.examples import example_graph
from tests.ops.harness import random_codes

Document = dict[str, Any]


@pytest.fixture
def graph() -> Graph:
    return example_graph("add", np.random.default_rng(0))


@pytest.fixture
def path(graph: Graph, tmp_path: Path) -> Path:
    return save(graph, tmp_path / "g.hyq")


def assert_error_or_equal(data: bytes, original: bytes, folder: Path, what: str) -> bool:
    """Whether ``data`` was refused."""
    damaged = folder / "damaged.hyq"
    damaged.write_bytes(data)
    try:
        loaded = load(damaged, OPERATIONS)
    except FileFormatError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert str(damaged) in message, what
        return True
    assert save(loaded, folder / "again.hyq").read_bytes() == original, what
    return False


def test_truncated_anywhere(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    lengths = {*range(0, len(data), 7), *range(30), *range(len(data) - 80, len(data))}
    for length in sorted(lengths):
        refused = assert_error_or_equal(data[:length], data, tmp_path, f"{length} bytes")
        assert refused, f"{length} of {len(data)} bytes are no file"


@pytest.mark.slow
def test_flipped_bits(path: Path, tmp_path: Path) -> None:
    """One bit of many bytes: headers, compressed data, directory."""
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    positions = np.arange(0, len(data), 3)
    for position, bit in zip(positions, rng.integers(0, 8, len(positions)), strict=True):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(bit)
        what = f"byte {position}, bit {bit}"
        refused += assert_error_or_equal(bytes(damaged), data, tmp_path, what)
    assert refused > len(positions) // 2


def test_several_random_bytes(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for i in range(300):
        damaged = np.frombuffer(data, dtype=np.uint8).copy()
        places = rng.integers(0, len(data), rng.integers(1, 30))
        damaged[places] = rng.integers(0, 256, len(places))
        assert_error_or_equal(damaged.tobytes(), data, tmp_path, f"round {i}")


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 100, b"hello", pickle.dumps({"a": 1}), b"PK\x05\x06" + b"\0" * 18],
    ids=["empty", "zeros", "text", "pickle", "empty_zip"],
)
def test_foreign_files(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.hyq").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"f\.hyq is damaged or not a hyq file"):
        load(tmp_path / "f.hyq", OPERATIONS)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"none\.hyq: no such file"):
        load(tmp_path / "none.hyq", OPERATIONS)


def rewrite(
    path: Path, change: Callable[[Document], object], arrays: dict[str, bytes] | None = None
) -> None:
    """Edit the document (and members) of a file by hand, leaving a sound zip."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members.pop("graph.json"))
    change(document)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("graph.json", json.dumps(document))
        for name, data in {**members, **(arrays or {})}.items():
            archive.writestr(name, data)


def npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def delete(key: str) -> Callable[[Document], object]:
    return lambda d: d.pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="zip"), ": not a hyq file"),
        (delete("format"), ": not a hyq file"),
        (lambda d: d.update(version=1), "format version 1, .* reads versions 2 and 3"),
        (delete("version"), "format version None"),
        (lambda d: d["nodes"][2].update(operation="fft"), "sum: unknown operation 'fft'.*newer"),
        (lambda d: d["nodes"][2].update(inputs=["a", "zz"]), "unknown tensor 'zz'"),
        (lambda d: d["nodes"][2].update(inputs=["a"]), "add takes 2 inputs, found 1"),
        (lambda d: d["nodes"][2].update(name="a"), "a node of this name exists already"),
        (lambda d: d["nodes"].pop(), "nobody reads this output"),
        (lambda d: d["nodes"].clear(), "has no nodes"),
        (lambda d: d["nodes"][0]["parameters"].pop("bias"), "Dense: fields .* are wanted, found"),
        (lambda d: d["nodes"][0]["parameters"].update(extra=1), "Dense: fields .* are wanted"),
        (lambda d: d["nodes"][0]["parameters"].update(weight_bits=2), "do not fit 2 bits"),
        (lambda d: d["input"]["shape"].__setitem__(2, 5), "5, found|found .*5"),
        (lambda d: d["sha256"].popitem(), "damaged"),
        (delete("sha256"), "damaged"),
        (lambda d: d["sha256"].update({"a/weight.npy": "0" * 64}), "does not match its checksum"),
        (lambda d: d["sha256"].update({"no.npy": "0" * 64}), "damaged"),
        (lambda d: d["input"].clear(), "damaged"),
        (lambda d: d.clear(), ": not a hyq file"),
    ],
)
def test_edited_document(change: Callable[[Document], object], message: str, path: Path) -> None:
    rewrite(path, change)
    with pytest.raises(FileFormatError, match=message) as caught:
        load(path, OPERATIONS)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"hyq"', "[" * 100_000])
def test_document_is_no_document(text: str, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("graph.json", text)
    with pytest.raises(FileFormatError, match="is damaged"):
        load(path, OPERATIONS)


def last(**parameters: object) -> Callable[[Document], object]:
    return lambda d: d["nodes"][-1]["parameters"].update(parameters)


def renamed_input(name: object) -> Callable[[Document], object]:
    return lambda d: (d["input"].update(name=name), d["nodes"][0].update(inputs=[name]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["input"].update(shape=[10**6, 10**6, 3]), r"3,000,000,000,000, and .*Limits"),
        (
            lambda d: d.update(metadata=[1]),
            r"metadata is damaged: an object .* found \[1\]",
        ),
        (lambda d: d.update(metadata=None), "an object is wanted, found None"),
        (lambda d: d["metadata"].update(model="\ud800"), "surrogates not allowed"),
        (renamed_input("\udfff"), "surrogates not allowed"),
        (renamed_input(5), "the name of a tensor is wanted, found 5"),
        (last(stride=[1 << 70, 1]), "stride 1180591620717411303424 leaves"),
        (last(stride=[0, 1]), "stride .* must be positive"),
        (last(padding=[10**9, 0]), "padding 1000000000 is more than the height 3 of the window"),
        (last(padding=[-1, 0]), "not negative"),
        (last(weight_bits=10**11), "a width of 1 to 64 bits is wanted, found 100000000000"),
        (last(weight_bits=0), "a width of 1 to 64 bits is wanted, found 0"),
    ],
)
def test_what_a_stranger_may_write(
    change: Callable[[Document], object], message: str, tmp_path: Path
) -> None:
    path = save(example_graph("conv2d", np.random.default_rng(0)), tmp_path / "g.hyq")
    rewrite(path, change)
    with pytest.raises(FileFormatError, match=message):
        load(path, OPERATIONS)


def test_bits_that_a_layer_norm_cannot_have(tmp_path: Path) -> None:
    """A shift by them would fill the memory."""
    path = save(example_graph("layer_norm", np.random.default_rng(0)), tmp_path / "g.hyq")
    rewrite(path, last(reciprocal_bits=10**12))
    with pytest.raises(FileFormatError, match="reciprocal_bits 1000000000000"):
        load(path, OPERATIONS)


def zeros(path: Path, name: str, mebibytes: int) -> None:
    """Append a member that unpacks to so many zeros."""
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as member,
    ):
        for _ in range(mebibytes):
            member.write(bytes(1 << 20))


@pytest.mark.slow
def test_what_unpacks_to_more_than_the_limits_is_not_read(path: Path, tmp_path: Path) -> None:
    spaces = tmp_path / "spaces.hyq"
    with zipfile.ZipFile(spaces, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("graph.json", "{}" + " " * (65 << 20))
    with pytest.raises(FileFormatError, match=r"bytes of graph\.json is .*document_bytes="):
        load(spaces, OPERATIONS)
    with pytest.raises(FileFormatError, match="array_bytes="):
        load(path, OPERATIONS, Limits(array_bytes=100))
    with pytest.raises(FileFormatError, match="file_bytes="):
        load(path, OPERATIONS, Limits(file_bytes=100))
    with pytest.raises(FileFormatError, match="tensor_codes="):
        load(path, OPERATIONS, Limits(tensor_codes=71))
    load(path, OPERATIONS, Limits(tensor_codes=72 * 4 // 3, array_bytes=1 << 12))
    zeros(path, "unused.npy", 2)
    with pytest.raises(FileFormatError, match=r"damaged: unused\.npy belongs to no node"):
        load(path, OPERATIONS)


def test_an_array_cannot_announce_more_than_it_holds(path: Path) -> None:
    data = npy(np.zeros((4, 3), np.int64)).replace(b"(4, 3)", b"(4, 3000000000)")
    rewrite(path, with_digest("a/weight.npy", data), {"a/weight.npy": data})
    with pytest.raises(FileFormatError, match="damaged"):
        load(path, OPERATIONS)


@pytest.mark.parametrize("kind", ["folder", "device", "pipe"])
def test_what_is_no_file_is_not_opened(kind: str, tmp_path: Path) -> None:
    place = {"folder": tmp_path, "device": Path("/dev/zero"), "pipe": tmp_path / "pipe"}[kind]
    if kind == "pipe":
        os.mkfifo(place)
    with pytest.raises(FileFormatError, match="a file is wanted, found a folder, a device or a"):
        load(place, OPERATIONS)


class Bomb:
    """Leaves a trace when it is unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[Any, ...]:
        return explode, ()


def explode() -> None:
    Bomb.exploded = True


def with_digest(name: str, data: bytes) -> Callable[[Document], object]:
    from hashlib import sha256  # noqa: PLC0415

    return lambda d: d["sha256"].update({name: sha256(data).hexdigest()})


@pytest.mark.parametrize(
    "array",
    [
        np.array([Bomb()], dtype=object),
        np.ones((4, 3)),
        np.ones((4, 3), dtype=bool),
        np.ones(12, dtype=np.int64),
        np.full((4, 3), 128),
        np.array([["x"] * 3] * 4),
        np.zeros((0, 3), dtype=np.int64),
    ],
    ids=["pickled", "floats", "bools", "vector", "too_large", "strings", "empty"],
)
def test_foreign_arrays_with_right_checksum(array: np.ndarray[Any, Any], path: Path) -> None:
    data = npy(array)
    rewrite(path, with_digest("a/weight.npy", data), {"a/weight.npy": data})
    with pytest.raises(FileFormatError, match="damaged"):
        load(path, OPERATIONS)
    assert not Bomb.exploded


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*place, key)
        if isinstance(item, dict | list):
            yield from leaves(item, (*place, key))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv2d", "shift_swish"])
def test_any_value_replaced(name: str, tmp_path: Path) -> None:
    """A value of another kind is refused; where it is not, the graph still works."""
    graph = example_graph(name, np.random.default_rng(0))
    path = save(graph, tmp_path / "g.hyq")
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    document = json.loads(members.pop("graph.json"))
    codes = random_codes(graph.input_type, np.random.default_rng(0), 1)
    del document["metadata"]
    wrong: tuple[object, ...] = (None, "x", 1.5, [], {})
    for place in leaves(document):
        for value in wrong:
            changed = copy.deepcopy(document)
            changed["metadata"] = {}
            target = changed
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = value
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("graph.json", json.dumps(changed))
                for member, data in members.items():
                    archive.writestr(member, data)
            try:
                loaded = load(path, OPERATIONS)
            except FileFormatError:
                continue
            list(loaded.reference(codes))
            for node in loaded.nodes.values():
                types = loaded.input_types(node)
                circuit = circuit_of(node.operation, *types)
                circuit.arguments(circuit.foldings[0])
