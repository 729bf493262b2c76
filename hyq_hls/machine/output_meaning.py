"""The meaning of the codes that go into a design and come out, for the programs of a host."""

from __future__ import annotations

from typing import Any

from hyq_hls.graph import Graph
from hyq_hls.graph.graph import CLASS_NAMES
from hyq_hls.normalization import METADATA_KEY, Normalization


def meaning_of_codes(graph: Graph) -> dict[str, Any]:
    """Return JSON values: normalization of the input; scale, names and order of the outputs."""
    quantization, index = graph.output_type.quantization, graph.output_index
    return {
        "normalization": str(Normalization.from_json(graph.metadata.get(METADATA_KEY))),
        "scale": list(quantization.scale),
        "zero_point": list(quantization.zero_point),
        "class_names": graph.metadata.get(CLASS_NAMES),
        "output_index": None if index is None else index.tolist(),
    }
