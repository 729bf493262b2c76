"""Files that were cut, flipped, edited, or made to harm: 1,100 in all."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.situations.situation import Place, Situation, Wrong
from hyq_hls import load
from hyq_hls.errors import FileFormatError

Document = dict[str, Any]
#: Numbers of random damages of each kind.
CUT, FLIPPED, SCRAMBLED, EDITED = 250, 300, 270, 260
_VALUES: tuple[Any, ...] = (
    *(None, "x", 1.5, [], {}, True, -1, 0, 1 << 40, 1 << 70, -(1 << 70), 1e308, [1, 2], "\ud800"),
    *([[[]]], {"array": "no"}, {"array": 3}, "a" * 300, [0] * 50, 1e-320),
)


@cache
def original() -> bytes:
    """Bytes of the network in the current folder."""
    return Path("net.hyq").read_bytes()


def read(data: bytes, whole: bool) -> None:
    """Load a file, which is refused by its name or works.

    Raises:
        Wrong: the message does not name the file, or another network came out.
    """
    path = Path("damaged.hyq")
    path.write_bytes(data)
    try:
        loaded = load(path)
    except FileFormatError as error:
        if path.name not in str(error):
            raise Wrong(f"the file is not named: {error}") from error
        raise
    list(loaded.graph.reference(np.zeros((1, *loaded.graph.input_type.shape), np.int64)))
    if whole and loaded.save("again.hyq").read_bytes() != original():
        raise Wrong("another network was loaded")


def cut(seed: int, place: Place) -> None:
    """Drop the end."""
    read(original()[: np.random.default_rng(seed).integers(len(original()))], whole=True)


def flipped(seed: int, place: Place) -> None:
    """Flip a bit."""
    data, rng = bytearray(original()), np.random.default_rng(seed)
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    read(bytes(data), whole=True)


def scrambled(seed: int, place: Place) -> None:
    """Replace some bytes."""
    data, rng = bytearray(original()), np.random.default_rng(seed)
    for at in rng.integers(0, len(data), rng.integers(2, 40)):
        data[at] = rng.integers(256)
    read(bytes(data), whole=True)


def packed(document: Document, members: dict[str, bytes]) -> bytes:
    """Return a sound zip of a document and its arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"graph.json": json.dumps(document).encode(), **members}.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def unpacked() -> tuple[Document, dict[str, bytes]]:
    """Return the document and the arrays of the network."""
    with zipfile.ZipFile(io.BytesIO(original())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop("graph.json")), members


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where every value of a document lies."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*before, key)
        if isinstance(item, dict | list):
            yield from places(item, (*before, key))


def edited(seed: int, place: Place) -> None:
    """Replace a value of the document by one of another kind or size."""
    document, members = unpacked()
    rng = np.random.default_rng(seed)
    every = list(places(document))
    *path, last = every[rng.integers(len(every))]
    target: Any = document
    for key in path:
        target = target[key]
    target[last] = copy.deepcopy(_VALUES[rng.integers(len(_VALUES))])
    read(packed(document, members), whole=False)


def changed(change: Callable[[Document], object], place: Place) -> None:
    """Edit the document by hand."""
    document, members = unpacked()
    change(document)
    read(packed(document, members), whole=False)


def bomb(member: str, mebibytes: int, method: int, place: Place) -> None:
    """Append a member that unpacks to so many zeros, or lengthen the document by spaces."""
    document, members = unpacked()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        text = json.dumps(document).encode()
        with archive.open("graph.json", "w", force_zip64=True) as handle:
            handle.write(text)
            for _ in range(mebibytes * (member == "graph.json")):
                handle.write(b" " * (1 << 20))
        for name, data in members.items():
            archive.writestr(name, data)
        if member != "graph.json":
            with archive.open(member, "w", force_zip64=True) as handle:
                for _ in range(mebibytes):
                    handle.write(bytes(1 << 20))
    read(buffer.getvalue(), whole=False)


def node(**parameters: object) -> Callable[[Document], object]:
    """Return an edit of the parameters of the first node."""
    return lambda document: document["nodes"][0]["parameters"].update(parameters)


HOSTILE = [
    Situation("input of 10^6 x 10^6", partial(changed, lambda d: d["input"].update(shape=[10**6, 10**6, 3])), "Limits("),
    Situation("metadata is a list", partial(changed, lambda d: d.update(metadata=[1])), "metadata"),
    Situation("metadata is null", partial(changed, lambda d: d.update(metadata=None)), "metadata"),
    Situation("a lone surrogate in a name", partial(changed, lambda d: d["input"].update(name="\ud800")), "surrogates"),
    Situation("stride beyond 64 bits", partial(changed, node(stride=[1 << 70, 1])), "stride"),
    Situation("padding of a billion", partial(changed, node(padding=[10**9, 0])), "padding"),
    Situation("weights of 10^11 bits", partial(changed, node(weight_bits=10**11)), "64 bits"),
    Situation("a newer version", partial(changed, lambda d: d.update(version=99)), "format version 99"),
    Situation("half a gigabyte of spaces", partial(bomb, "graph.json", 512, zipfile.ZIP_DEFLATED), "document_bytes"),
    Situation("half a gigabyte of unused zeros", partial(bomb, "z.npy", 512, zipfile.ZIP_DEFLATED), "belongs to no node"),
    Situation("packed by bzip2", partial(bomb, "z.npy", 1, zipfile.ZIP_BZIP2), "unknown method"),
    Situation("an empty file", lambda p: load("void.hyq"), "damaged"),
    Situation("a device", lambda p: load("/dev/zero"), "a file is wanted"),
    Situation("a folder", lambda p: load(p.folder), "a file is wanted"),
    Situation("a numpy file", lambda p: load("images.npy"), "damaged"),
    Situation("no file", lambda p: load("none.hyq"), "no such file"),
    Situation("100,000 brackets", lambda p: read(packed_text("[" * 100_000), whole=False), "damaged"),
    Situation("a number as document", lambda p: read(packed_text("3"), whole=False), "damaged"),
    Situation("an integer of 5,000 digits", lambda p: read(packed_text("9" * 5000), whole=False), "damaged"),
    Situation("50,000 members", lambda p: read(many_members(50_000), whole=False), "damaged"),
]  # fmt: skip


def packed_text(text: str) -> bytes:
    """Return a zip with this document alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("graph.json", text)
    return buffer.getvalue()


def many_members(count: int) -> bytes:
    """Return the network with so many empty members beside it."""
    buffer = io.BytesIO(original())
    with zipfile.ZipFile(buffer, "a") as archive:
        for i in range(count):
            archive.writestr(f"{i:060}", b"")
    return buffer.getvalue()


def situations() -> list[Situation]:
    """Return all of them."""
    random = {cut: CUT, flipped: FLIPPED, scrambled: SCRAMBLED, edited: EDITED}
    return HOSTILE + [
        Situation(f"{damage.__name__}, seed {seed}", partial(damage, seed))
        for damage, count in random.items()
        for seed in range(count)
    ]
