"""Generated projects of whole small networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl import write_rtl

Codes = NDArray[np.int64]
Bytes = NDArray[np.uint8]


def planned(graph: Graph, foldings: Mapping[str, Folding] | None = None) -> Dataflow:
    """The dataflow with FIFOs that cannot deadlock."""
    flow = build_dataflow(graph, foldings or {})
    return flow.with_depths(safe_depths(flow))


def written(flow: Dataflow, folder: Path) -> list[Path]:
    """Files of the project ``top`` in ``folder``."""
    return write_rtl(flow, folder, "top")


def mixed_foldings(graph: Graph, seed: int = 0, most: int | None = None) -> dict[str, Folding]:
    """A random legal folding of every node, so that streams between them change their lanes.

    ``most`` limits the lanes, and so the size of the circuits.
    """
    rng = np.random.default_rng(seed)
    foldings = {}
    for name, node in graph.nodes.items():
        legal = circuit_of(node.operation, *graph.input_types(node)).foldings
        if most is not None:
            legal = [f for f in legal if max(f.outputs, f.inputs) <= most]
        foldings[name] = legal[rng.integers(len(legal))]
    return foldings


def stream_bytes(codes: Codes, code_bytes: int) -> Bytes:
    """Bytes (B, codes * code_bytes) of TDATA for codes (B, codes), in the order of the stream."""
    little = np.ascontiguousarray(codes, "<i8").view(np.uint8).reshape(*codes.shape, 8)
    return little[..., :code_bytes].reshape(len(codes), -1)


def stream_codes(frames: Bytes, code_bytes: int, signed: bool) -> Codes:
    """The codes (B, codes) of :func:`stream_bytes`."""
    parts = frames.reshape(len(frames), -1, code_bytes).astype(np.int64)
    codes: Codes = (parts << np.arange(0, 8 * code_bytes, 8)).sum(axis=-1)
    return codes - (signed * (codes >> (8 * code_bytes - 1)) << (8 * code_bytes))
