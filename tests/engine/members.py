"""Small members of the families that the engine runs, with every kind of operation of theirs."""

from __future__ import annotations

from functools import cache

import numpy as np

from benchmarks._families_networks import FAMILIES, images, network, woken
from hyq_hls import quantize
from hyq_hls.graph import Graph
from tests.engine.graphs import Codes

#: MobileViT has networks of its own in the tests.
MEMBERS = ("reduced_efficientformer", "reduced_efficientformerv2", "reduced_mobile_former")


@cache
def member(name: str) -> tuple[Graph, Codes]:
    """Return the integer graph of a member with random weights, and an image for it."""
    sides = dict(pair for networks in FAMILIES.values() for pair in networks)
    samples = images(4, sides[name], seed=0)
    graph = quantize(woken(network(name, sides[name])), samples, progress=False).graph
    return graph, samples[0].astype(np.int64)
